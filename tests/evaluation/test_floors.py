import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from imbclf.errors import InputError
from imbclf.evaluation.floors import floors
from imbclf.evaluation.scores import scores

# The package exports the function under the module's name, so the module is asked for by its full name.
MODULE = importlib.import_module("imbclf.evaluation.floors")


def blobs(n=90, shape=(6, 6, 2), seed=0):
    """Images of three classes (half, a third, a sixth of them) whose mean image differs."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], [n // 2, n // 3, n // 6])
    means = rng.normal(size=(3, *shape))
    return (means[y] + rng.normal(size=(n, *shape))).astype(np.float32), y


class Rows:
    """Images that can only be read by integer arrays, as from files."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        assert isinstance(index, np.ndarray)
        return self.x[index]


def test_majority_gives_the_training_frequencies_to_every_image():
    x, y = blobs()
    majority = floors(x, y, x[:4], num_classes=4)["majority"]
    np.testing.assert_allclose(majority, np.tile([1 / 2, 1 / 3, 1 / 6, 0], (4, 1)))


def test_linear_floor_is_scaler_components_and_balanced_regression_of_scikit_learn():
    x, y = blobs()
    x_test, _ = blobs(seed=1)
    pipeline = make_pipeline(
        StandardScaler(),
        PCA(72, svd_solver="randomized", random_state=0),
        LogisticRegression(C=0.01, class_weight="balanced", max_iter=5000),
    )
    expected = pipeline.fit(x.reshape(90, -1), y).predict_proba(x_test.reshape(90, -1))
    np.testing.assert_allclose(floors(x, y, x_test, 3)["pca_logistic"], expected, atol=1e-4)


def test_linear_floor_finds_classes_that_differ_in_their_mean():
    x, y = blobs(n=180)
    ours = floors(x[::2], y[::2], x[1::2], 3)
    assert scores(y[1::2], ours["pca_logistic"])["balanced_accuracy"] > 0.95
    assert scores(y[1::2], ours["majority"])["balanced_accuracy"] == pytest.approx(1 / 3)


def test_arrays_rows_and_iterables_give_the_same_floors(monkeypatch):
    x, y = blobs()
    monkeypatch.setattr(MODULE, "BLOCK_VALUES", 7 * x[0].size)
    expected = floors(x, y, x, 3)["pca_logistic"]
    np.testing.assert_allclose(floors(Rows(x), y, Rows(x), 3)["pca_logistic"], expected, atol=1e-5)
    np.testing.assert_allclose(floors(iter([x[:50], x[50:]]), y, iter([x]), 3)["pca_logistic"], expected, atol=1e-5)


def test_bytes_and_fractions_of_255_give_the_same_floors():
    x, y = blobs()
    x = np.clip(40 * x + 128, 0, 255).astype(np.uint8)
    as_bytes, as_fractions = floors(x, y, x, 3), floors(x / 255, y, x / 255, 3)
    np.testing.assert_allclose(as_bytes["pca_logistic"], as_fractions["pca_logistic"], atol=1e-4)


def test_images_too_large_for_memory_are_averaged_over_blocks(monkeypatch):
    x, y = blobs(shape=(7, 6, 2))
    means = x[:, :6].reshape(90, 3, 2, 3, 2, 2).mean(axis=(2, 4))
    expected = floors(means, y, means, 3)["pca_logistic"]
    monkeypatch.setattr(MODULE, "LARGEST_MATRIX", 90 * 20)
    np.testing.assert_allclose(floors(x, y, x, 3)["pca_logistic"], expected, atol=1e-5)


def test_test_images_of_another_shape_are_refused():
    x, y = blobs()
    with pytest.raises(InputError, match=r"got \(5, 6, 2\)"):
        floors(x, y, x[:, 1:], 3)


def test_averaging_ends_at_one_value_per_channel(monkeypatch):
    x, y = blobs()
    monkeypatch.setattr(MODULE, "LARGEST_MATRIX", 1)
    means = x.mean(axis=(1, 2))
    expected = floors(means, y, means, 3)["pca_logistic"]
    np.testing.assert_allclose(floors(x, y, x, 3)["pca_logistic"], expected, atol=1e-4)


def test_class_without_a_training_image_has_probability_zero():
    x, y = blobs()
    ours = floors(x[y != 1], y[y != 1], x, 3)["pca_logistic"]
    assert (ours[:, 1] == 0).all()
    np.testing.assert_allclose(ours.sum(axis=1), 1)


def test_one_training_class_is_certain():
    x, _ = blobs()
    np.testing.assert_array_equal(floors(x, np.ones(90, int), x[:2], 3)["pca_logistic"], [[0, 1, 0], [0, 1, 0]])


def test_images_without_any_difference_get_the_same_probabilities():
    x = np.zeros((6, 3, 3, 1))
    ours = floors(x, [0, 0, 0, 0, 1, 1], x[:2], 2)["pca_logistic"]
    np.testing.assert_allclose(ours, 0.5, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, y[:-1]), "got 90 images and 89 labels"),
        (lambda x, y: (x[:-1], y), "got 89 images and 90 labels"),
        (lambda x, y: (x, y + 1), "0..2"),
        (lambda x, y: (x[:0], y[:0]), "got 0 labels"),
        (lambda x, y: (np.where(x > 2, np.nan, x), y), "NaN"),
    ],
)
def test_training_sets_that_cannot_be_used_are_refused(change, message):
    x, y = blobs()
    with pytest.raises(InputError, match=message):
        floors(*change(x, y), x, 3)


@pytest.mark.skipif("IMBCLF_DATA" not in os.environ, reason="IMBCLF_DATA does not name the folder of the real images")
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("retinamnist", (0.455, 0.358, 0.345, 0.282, 0.731)),
        ("adrenalmnist3d", (0.735, 0.711, 0.676, 0.375, 0.766)),
    ],
)
def test_linear_floor_has_the_scores_measured_before_on_real_images(file, expected):
    with np.load(Path(os.environ["IMBCLF_DATA"]) / "medmnist" / f"{file}.npz") as data:
        x, x_test = (
            data[f"{split}_images"].reshape(len(data[f"{split}_images"]), 28, 28, -1) for split in ("train", "test")
        )
        y, y_test = data["train_labels"].ravel(), data["test_labels"].ravel()
    ours = scores(y_test, floors(x, y, x_test, y.max() + 1)["pca_logistic"])
    names = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "macro_auc")
    np.testing.assert_allclose([ours[name] for name in names], expected, atol=0.006)
