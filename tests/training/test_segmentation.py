"""Segmentation end to end on small volumes: what a run leaves, how it goes on, what it says of other images."""

import csv
import io
import json

import keras
import numpy as np
import pytest

from imbclf.cli import main
from imbclf.data import read_nifti, read_nifti_labels, write_nifti
from imbclf.errors import InputError
from imbclf.training import dry_run, load_config, predict_files, segmentation, train
from imbclf.training import fit as fit_module
from imbclf.training.run_folder import RunFolder

SIDE = (16, 16, 14)
AFFINE = np.array([[2.0, 0, 0, -7], [0, 1.0, 0, 5], [0, 0, 1.5, 3], [0, 0, 0, 1]])


def write_cases(root, count=20):
    """Noisy volumes with a bright ball (class 1), and in every second one a brighter cube beside it (class 2)."""
    random = np.random.default_rng(0)
    for i in range(count):
        middle = random.integers(5, 11, 3)
        distance = np.sqrt(((np.indices(SIDE) - middle[:, None, None, None]) ** 2).sum(axis=0))
        mask = (distance < 4).astype("uint8")
        if i % 2:
            mask[1:4, 1:4, 1:4] = 2
        image = random.normal(size=SIDE) * 0.3 + np.array([0, 2, 4])[mask]
        for folder, array in (("images", image.astype("float32")), ("labels", mask)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            write_nifti(root / folder / f"case_{i:02d}.nii.gz", array, affine=AFFINE)
    return root


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return write_cases(tmp_path_factory.mktemp("cases"))


@pytest.fixture(scope="module")
def config_file(tmp_path_factory, cases):
    path = tmp_path_factory.mktemp("config") / "tiny.yaml"
    path.write_text(
        f"""
name: tiny
task: segmentation
output: {path.parent}/run
data: {{root: {cases}, class_names: [background, ball, cube]}}
model: {{width: 4, stem: medium}}
loss: CEPlusDice
patches: {{size: 16, per_epoch: 16, flips: [0, 1]}}
augment: [{{name: RandomAffine, shift: 0.05}}]
training: {{epochs: 3, batch_size: 4, learning_rate: 0.01}}
evaluation: {{bootstrap: 50, overlap: 0.25}}
"""
    )
    return path


@pytest.fixture(scope="module")
def finished(config_file):
    return train(load_config(config_file))


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_scores_masks_and_a_report_that_agree(finished, cases):
    split = {row["id"]: row["split"] for row in rows(finished / "split.csv")}
    scored = rows(finished / "cases.csv")
    assert {row["id"] for row in scored} == {id for id, name in split.items() if name in ("val", "test")}
    test = {id for id, name in split.items() if name == "test"}
    masks = sorted((finished / "masks").iterdir())
    assert len(masks) == len(test)
    assert (finished / "report.html").stat().st_size > 10_000
    assert (finished / "figures" / "montage.png").is_file()
    for path in masks:
        predicted, truth = read_nifti_labels(path), read_nifti_labels(cases / "labels" / path.name)
        np.testing.assert_allclose(predicted.affine, AFFINE)
        (row,) = [row for row in scored if path.name.startswith(row["id"]) and row["class"] == "ball"]
        both = ((predicted.array == 1) & (truth.array == 1)).sum()
        expected = 2 * both / ((predicted.array == 1).sum() + (truth.array == 1).sum())
        np.testing.assert_allclose(float(row["dice"]), expected, rtol=1e-5)


def test_the_best_epoch_is_that_of_greatest_validation_dice(finished):
    history = rows(finished / "history.csv")
    record = json.loads((finished / "training.json").read_text())
    dice = [float(row["val_dice_score"]) for row in history]
    assert record["best_epoch"] == 1 + int(np.argmax(dice))
    assert {"cross_entropy", "dice", "val_dice"} <= set(history[0])
    assert record["counts"] == {"train": 13, "val": 3, "test": 4} or sum(record["counts"].values()) == 20
    np.testing.assert_allclose(sum(record["voxel_shares"]), 1)


def test_padding_does_not_count_in_the_reported_dice(finished, config_file):
    """The volumes are smaller than the window, so weights of 0 stand in every batch."""
    config = load_config(config_file)
    dataset = segmentation.build_dataset(config, finished / "split.csv")
    _, validation = segmentation.build_batches(config, dataset)
    model = segmentation.build_model(config, dataset)
    model.set_weights(keras.saving.load_model(finished / "best.keras", compile=False).get_weights())
    logs = model.evaluate(validation, verbose=0, return_dict=True)
    counts = np.zeros((3, 3))
    for i in dataset.indices("val"):
        case = dataset.case(i)
        padded = np.pad(case.image, [(0, 0), (0, 0), (1, 1), (0, 0)], constant_values=case.image.min())
        predicted = np.asarray(model(padded[None]))[0].argmax(axis=-1)[:, :, 1:15]
        np.add.at(counts, (case.mask, predicted), 1)
    dice = [2 * counts[k, k] / (counts[k].sum() + counts[:, k].sum()) for k in (1, 2) if counts[k].sum()]
    np.testing.assert_allclose(logs["dice_score"], np.mean(dice), rtol=1e-4)


class Killed(BaseException):
    pass


@pytest.mark.slow
def test_killed_and_resumed_run_equals_the_run_that_was_not(config_file, tmp_path, monkeypatch):
    """With a loss that has state of its own."""
    options = ["loss=Balance", "training.epochs=2", "evaluation.bootstrap=0", "patches.per_epoch=8", "model.width=1"]
    straight = train(load_config(config_file, [*options, f"output={tmp_path}/straight"]))

    class KillInSecondEpoch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations >= 3:
                raise Killed

    config = load_config(config_file, [*options, f"output={tmp_path}/resumed"])
    original = fit_module.StopOnNonFiniteLoss
    monkeypatch.setattr(fit_module, "StopOnNonFiniteLoss", KillInSecondEpoch)
    with pytest.raises(Killed):
        train(config)
    monkeypatch.setattr(fit_module, "StopOnNonFiniteLoss", original)
    resumed = train(config, resume=True)
    with np.load(straight / "state.npz") as a, np.load(resumed / "state.npz") as b:
        assert any(key.startswith("loss_") for key in a.files)
        for key in a.files:
            if key != "record_seconds":
                np.testing.assert_array_equal(a[key], b[key], err_msg=key)
    assert rows(straight / "cases.csv") == rows(resumed / "cases.csv")


@pytest.mark.slow
def test_several_outputs_train_under_plain_names(config_file, tmp_path):
    options = ["model.deep_supervision=1", "training.epochs=1", "evaluation.bootstrap=0", f"output={tmp_path}/deep"]
    run = train(load_config(config_file, options))
    assert "val_dice_score" in rows(run / "history.csv")[0]
    model = keras.saving.load_model(run / "best.keras", compile=False)
    assert [output.shape[1:-1] for output in model.outputs] == [(16, 16, 16), (8, 8, 8)]


@pytest.mark.slow
def test_training_finds_both_structures(config_file, tmp_path):
    options = ["training.epochs=25", "patches.per_epoch=32", "augment=[]", f"output={tmp_path}/long"]
    run = train(load_config(config_file, options))
    scores = json.loads((run / "metrics.json").read_text())["splits"]["test"]["per_class"]
    assert scores["ball"]["dice"]["value"] > 0.9
    assert scores["cube"]["dice"]["value"] > 0.8


def test_masks_of_other_images_keep_their_affine_and_size(finished, tmp_path):
    random = np.random.default_rng(1)
    for name, shape in (("a", (20, 30, 17)), ("b", (9, 16, 16))):
        write_nifti(tmp_path / "new" / f"{name}.nii.gz", random.normal(size=shape).astype("float32"), affine=AFFINE * 2)
    counted, names = predict_files(finished.path, tmp_path / "new", output=tmp_path / "masks")
    assert names == ["background", "ball", "cube"]
    assert [name for name, _ in counted] == ["a.nii.gz", "b.nii.gz"]
    for name, counts in counted:
        mask, image = read_nifti_labels(tmp_path / "masks" / name), read_nifti(tmp_path / "new" / name)
        assert mask.array.shape == image.array.shape
        np.testing.assert_allclose(mask.affine, image.affine)
        np.testing.assert_array_equal(np.bincount(mask.array.ravel(), minlength=3), counts)


def refuse(capsys, *arguments):
    assert main([str(a) for a in arguments]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("imbclf: ")]
    return line


def test_command_line_reports_predicts_and_refuses(finished, cases, tmp_path, capsys):
    assert main(["report", str(finished.path)]) == 0
    image = cases / "images" / "case_00.nii.gz"
    assert main(["predict", str(finished.path), "--input", str(image), "--output", str(tmp_path / "out")]) == 0
    assert "case_00.nii.gz" in capsys.readouterr().out
    assert "empty folder" in refuse(capsys, "predict", finished.path, "--input", image, "--output", tmp_path / "out")
    assert "--output" in refuse(capsys, "predict", finished.path, "--input", image)
    assert "no image or folder" in refuse(
        capsys, "predict", finished.path, "--input", "nothing", "--output", tmp_path / "o"
    )
    assert "segmentation" in refuse(capsys, "tsne", finished.path)


def test_a_dry_run_tells_and_writes_nothing(config_file, tmp_path):
    said = io.StringIO()
    dry_run(load_config(config_file, [f"output={tmp_path}/none"]), said)
    assert "cases that hold background" in said.getvalue()
    assert "share of voxels: background" in said.getvalue()
    assert not (tmp_path / "none").exists()


def test_a_thinned_class_is_ignored_in_the_other_training_cases_alone(config_file):
    whole = segmentation.build_dataset(load_config(config_file))
    thin = ["data.ignore_class=255", "data.thin={name: ball, share: 0.2}"]
    thinned = segmentation.build_dataset(load_config(config_file, thin))
    np.testing.assert_array_equal(thinned.split, whole.split)
    ignored = [(thinned.case(i).mask == 255).any() for i in range(len(thinned))]
    train_cases = whole.split == "train"
    assert not np.array(ignored)[~train_cases].any()
    assert sum(ignored) == train_cases.sum() - np.ceil(0.2 * train_cases.sum()) or 0 < sum(ignored) < train_cases.sum()


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("sampling.batches=balanced", "sampling in the overrides; it belongs to `task: classification`"),
        ("data.image_size=3", "it belongs to `task: classification`"),
        ("patches.sizes=3", "did you mean patches.size?"),
        ("task=detection", "Unknown task 'detection'"),
        ("model.name=ResNet34", "model.name in the overrides"),
    ],
)
def test_keys_of_the_other_task_are_refused_with_its_name(config_file, override, sentence):
    with pytest.raises(InputError) as error:
        load_config(config_file, [override])
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["data.root=null"], "data.root is not set"),
        (["data.thin={name: ball, share: 0.5}"], "data.thin needs data.ignore_class"),
        (["patches.size=[16, 16]"], "patches.size has 2 numbers, but the images have 3 axes"),
        (["loss=CEPlusDize"], "did you mean CEPlusDice?"),
        (["loss.alpha=3"], "loss.alpha"),
        (["data.class_names=[background, ball]"], "2"),
    ],
)
def test_bad_input_gets_one_sentence(config_file, overrides, sentence):
    def build():
        config = load_config(config_file, overrides)
        dataset = segmentation.build_dataset(config)
        segmentation.build_batches(config, dataset)
        segmentation.build_model(config, dataset)

    with pytest.raises(InputError) as error:
        build()
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_the_flip_of_the_balance_switch_is_said_once(config_file, tmp_path):
    said = io.StringIO()
    options = ["loss={name: Balance, t: 0.3}", "training.epochs=2", "evaluation.bootstrap=0", f"output={tmp_path}/b"]
    run = train(load_config(config_file, options), stream=said)
    lines = [line for line in said.getvalue().splitlines() if "inter-class part joined" in line]
    switched = [float(row["switched"]) for row in rows(run / "history.csv")]
    assert len(lines) == int(switched[-1])
    if lines:
        epoch = int(lines[0].rsplit(" ", 1)[1])
        assert switched == [float(number >= epoch) for number in (1, 2)]
        steps = int(lines[0].split("step ")[1].split(",")[0])
        assert 4 * (epoch - 1) < steps <= 4 * epoch


def test_a_run_folder_of_a_segmentation_reads_its_own_configuration(finished, config_file):
    assert RunFolder(finished.path).config() == load_config(config_file)
