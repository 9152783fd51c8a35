"""Contrast, blur and noise beside scikit-image and scipy on the same draws."""

import itertools

import keras
import numpy as np
import pytest
from scipy import ndimage
from skimage.exposure import adjust_sigmoid
from skimage.util import random_noise

from imbclf.augment import RandomContrast, RandomGamma, RandomGaussianBlur, RandomNoise
from imbclf.augment.random_gaussian_blur import mirrored_distances
from tests.backend import to_numpy

SHAPES = [(5, 12, 9, 3), (3, 7, 6, 9, 2)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=["2d", "3d"])


def images(shape, low=0.0, high=1.0):
    return np.random.default_rng(0).uniform(low, high, shape).astype("float32")


def changed(layer, x, seed=4):
    """The images as a layer changes them by the draws of a NumPy generator, in float64."""
    return to_numpy(layer.transform_pair(x, random=np.random.default_rng(seed))[0])


def draws(low, high, count, seed=4):
    """What the first draw of `changed` is for each image."""
    return np.random.default_rng(seed).uniform(low, high, count).astype("float32")


@every_shape
def test_contrast_equals_scikit_image(shape):
    x = images(shape)
    ours = changed(RandomContrast((5, 10), cutoff=0.4, probability=1.0), x)
    for image, gain in enumerate(draws(5, 10, len(x))):
        np.testing.assert_allclose(ours[image], adjust_sigmoid(x[image], cutoff=0.4, gain=float(gain)), rtol=1e-5)


@pytest.mark.parametrize("value_range", [(-2.0, 3.0), "image"])
def test_contrast_in_another_range_is_contrast_of_the_share_in_it(value_range):
    x = images((2, 5, 6, 2), -2, 3)
    start = x.min((1, 2), keepdims=True) if value_range == "image" else -2.0
    width = (x.max((1, 2), keepdims=True) if value_range == "image" else 3.0) - start
    ours = changed(RandomContrast((7, 7), probability=1.0, value_range=value_range), x)
    np.testing.assert_allclose(ours, start + width * adjust_sigmoid((x - start) / width, gain=7), atol=1e-5)


@pytest.mark.parametrize("make", [RandomGamma, RandomContrast])
def test_curves_keep_the_order_of_intensities_and_the_range(make):
    x = np.sort(images((1, 1, 200, 1), -1.5, 4.0), axis=2)
    for value_range, low, high in [((-1.5, 4.0), -1.5, 4.0), ("image", x.min(), x.max())]:
        ours = changed(make(probability=1.0, value_range=value_range), x).ravel()
        assert (np.diff(ours) >= 0).all()
        assert ours[0] >= low - 1e-6
        assert ours[-1] <= high + 1e-6


def test_contrast_by_the_range_of_a_constant_image_leaves_it():
    x = np.full((1, 3, 4, 1), -0.7, np.float32)
    np.testing.assert_array_equal(changed(RandomContrast(probability=1.0, value_range="image"), x), x)


@pytest.mark.parametrize("sigma", [(0.0, 1.5), (0.0, 0.3), (1.0, 4.0)])
@every_shape
def test_blur_equals_scipy_up_to_the_border(shape, sigma):
    """A standard deviation of 4 reaches 16 voxels, beyond the mirror image of the far border of every side here."""
    x = images(shape)
    ours = changed(RandomGaussianBlur(sigma, probability=1.0), x)
    for image, width in enumerate(draws(*sigma, len(x))):
        theirs = ndimage.gaussian_filter(x[image].astype("float64"), (float(width),) * (x.ndim - 2) + (0,))
        np.testing.assert_allclose(ours[image], theirs, atol=2e-6)


def test_blur_of_no_width_is_the_identity():
    x = images(SHAPES[0])
    np.testing.assert_array_equal(changed(RandomGaussianBlur((0, 0), probability=1.0), x), x)


def test_blur_keeps_the_mean_and_z_scores():
    x = images((2, 30, 30, 1), -3, 3)
    ours = changed(RandomGaussianBlur((1.5, 1.5), probability=1.0), x)
    np.testing.assert_allclose(ours.mean((1, 2)), x.mean((1, 2), dtype="float64"), atol=1e-6)
    assert ours.min() < -0.5
    assert ours.std() < 0.3 * x.std()


def test_channels_are_not_blurred_into_each_other():
    x = images((2, 6, 7, 3))
    x[..., 1] = 0
    ours = changed(RandomGaussianBlur((1, 1), probability=1.0), x)
    assert (ours[..., 1] == 0).all()
    assert (ours[..., 0] != ours[..., 2]).all()


@pytest.mark.parametrize(("size", "reach"), [(1, 0), (1, 3), (2, 9), (5, 2), (5, 5), (7, 20)])
def test_voxels_within_reach_are_those_of_the_mirrored_line(size, reach):
    """Each offset leads to one voxel, that of a line padded by NumPy with its mirror image."""
    distances = mirrored_distances(size, reach)
    padded = np.pad(np.arange(size), reach, mode="symmetric")
    for place in range(size):
        counted = np.zeros((size, reach + 1), int)
        for offset in range(-reach, reach + 1):
            counted[padded[place + offset + reach], abs(offset)] += 1
        for voxel, distance in itertools.product(range(size), range(reach + 1)):
            assert (distances[:, place, voxel] == distance).sum() == counted[voxel, distance]


@pytest.mark.parametrize("value_range", [(0.0, 1.0), None])
@every_shape
def test_noise_equals_scikit_image(shape, value_range):
    x = images(shape) if value_range else images(shape, -2, 2)
    ours = changed(RandomNoise((0.1, 0.3), probability=1.0, value_range=value_range), x)
    random = np.random.default_rng(4)
    std = random.uniform(0.1, 0.3, (len(x), *[1] * (x.ndim - 1)))
    # All images of the batch at once, with one standard deviation for each voxel.
    variances = std**2 * np.ones(shape)
    theirs = random_noise(
        x.astype("float64"), "localvar", rng=random, local_vars=variances, clip=value_range is not None
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_noise_clips_to_the_range_and_z_scores_not_at_all():
    x = np.zeros((1, 50, 50, 1), np.float32)
    assert changed(RandomNoise((1, 1), probability=1.0), x).min() == 0
    assert changed(RandomNoise((1, 1), probability=1.0, value_range=(-0.5, 2)), x).min() == -0.5
    free = changed(RandomNoise((1, 1), probability=1.0, value_range=None), x)
    assert free.min() < -2
    assert abs(free.std() - 1) < 4 / np.sqrt(2 * x.size)


def test_noise_differs_between_voxels_channels_and_images():
    ours = to_numpy(
        RandomNoise((1, 1), probability=1.0, seed=0, value_range=None)(np.zeros((3, 4, 4, 2)), training=True)
    )
    assert len(np.unique(ours)) == ours.size


@pytest.mark.parametrize("make", [RandomContrast, RandomNoise])
def test_a_layer_is_saved_with_its_range(make):
    word = {"value_range": "image" if make is RandomContrast else None}
    for value_range in (word["value_range"], (-1, 1)):
        layer = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(make(value_range=value_range))
        )
        assert layer.value_range == ([-1.0, 1.0] if value_range == (-1, 1) else value_range)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomContrast((0, 5)), "gain must be"),
        (lambda: RandomContrast(5), "gain must be .*received 5"),
        (lambda: RandomContrast(value_range=(1, 1)), "value_range"),
        (lambda: RandomGaussianBlur((-1, 1)), "sigma must be"),
        (lambda: RandomGaussianBlur((2, 1)), "sigma must be"),
        (lambda: RandomGaussianBlur(("a", 1)), "sigma must be"),
        (lambda: RandomNoise((0, float("nan"))), "std must be"),
        (lambda: RandomNoise(value_range="image"), "value_range must be .* or None"),
    ],
)
def test_impossible_arguments_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
