import numpy as np
import pytest

from imbclf.data import Dataset, ImageArray
from imbclf.errors import InputError


def small(**changes):
    fields = {
        "images": ImageArray(np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1) * 50),
        "y": [0, 1, 0, 2],
        "class_names": ("a", "b", "c"),
        "ids": ["p", "q", "r", "s"],
        "split": ["train", "train", "val", "test"],
        "patients": ["1", "1", "2", "3"],
    }
    return Dataset(**(fields | changes))


def test_splits_and_counts_are_those_of_the_columns():
    dataset = small()
    assert dataset.indices("train").tolist() == [0, 1]
    assert dataset.counts("train").tolist() == [1, 1, 0]
    assert dataset.counts().tolist() == [2, 1, 1]
    assert dataset.num_classes == 3
    assert dataset.image_shape == (1, 1, 1)
    assert dataset.y.dtype == np.int64


@pytest.mark.parametrize("mask", [np.array([False, True, False, True]), [1, 3]])
def test_a_selection_keeps_every_column_of_its_samples(mask):
    selected = small().select(mask)
    assert selected.ids.tolist() == ["q", "s"]
    assert selected.y.tolist() == [1, 2]
    assert selected.split.tolist() == ["train", "test"]
    assert selected.patients.tolist() == ["1", "3"]
    assert selected.sites is None
    np.testing.assert_allclose(selected.images[np.array([0, 1])].ravel(), [50 / 255, 150 / 255], rtol=1e-6)
    assert selected.select([1]).images[np.array([0])].item() == pytest.approx(150 / 255)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": [0, 1, 0]}, "4 images, but y has shape"),
        ({"y": [0.0, 1.0, 0.0, 2.0]}, "one integer per sample"),
        ({"y": [0, 1, 0, 3]}, "Sample s has label 3, but there are 3 classes"),
        ({"y": [0, -1, 0, 2]}, "Sample q has label -1"),
        ({"ids": ["p", "q", "p", "s"]}, "but p comes more than once"),
        ({"split": ["train", "train", "valid", "test"]}, "Sample r is in split 'valid'"),
        ({"class_names": ("a", "b", "a")}, "Class names must differ"),
        ({"patients": ["1"]}, "patients has shape"),
    ],
)
def test_columns_that_do_not_fit_are_an_error(changes, message):
    with pytest.raises(InputError, match=message):
        small(**changes)


def test_unknown_splits_and_masks_of_another_length_are_errors():
    with pytest.raises(InputError, match="not 'training'"):
        small().indices("training")
    with pytest.raises(InputError, match="The mask must have shape"):
        small().select([True, False])
