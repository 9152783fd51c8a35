"""Training end to end on small images: what a run leaves, what it reaches, how it stops and goes on."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest

from imbclf.errors import InputError
from imbclf.training import classification, load_config, train
from imbclf.training import fit as fit_module
from imbclf.training.run_folder import WRITTEN_BY_TRAINING, RunFolder


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_run_leaves_every_file_and_they_agree(finished):
    run, config_file = finished
    assert {path.name for path in run.path.iterdir() if path.is_file()} >= set(WRITTEN_BY_TRAINING) - {"cases.csv"}
    assert not list(run.path.glob(".*"))
    predictions = rows(run / "predictions.csv")
    assert len(predictions) == 60
    assert {row["id"]: row["split"] for row in predictions} == {
        row["id"]: row["split"] for row in rows(run / "split.csv")
    }
    model = keras.saving.load_model(run / "best.keras", compile=False)
    dataset = classification.build_dataset(load_config(config_file))
    expected = np.asarray(model.predict(dataset.images[np.arange(60)], verbose=0))
    written = np.array([[float(row["left"]), float(row["right"])] for row in predictions])
    np.testing.assert_allclose(written, expected, atol=1e-5)
    history = rows(run / "history.csv")
    assert [int(row["epoch"]) for row in history] == [1, 2, 3]
    best = max(float(row["val_balanced_accuracy"]) for row in history)
    record = json.loads((run / "training.json").read_text())
    assert float(history[record["best_epoch"] - 1]["val_balanced_accuracy"]) == best
    assert record["drawn_per_epoch"] == [24.0, 24.0]
    assert (
        record["counts"] == {"train": [27, 13], "val": [5, 3], "test": [8, 4]} or sum(record["counts"]["train"]) == 39
    )


def test_learning_rate_falls_to_zero_along_a_cosine(finished):
    run, _ = finished
    rates = [float(row["learning_rate"]) for row in rows(run / "history.csv")]
    expected = [0.003 * (1 + np.cos(np.pi * epoch / 3)) / 2 for epoch in range(3)]
    np.testing.assert_allclose(rates, expected, rtol=1e-4)


def test_killed_and_resumed_run_equals_the_run_that_was_not(finished, tmp_path, monkeypatch):
    straight, config_file = finished
    config = load_config(config_file, [f"output={tmp_path}/resumed"])

    class Killed(BaseException):
        pass

    class KillAtSecondEpoch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations >= 4:
                raise Killed

    original = fit_module.StopOnNonFiniteLoss
    monkeypatch.setattr(fit_module, "StopOnNonFiniteLoss", KillAtSecondEpoch)
    with pytest.raises(Killed):
        train(config)
    monkeypatch.setattr(fit_module, "StopOnNonFiniteLoss", original)
    assert len(rows(RunFolder(config.run_dir) / "history.csv")) == 1
    with pytest.raises(InputError, match="continue it with --resume"):
        train(config)
    resumed = train(config, resume=True)
    for name in ("last.keras", "best.keras"):
        weights = [keras.saving.load_model(run / name, compile=False).get_weights() for run in (straight, resumed)]
        for a, b in zip(*weights, strict=True):
            np.testing.assert_array_equal(a, b)
    without_time = [[{**row, "seconds": 0} for row in rows(run / "history.csv")] for run in (straight, resumed)]
    assert without_time[0] == without_time[1]
    assert (straight / "predictions.csv").read_text() == (resumed / "predictions.csv").read_text()


def test_resume_keeps_its_configuration_and_needs_a_state(finished, tmp_path):
    run, config_file = finished
    with pytest.raises(InputError, match="no state to resume from"):
        train(load_config(config_file, [f"output={tmp_path}/none"]), resume=True)
    with pytest.raises(InputError, match="finished run; there is nothing to resume"):
        train(load_config(config_file), resume=True)
    shutil.copytree(run.path, tmp_path / "copy", ignore=shutil.ignore_patterns("training.json"))
    with pytest.raises(InputError, match=r"started with training\.epochs=3, not 4"):
        train(load_config(config_file, ["training.epochs=4", f"output={tmp_path}/copy"]), resume=True)


def test_finished_run_is_never_overwritten_silently(finished, tmp_path):
    shutil.copytree(finished[0].path, tmp_path / "copy")
    config = load_config(finished[1], [f"output={tmp_path}/copy", "evaluation.bootstrap=0"])
    run = RunFolder(config.run_dir)
    before = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()}
    with pytest.raises(InputError, match="holds a finished run; choose another folder"):
        train(config)
    assert before == {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()}
    train(config, overwrite=True)
    assert before["best.keras"] != (run / "best.keras").stat().st_mtime_ns


def test_loss_that_is_not_finite_stops_and_keeps_the_last_good_epoch(config_file, monkeypatch):
    config = load_config(config_file, ["training.epochs=4"])
    original = classification.build_batches

    def spoil(*arguments):
        batches, validation = original(*arguments)
        healthy = batches.batch

        def batch(epoch, index):
            x, y = healthy(epoch, index)
            return (np.full_like(x, 3e38) * 10 if (epoch, index) == (2, 1) else x), y

        monkeypatch.setattr(batches, "batch", batch)
        return batches, validation

    monkeypatch.setattr(classification, "build_batches", spoil)
    with np.errstate(over="ignore"), pytest.raises(InputError) as error:
        train(config)
    assert "The loss became nan at step 2 of epoch 3" in str(error.value)
    run = RunFolder(config.run_dir)
    assert str(run / "last.keras") in str(error.value)
    assert json.loads((run / "training.json").read_text())["stopped"] == "non-finite loss"
    weights = keras.saving.load_model(run / "last.keras", compile=False).get_weights()
    assert all(np.isfinite(w).all() for w in weights)
    assert len(rows(run / "history.csv")) == 2
    assert not (run / "predictions.csv").exists()


def test_weights_and_balanced_batches_together_warn_and_say_why(config_file):
    with pytest.warns(UserWarning, match=r"(?i)twice|double"):
        train(load_config(config_file, ["sampling.class_weight=inverse", "training.epochs=1"]))


def test_class_weights_reach_the_loss(config_file):
    """On one batch of the whole training set the weighted loss is that of weighted samples."""
    config = load_config(
        config_file,
        ["sampling={batches: uniform, class_weight: inverse}", "loss=CrossEntropy", "augment=[]", "training.epochs=1"],
    )
    dataset = classification.build_dataset(config)
    batches, _ = classification.build_batches(config, dataset)
    weights = np.array(classification.record(config, dataset, batches)["sample_weights"])
    counts = np.bincount(batches.y)
    np.testing.assert_allclose(weights, len(batches.y) / (2 * counts))
    _, y, sample_weight = batches.batch(0, 0)
    np.testing.assert_allclose(sample_weight, weights[y], rtol=1e-6)


def run_score(config_file, tmp_path, name, overrides):
    run = train(load_config(config_file, [f"output={tmp_path}/{name}", *overrides]))
    return json.loads((run / "metrics.json").read_text())["splits"]["test"]["scores"]["balanced_accuracy"]["value"]


@pytest.mark.slow
def test_training_learns_what_is_easy_and_does_not_with_a_broken_loss(config_file, tmp_path, monkeypatch):
    long = [
        "training={epochs: 15, batch_size: 8, learning_rate: 0.003, select: last}",
        "model={width: 4, stem: small}",
        "evaluation.bootstrap=0",
    ]
    assert run_score(config_file, tmp_path, "sound", long) > 0.9

    import imbclf

    class Upside(imbclf.CEPlusF1):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return -super().__call__(y_true, y_pred, sample_weight)

    monkeypatch.setattr(imbclf.losses, "CEPlusF1", Upside)
    assert run_score(config_file, tmp_path, "broken", long) < 0.6
