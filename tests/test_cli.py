"""The command line as a person meets it: every verb, every refusal, in processes of its own where that matters."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from imbclf.cli import main
from tests.training.conftest import config_file, image_folder

__all__ = ["config_file", "image_folder"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run on the digits, and the command's outcome."""
    folder = tmp_path_factory.mktemp("cli")
    config = folder / "digits.yaml"
    config.write_text(
        f"name: digits\noutput: {folder}/run\ndata: {{format: digits}}\nmodel: {{width: 2, stem: medium}}\n"
        "training: {epochs: 1, batch_size: 64}\nevaluation: {bootstrap: 20, tsne_points: 60}\n"
    )
    assert main(["train", str(config)]) == 0
    return folder / "run"


def refuse(capsys, *arguments):
    """The one sentence on standard error of a command that must end with status 2."""
    assert main([str(a) for a in arguments]) == 2
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if line.startswith("imbclf: ")]
    assert len(lines) == 1, error
    return lines[0]


def python(code, backend="tensorflow"):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_help_and_printed_configuration_import_no_backend(tmp_path):
    (tmp_path / "a.yaml").write_text("name: a")
    for arguments in (["--help"], ["train", str(tmp_path / "a.yaml"), "--print-config"]):
        loaded = python(
            "import sys\nfrom imbclf.cli import main\n"
            f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
            "print('LOADED', [m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
        )
        assert "LOADED []" in loaded


@pytest.mark.parametrize(("backend", "other"), [("jax", "tensorflow"), ("jax", "torch"), ("tensorflow", "torch")])
def test_package_imports_no_backend_but_the_active_one(backend, other):
    code = "import sys, imbclf, keras\nimbclf.CEPlusF1(); imbclf.metrics; imbclf.models\nprint(sys.modules.keys())"
    modules = python(code, backend)
    assert f"'{backend}'" in modules
    assert f"'{other}'" not in modules


@pytest.mark.parametrize(
    "order",
    [
        "import imbclf, keras",
        "import keras, imbclf",
        "import imbclf.samples, keras",
        "import imbclf.statistics, keras",
        "import imbclf.losses, keras",
        "import imbclf.metrics.f1, keras",
        "import imbclf.training.fit, keras",
    ],
)
def test_names_are_known_to_keras_whatever_is_imported_first(order):
    known = python(f"{order}\nprint(type(keras.losses.get('imbclf>CEPlusF1')).__name__)", "jax")
    assert "CEPlusF1" in known


def test_train_prints_scores_beside_the_floors_and_where_the_report_is(run, capsys):
    assert main(["evaluate", str(run)]) == 0
    printed = capsys.readouterr().out
    for word in ("balanced accuracy", "macro F1", "MCC", "macro AUC", "majority", "pca_logistic", "report.html"):
        assert word in printed
    value = json.loads((run / "metrics.json").read_text())["splits"]["test"]["scores"]["mcc"]["value"]
    assert f"{value:.3f}" in printed


def test_evaluate_writes_the_same_predictions_again(run):
    before = (run / "predictions.csv").read_bytes()
    (run / "predictions.csv").unlink()
    assert main(["evaluate", str(run)]) == 0
    assert (run / "predictions.csv").read_bytes() == before


def test_report_needs_no_model_and_no_data(run):
    metrics = (run / "metrics.json").read_bytes()
    (run / "metrics.json").unlink()
    (run / "report.html").unlink()
    (run / "best.keras").rename(run / "hidden.keras")
    try:
        assert main(["report", str(run)]) == 0
    finally:
        (run / "hidden.keras").rename(run / "best.keras")
    assert (run / "metrics.json").read_bytes() == metrics
    assert (run / "report.html").is_file()


def test_tsne_draws_a_map_of_at_most_the_points_asked_for(run):
    assert main(["tsne", str(run), "--points", "50"]) == 0
    with np.load(run / "features.npz", allow_pickle=False) as features:
        assert np.isfinite(features["tsne"]).all(axis=1).sum() == 50
    assert (run / "figures" / "tsne.png").stat().st_size > 10_000


def test_predict_writes_one_row_of_probabilities_per_image(run, tmp_path, capsys):
    from sklearn.datasets import load_digits

    digits = load_digits().images[:3]
    for i, image in enumerate(digits):
        Image.fromarray((image * 255 / 16).astype("uint8")).save(tmp_path / f"{i}.png")
    np.savez(tmp_path / "all.npz", images=(digits * 255 / 16).astype("uint8"))
    tables = []
    for source in (tmp_path, tmp_path / "all.npz"):
        assert main(["predict", str(run), "--input", str(source)]) == 0
        tables.append(list(csv.reader(capsys.readouterr().out.splitlines())))
    header, *rows = tables[0]
    assert header == ["id", "predicted", *map(str, range(10))]
    assert [row[0] for row in rows] == ["0.png", "1.png", "2.png"]
    numbers = np.array([row[2:] for row in rows], dtype=float)
    np.testing.assert_allclose(numbers.sum(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(np.array([row[2:] for row in tables[1][1:]], dtype=float), numbers, atol=1e-5)
    output = tmp_path / "out.csv"
    assert main(["predict", str(run), "--input", str(tmp_path / "0.png"), "--output", str(output)]) == 0
    assert len(output.read_text().splitlines()) == 2
    assert "exists" in refuse(capsys, "predict", run, "--input", tmp_path, "--output", output)


def test_predict_refuses_what_the_model_cannot_take(run, tmp_path, capsys):
    Image.fromarray(np.zeros((9, 9), "uint8")).save(tmp_path / "large.png")
    assert "(9, 9, 1)" in refuse(capsys, "predict", run, "--input", tmp_path / "large.png")
    np.savez(tmp_path / "objects.npz", images=np.array([{}], dtype=object))
    assert "pickle" in refuse(capsys, "predict", run, "--input", tmp_path / "objects.npz")
    assert "nothing" in refuse(capsys, "predict", run, "--input", tmp_path / "nothing")
    assert "not a run folder" in refuse(capsys, "predict", tmp_path, "--input", tmp_path)


def test_dry_run_says_what_a_run_would_be_and_writes_nothing(config_file, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    assert main(["train", str(config_file), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "train: 39 images (left: " in printed
    assert "3 epochs of 3 steps" in printed
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("verb", ["evaluate", "report", "tsne", "predict"])
def test_a_dry_run_on_a_run_folder_writes_nothing(run, tmp_path, capsys, verb):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    digits = tmp_path / "digits.npz"
    np.savez(digits, images=np.zeros((2, 8, 8), np.uint8))
    more = ["--input", digits, "--output", tmp_path / "out.csv"] if verb == "predict" else []
    assert main([str(word) for word in (verb, run, "--dry-run", "evaluation.bootstrap=10", *more)]) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("verb", ["evaluate", "report", "tsne", "predict"])
def test_the_configuration_of_a_run_is_printed_with_overrides(run, capsys, verb):
    more = ["--input", "x"] if verb == "predict" else []
    assert main([verb, str(run), "--print-config", "evaluation.bootstrap=7", *more]) == 0
    assert "bootstrap: 7" in capsys.readouterr().out
    assert "did you mean evaluation.bootstrap" in refuse(capsys, verb, run, "evaluation.bootstrop=7", *more)


def test_overrides_may_stand_anywhere(config_file, capsys):
    assert main(["train", "--print-config", str(config_file), "--resume", "training.epochs=5"]) == 0
    assert "epochs: 5" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["train", str(config_file), "--retry"])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["training.epoch=3"], ["training.epoch", "did you mean training.epochs?"]),
        (["training.epochs=x"], ["training.epochs", "integer"]),
        (["data.root=null"], ["data.root is not set"]),
        (["data.root=/no/such/folder"], ["/no/such/folder", "does not exist"]),
        (["data.class_names=[left]"], ["right"]),
        (["data.class_names=[left, right, up]"], ["up"]),
        (["training.batch_size=1"], ["batch_size", "2 classes"]),
        (["loss=CEPlusF2"], ["CEPlusF2", "did you mean CEPlusF1?"]),
        (["loss={name: Focal, gama: 2}"], ["loss.gama", "did you mean loss.gamma?"]),
        (["loss={name: Focal, gamma: -2}"], ["Focal", "gamma must not be negative; received -2"]),
        (["augment=[RandomFlop]"], ["RandomFlop", "did you mean RandomFlip?"]),
        (["augment=[{name: RandomFlip, axes: [2]}]"], ["axes", "0..1"]),
    ],
)
def test_bad_configuration_ends_with_one_sentence_and_no_folder(config_file, tmp_path, capsys, overrides, words):
    sentence = refuse(capsys, "train", config_file, *overrides)
    for word in words:
        assert word in sentence
    assert not (tmp_path / "run").exists()


def spoil_truncated(folder):
    path = folder / "left" / "003.png"
    path.write_bytes(path.read_bytes()[:-40])
    return ["003.png"]


def spoil_text(folder):
    (folder / "left" / "003.png").write_text("no image")
    return ["003.png"]


def spoil_size(folder):
    Image.fromarray(np.zeros((9, 8), "uint8")).save(folder / "right" / "004.png")
    return ["004.png", "image_size"]


def spoil_class(folder):
    for path in sorted((folder / "right").iterdir())[2:]:
        path.unlink()
    return ["right", "2"]


@pytest.mark.parametrize("spoil", [spoil_truncated, spoil_text, spoil_size, spoil_class])
def test_bad_images_end_with_one_sentence_that_names_the_file(config_file, image_folder, tmp_path, capsys, spoil):
    words = spoil(image_folder)
    sentence = refuse(capsys, "train", config_file)
    for word in words:
        assert word in sentence
    assert not (tmp_path / "run" / "predictions.csv").exists()


def write_npz(path, **arrays):
    random = np.random.default_rng(0)
    content = {}
    for split, count in (("train", 30), ("val", 10), ("test", 10)):
        content[f"{split}_images"] = random.uniform(0, 1, (count, 8, 8)).astype("float32")
        content[f"{split}_labels"] = (np.arange(count) % 2)[:, None]
    np.savez(path, **{**content, **arrays})
    return path


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"train_labels": np.array([[{}]] * 30, dtype=object)}, ["pickle"]),
        ({"train_images": np.full((30, 8, 8), np.nan, "float32")}, ["NaN", "data.npz"]),
        ({"train_images": np.full((30, 8, 8), np.inf, "float32")}, ["infinity", "data.npz"]),
        ({"val_images": np.zeros((10, 9, 8), "float32")}, ["(9, 8"]),
        ({"train_labels": np.full((30, 1), -1)}, ["-1"]),
    ],
)
def test_bad_arrays_end_with_one_sentence(config_file, tmp_path, capsys, arrays, words):
    write_npz(tmp_path / "data.npz", **arrays)
    sentence = refuse(capsys, "train", config_file, f"data.root={tmp_path}", "data.index=data.npz")
    for word in words:
        assert word in sentence
    assert not (tmp_path / "run").exists()


def test_label_outside_the_classes_names_file_and_row(config_file, image_folder, tmp_path, capsys):
    index = image_folder / "index.csv"
    index.write_text("path,label\nleft/000.png,left\nright/000.png,wrong\n")
    sentence = refuse(
        capsys, "train", config_file, "data.index=index.csv", "data.class_names=[left, right]", f"output={tmp_path}/run"
    )
    assert "index.csv" in sentence
    assert "wrong" in sentence
    assert "3" in sentence


def test_interrupt_ends_cleanly_and_resume_continues(config_file, tmp_path):
    command = [sys.executable, "-m", "imbclf", "train", str(config_file), "training.epochs=200"]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    history = tmp_path / "run" / "history.csv"
    while process.poll() is None and not (history.exists() and len(history.read_text().splitlines()) > 2):
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert "Stopped. Epoch" in error
    assert "Continue with --resume." in error
    record = json.loads((tmp_path / "run" / "training.json").read_text())
    assert record["stopped"] == "interrupted"
    assert record["epochs_run"] == len(history.read_text().splitlines()) - 1
    assert (tmp_path / "run" / "last.keras").is_file()
