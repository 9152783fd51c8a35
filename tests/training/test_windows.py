"""Training on windows of prepared arrays: from `index.csv` to the predictions."""

import csv
import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from imbclf.data.preparation.prepare import prepare
from imbclf.data.preparation.subject import Subject
from imbclf.errors import InputError
from imbclf.training import load_config, predict_files, train
from imbclf.training.classification import build_batches, build_dataset


@dataclass(frozen=True)
class Grey:
    name: ClassVar[str] = "grey"
    version: ClassVar[int] = 1

    def __call__(self, subject):
        return np.asarray(Image.open(subject.files["image"]))[..., np.newaxis]


@pytest.fixture
def prepared(image_folder, tmp_path):
    files = sorted(image_folder.rglob("*.png"))
    subjects = [Subject(f"{file.parent.name}-{file.stem}", {"image": file}, file.parent.name) for file in files]
    prepare(subjects, Grey(), tmp_path / "prepared", ("left", "right"), stream=io.StringIO())
    return tmp_path / "prepared"


def test_windows_of_prepared_arrays_are_trained_on_and_predicted_alike(config_file, prepared):
    overrides = [f"data.root={prepared}", "data.index=index.csv", "data.window=[6, 7]", "training.epochs=1"]
    config = load_config(config_file, [*overrides, "evaluation.floors=false"])
    run = train(config)
    ids, probabilities, _ = predict_files(run.path, prepared / "index.csv")
    with open(run / "predictions.csv", newline="") as lines:
        recorded = {row["id"]: float(row["right"]) for row in csv.DictReader(lines)}
    assert run.load_chosen(config).input_shape == (None, 6, 7, 1)
    np.testing.assert_allclose(probabilities[:, 1], [recorded[name] for name in ids], atol=1e-5)


def test_training_draws_windows_and_validation_shows_the_middle(config_file):
    config = load_config(config_file, ["data.window=4"])
    dataset = build_dataset(config)
    batches, validation = build_batches(config, dataset)
    assert dataset.image_shape == (4, 4, 1)
    assert (batches.draws_at_random, validation.draws_at_random) == (True, False)
    middle = dataset.select(dataset.indices("val")).images[np.arange(len(dataset.indices("val")))]
    shown = np.concatenate([validation.batch(7, index)[0] for index in range(len(validation))])
    np.testing.assert_array_equal(shown, middle)


def test_a_window_larger_than_the_images_is_refused(config_file):
    with pytest.raises(InputError, match="A window of 9 x 9 does not fit into images of 8 x 8"):
        build_dataset(load_config(config_file, ["data.window=9"]))
