"""Images, labels and weights that are changed together."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from scipy import ndimage

from imbclf.augment import RandomAffine, RandomFlip, RandomGamma
from tests.augment.layers import every_layer
from tests.backend import to_numpy

SHAPES = [(3, 8, 9, 2), (2, 5, 6, 7, 1)]

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=["2d", "3d"])


def pair(shape, seed=0):
    """Images in [0, 1], labels of which 255 does not count, and weights of 0 and 1."""
    random = np.random.default_rng(seed)
    labels = random.choice([0, 1, 2, 255], shape[:-1]).astype(np.int32)
    return random.uniform(0, 1, shape).astype(np.float32), labels, (random.random(shape[:-1]) < 0.7).astype(np.float32)


@every_layer
@every_shape
def test_images_are_those_of_a_call_with_the_same_draws(make, shape):
    images, labels, _ = pair(shape)
    changed, _ = make(probability=0.6, seed=3).transform_pair(images, labels)
    np.testing.assert_array_equal(to_numpy(changed), to_numpy(make(probability=0.6, seed=3)(images, training=True)))


@every_layer
@every_shape
def test_labels_and_weights_keep_their_type_and_get_no_new_value(make, shape):
    images, labels, weights = pair(shape)
    _, (moved, moved_weights) = make(probability=1.0).transform_pair(images, labels, weights)
    assert keras.backend.standardize_dtype(moved.dtype) == "int32"
    assert keras.backend.standardize_dtype(moved_weights.dtype) == "float32"
    assert set(np.unique(to_numpy(moved))) <= {0, 1, 2, 255}
    assert set(np.unique(to_numpy(moved_weights))) <= {0, 1}


@every_shape
def test_flips_of_images_labels_and_weights_are_those_of_numpy(shape):
    images, labels, weights = pair(shape)
    for axes in [[axis] for axis in range(len(shape) - 2)] + [list(range(len(shape) - 2))]:
        changed, maps = RandomFlip(axes=axes, probability=1.0).transform_pair(images, labels, weights)
        for after, before in zip([changed, *maps], [images, labels, weights]):
            np.testing.assert_array_equal(to_numpy(after), np.flip(before, [axis + 1 for axis in axes]))


@every_shape
def test_a_flip_that_takes_effect_takes_effect_on_all(shape):
    positions = np.arange(np.prod(shape[1:-1])).reshape(1, *shape[1:-1])
    labels = np.repeat(positions, 100, axis=0).astype(np.int32)
    images, [moved] = RandomFlip(probability=0.5, seed=1).transform_pair(labels[..., np.newaxis], labels)
    np.testing.assert_array_equal(to_numpy(images)[..., 0], to_numpy(moved))
    assert len(np.unique(to_numpy(moved).reshape(100, -1), axis=0)) == 2 ** (len(shape) - 2)


def affine(rank, space, share):
    """Matrix and offset for scipy of 30 degrees in each plane, scale 0.7 to 1.4 and shift 0.2, at a share of each."""
    matrix = np.eye(rank)
    angle = np.radians(30) * (2 * share - 1)
    for first, second in itertools.combinations(range(rank), 2):
        turn = np.eye(rank)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    matrix = matrix / (0.7 + 0.7 * share)
    middle = (space - 1) / 2
    return matrix, middle - matrix @ middle + 0.2 * (2 * share - 1) * space


@every_shape
def test_affine_of_labels_is_the_nearest_neighbour_and_of_images_the_interpolation_of_scipy(shape):
    images, labels, weights = pair(shape)
    rank, space = len(shape) - 2, np.array(shape[1:-1])
    shares = np.linspace(0.13, 0.91, shape[0])
    layer = RandomAffine(rotation=30, scale=(0.7, 1.4), shift=0.2, probability=1.0)
    # Every draw is the same share of its range, one share per image.
    layer.draw = lambda _, low, high: (low + (high - low) * shares.reshape(-1, *[1] * (rank + 1))).astype("float32")
    tensors = [keras.ops.convert_to_tensor(array) for array in (labels, weights)]
    changed, moved = layer.transform_with(keras.ops.convert_to_tensor(images), tensors)
    for image, share in enumerate(shares):
        matrix, offset = affine(rank, space, share)
        for channel in range(shape[-1]):
            theirs = ndimage.affine_transform(images[image, ..., channel], matrix, offset, order=1, mode="nearest")
            np.testing.assert_allclose(to_numpy(changed)[image, ..., channel], theirs, atol=1e-5)
        grid = np.stack(np.meshgrid(*map(np.arange, space), indexing="ij"), axis=-1)
        places = np.clip(grid @ matrix.T + offset, 0, space - 1)
        # Halfway between two voxels rounding decides, which differs between float32 and float64.
        is_clear = (np.abs(places - np.floor(places) - 0.5) > 1e-4).all(axis=-1)
        assert is_clear.mean() > 0.9
        for after, before in zip(moved, (labels, weights)):
            theirs = ndimage.affine_transform(before[image], matrix, offset, order=0, mode="nearest")
            np.testing.assert_array_equal(to_numpy(after)[image][is_clear], theirs[is_clear])


@every_shape
def test_gamma_leaves_labels_and_weights_alone(shape):
    images, labels, weights = pair(shape)
    changed, maps = RandomGamma((2.0, 2.0), probability=1.0).transform_pair(images, labels, weights)
    np.testing.assert_allclose(to_numpy(changed), images**2, rtol=1e-5)
    for after, before in zip(maps, (labels, weights)):
        np.testing.assert_array_equal(to_numpy(after), before)


@pytest.mark.parametrize(("value_range", "low", "high"), [((-2.0, 3.0), -2.0, 3.0), ("image", None, None)])
def test_gamma_in_another_range_is_gamma_of_the_share_in_it(value_range, low, high):
    images = np.random.default_rng(0).uniform(-2, 3, (2, 5, 6, 2)).astype(np.float32)
    start = images.min((1, 2), keepdims=True) if low is None else low
    width = (images.max((1, 2), keepdims=True) if high is None else high) - start
    changed = RandomGamma((1.4, 1.4), probability=1.0, value_range=value_range)(images, training=True)
    np.testing.assert_allclose(to_numpy(changed), start + width * ((images - start) / width) ** 1.4, atol=1e-5)


def test_gamma_by_the_range_of_a_constant_image_leaves_it():
    images = np.full((1, 3, 4, 1), -0.7, np.float32)
    changed = RandomGamma(probability=1.0, value_range="image")(images, training=True)
    np.testing.assert_array_equal(to_numpy(changed), images.astype(np.float64))


def test_a_gamma_layer_is_saved_with_its_range():
    layer = RandomGamma(value_range="image")
    assert RandomGamma.from_config(layer.get_config()).value_range == "image"
    assert RandomGamma.from_config(RandomGamma(value_range=(-1, 1)).get_config()).value_range == [-1.0, 1.0]


@every_layer
@every_shape
def test_draws_are_a_function_of_the_generator_alone(make, shape):
    images, labels, _ = pair(shape)
    shared = make(probability=0.5, seed=1)
    shared(images, training=True)

    def changed(layer, seed):
        x, [y] = layer.transform_pair(images, labels, random=np.random.default_rng(seed))
        return to_numpy(x), to_numpy(y)

    expected = [changed(make(probability=0.5, seed=2), seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as threads:
        received = list(threads.map(lambda seed: changed(shared, seed), range(12)))
    for ours, theirs in zip(received, expected):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
    assert any((one[0] != expected[0][0]).any() for one in expected[1:])


@every_layer
def test_a_generator_that_was_given_is_not_kept(make):
    images, labels, _ = pair(SHAPES[0])
    layer, untouched = make(probability=0.5, seed=1), make(probability=0.5, seed=1)
    layer.transform_pair(images, labels, random=np.random.default_rng(0))
    np.testing.assert_array_equal(to_numpy(layer(images, training=True)), to_numpy(untouched(images, training=True)))


def test_about_the_given_share_of_pairs_changes():
    images = np.tile(np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1), (400, 1, 1, 1))
    _, [labels] = RandomFlip(axes=[0], probability=0.3).transform_pair(
        images, images[..., 0], random=np.random.default_rng(0)
    )
    assert abs((to_numpy(labels)[:, 0, 0] == 3).mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 400)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RandomFlip().transform_pair(np.zeros((2, 4, 5, 1)), np.zeros((2, 4, 6), int)), "shape of the images"),
        (lambda: RandomFlip(axes=[2]).transform_pair(np.zeros((2, 4, 5, 1)), np.zeros((2, 4, 5), int)), r"0\.\.1"),
        (lambda: RandomGamma(value_range="batch"), "value_range"),
        (lambda: RandomGamma(value_range=(1, 0)), "value_range"),
    ],
)
def test_impossible_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
