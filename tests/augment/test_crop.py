"""Windows that are cut out of images, and the labels that belong to them."""

import keras
import numpy as np
import pytest

from imbclf.augment import RandomCrop
from tests.backend import to_numpy

SHAPES = [((4, 9, 7, 2), (5, 4)), ((3, 6, 8, 5, 1), (4, 3, 5))]
every_shape = pytest.mark.parametrize(("shape", "size"), SHAPES, ids=["2d", "3d"])


def numbered(shape):
    """Images of which no two voxels are alike."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def window(image, start, size):
    return image[tuple(slice(first, first + side) for first, side in zip(start, size))]


@every_shape
def test_windows_are_those_of_numpy_on_the_same_draws(shape, size):
    x = numbered(shape)
    labels = x[..., 0].astype(np.int32)
    ours, [moved] = RandomCrop(size, probability=0.6).transform_pair(x, labels, random=np.random.default_rng(1))
    random = np.random.default_rng(1)
    slack = np.array(shape[1:-1]) - size
    starts = np.stack([np.floor(random.uniform(0, n + 1, len(x))) for n in slack], axis=1).astype(int)
    starts[random.uniform(0, 1, len(x)) >= 0.6] = slack // 2
    assert moved.shape == (len(x), *size)
    for image in range(len(x)):
        np.testing.assert_array_equal(to_numpy(ours)[image], window(x[image], starts[image], size))
        np.testing.assert_array_equal(to_numpy(moved)[image], window(labels[image], starts[image], size))


@every_shape
def test_outside_training_it_is_the_window_in_the_middle(shape, size):
    x = numbered(shape)
    middle = [(side - length) // 2 for side, length in zip(shape[1:-1], size)]
    expected = np.stack([window(image, middle, size) for image in x])
    np.testing.assert_array_equal(to_numpy(RandomCrop(size, probability=1.0)(x)), expected)
    np.testing.assert_array_equal(to_numpy(RandomCrop(size, probability=0.0)(x, training=True)), expected)


def test_every_window_comes_up_equally_often():
    x = np.repeat(numbered((1, 5, 4, 1)), 1200, axis=0)
    ours = to_numpy(RandomCrop((3, 2), probability=1.0, seed=0)(x, training=True))
    starts, counts = np.unique(ours[:, 0, 0, 0], return_counts=True)
    assert starts.tolist() == [4 * row + column for row in range(3) for column in range(3)]
    share = 1 / 9
    assert (np.abs(counts / 1200 - share) < 4 * np.sqrt(share * (1 - share) / 1200)).all()


def test_probability_is_that_of_a_random_window():
    x = np.repeat(numbered((1, 101, 1, 1)), 800, axis=0)
    first = to_numpy(RandomCrop((1, 1), probability=0.3, seed=0)(x, training=True)).ravel()
    expected = 0.3 * 100 / 101
    assert abs((first != 50).mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / 800)


def test_a_window_of_the_whole_image_is_the_image():
    x = numbered((2, 4, 4, 1))
    np.testing.assert_array_equal(to_numpy(RandomCrop(4, probability=1.0)(x, training=True)), x)


@pytest.mark.parametrize("training", [True, False])
@every_shape
def test_the_shape_that_is_announced_comes_out(shape, size, training):
    layer = RandomCrop(size)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *size, shape[-1])
    assert layer(keras.Input(shape[1:])).shape == (None, *size, shape[-1])
    assert tuple(layer(numbered(shape), training=training).shape) == (shape[0], *size, shape[-1])


@pytest.mark.parametrize("size", [3, [3, 4]])
def test_size_is_saved_as_it_was_given(size):
    assert RandomCrop.from_config(RandomCrop(size).get_config()).size == size
    assert RandomCrop(np.int64(3)).get_config()["size"] == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomCrop(0), "size must be a positive whole number"),
        (lambda: RandomCrop(2.5), "size must be a positive whole number"),
        (lambda: RandomCrop([]), "size must be a positive whole number"),
        (lambda: RandomCrop([3, True]), "size must be a positive whole number"),
        (lambda: RandomCrop(9)(np.zeros((1, 8, 9, 1))), r"larger than the images, whose sides are \(8, 9\)"),
        (lambda: RandomCrop(9).transform_pair(np.zeros((1, 8, 9, 1))), "larger than the images"),
        (lambda: RandomCrop([2, 2, 2])(np.zeros((1, 8, 9, 1))), "one number or 2 for 2D images"),
        (lambda: RandomCrop(2).compute_output_shape((None, None, 9, 1)), r"\(None, 9\)"),
    ],
)
def test_impossible_sizes_are_refused_with_both_sizes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
