import numpy as np
import pytest

from imbclf.data import Dataset, ImageArray, ImageFiles
from imbclf.data.array_files import ArrayFiles
from imbclf.data.windows import Windows
from imbclf.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 9, 6, 1)).astype(np.uint8)


def as_array(folder):
    return ImageArray(PIXELS)


def as_arrays(folder):
    for number, pixels in enumerate(PIXELS):
        np.save(folder / f"{number}.npy", pixels)
    return ArrayFiles([f"{number}.npy" for number in range(len(PIXELS))], folder)


def as_images(folder):
    from PIL import Image

    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels[..., 0]).save(folder / f"{number}.png")
    return ImageFiles([f"{number}.png" for number in range(len(PIXELS))], folder)


@pytest.fixture(params=[as_array, as_arrays, as_images])
def images(request, tmp_path):
    return request.param(tmp_path)


def test_the_window_in_the_middle_is_given(images):
    windows = Windows(images, (4, 3))
    assert windows.shape == (4, 4, 3, 1)
    given = windows[np.array([3, 0])]
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, PIXELS[[3, 0], 2:6, 1:4] / 255, rtol=1e-6)
    np.testing.assert_array_equal(windows[1], windows[np.array([1])][0])
    assert windows[np.array([], int)].shape == (0, 4, 3, 1)


def test_a_window_of_the_whole_image_is_the_image(images):
    whole = Windows(images, (9, 6))
    np.testing.assert_array_equal(whole[np.arange(4)], images[np.arange(4)])
    np.testing.assert_array_equal(whole.random(np.arange(4), np.random.default_rng(0)), images[np.arange(4)])


def test_every_place_is_drawn_equally_often(images):
    windows = Windows(images, (8, 5))
    drawn = windows.random(np.zeros(800, int), np.random.default_rng(0))
    places = [PIXELS[0, x : x + 8, y : y + 5] / 255 for x in range(2) for y in range(2)]
    counts = [sum(np.allclose(window, place, rtol=1e-6) for window in drawn) for place in places]
    assert sum(counts) == 800
    # Binomial with n = 800, p = 1/4: four standard deviations are 49.
    assert np.abs(np.array(counts) - 200).max() < 49


def test_a_draw_depends_on_the_generator_alone_whatever_holds_the_images(images, tmp_path):
    rows = np.array([0, 3, 3, 1])
    drawn, again, other = (
        Windows(source, 3).random(rows, np.random.default_rng(seed))
        for source, seed in ((images, 5), (ImageArray(PIXELS), 5), (images, 6))
    )
    np.testing.assert_allclose(drawn, again, rtol=1e-6)
    assert (drawn != other).any()
    assert (drawn[1] != drawn[2]).any()


def test_a_selection_shows_windows_of_the_selected_images(images):
    windows = Windows(images, 3)
    np.testing.assert_array_equal(windows.select(np.array([2]))[np.array([0])], windows[np.array([2])])
    assert len(windows) == 4


def test_fingerprints_are_those_of_the_whole_images(images):
    assert Windows(images, 3).fingerprints() == images.fingerprints()


def test_arrays_are_read_no_further_than_the_window(tmp_path):
    array = np.full((6, 6, 1), np.nan, np.float16)
    array[2:4, 2:4] = 0.5
    np.save(tmp_path / "a.npy", array)
    images = ArrayFiles(["a.npy"], tmp_path)
    images.__class__ = type("NeverWhole", (ArrayFiles,), {"__getitem__": lambda self, index: pytest.fail("read whole")})
    np.testing.assert_array_equal(Windows(images, 2)[np.array([0])], np.full((1, 2, 2, 1), 0.5))


def test_a_data_set_of_windows_is_one_of_their_shape():
    dataset = Dataset(Windows(ImageArray(PIXELS), 4), np.array([0, 1, 0, 1]), ("a", "b"), np.arange(4), [""] * 4)
    assert dataset.image_shape == (4, 4, 1)
    assert dataset.select(dataset.y == 1).images.shape == (2, 4, 4, 1)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (10, r"A window of 10 x 10 does not fit into images of 9 x 6"),
        ((9, 7), r"A window of 9 x 7 does not fit into images of 9 x 6"),
        (0, "whole sizes from 1 on, not 0"),
        (True, "whole sizes from 1 on"),
        (2.5, "whole sizes from 1 on"),
        ((3, 3, 3), r"one size or 2 of them, not \(3, 3, 3\)"),
    ],
)
def test_sizes_that_cannot_be_are_refused(size, message):
    with pytest.raises(InputError, match=message):
        Windows(ImageArray(PIXELS), size)
