import numpy as np
import pytest

from imbclf.data import ImageArray
from imbclf.errors import InputError


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("uint8", 200, 200 / 255),
        ("uint16", 200, 200 / 65535),
        ("uint16", 65535, 1.0),
        ("uint8", 1, 1.0),
        ("bool", 1, 1.0),
        ("float64", 0.25, 0.25),
        ("float16", 0.25, 0.25),
    ],
)
def test_values_are_divided_by_the_full_range_of_their_type(dtype, value, expected):
    images = ImageArray(np.full((2, 3, 4, 1), value, dtype))
    batch = images[np.array([1])]
    assert batch.dtype == np.float32
    assert batch.shape == (1, 3, 4, 1)
    np.testing.assert_allclose(batch, expected, rtol=1e-7)


def test_every_8_bit_value_keeps_its_exact_place():
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(
        ImageArray(values)[np.array([0])].ravel(), np.arange(256, dtype=np.float32) / np.float32(255)
    )


def test_volumes_are_images_too():
    assert ImageArray(np.zeros((2, 3, 4, 5, 1), np.uint8)).shape == (2, 3, 4, 5, 1)


def test_fingerprints_are_equal_exactly_where_pixels_are():
    pixels = np.zeros((3, 2, 2, 1), np.uint8)
    pixels[2, 0, 0] = 7
    first, second, third = ImageArray(pixels).fingerprints()
    assert first == second != third


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 4), np.complex64)[..., np.newaxis], "but scans.npy is complex64"),
        (np.zeros((2, 3, 4, 1), np.int32), "but scans.npy is int32"),
        (np.zeros((2, 3), np.uint8), r"scans.npy has shape \(2, 3\)"),
        (np.zeros((0, 3, 3, 1), np.uint8), r"scans.npy has shape \(0, 3, 3, 1\)"),
        (np.array([0.5, np.nan]).reshape(2, 1, 1, 1), "sample 1 of scans.npy holds NaN or infinity"),
        (np.array([np.inf, 0.5]).reshape(2, 1, 1, 1), "sample 0 of scans.npy holds NaN or infinity"),
        (np.array([0.5, 200.0]).reshape(2, 1, 1, 1), "sample 1 of scans.npy holds values from 200 to 200"),
    ],
)
def test_arrays_that_are_no_images_are_an_error(array, message):
    with pytest.raises(InputError, match=message):
        ImageArray(array, name="scans.npy")
