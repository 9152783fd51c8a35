"""One contract for every augmentation layer, in 2D and 3D by the same code."""

import keras
import numpy as np
import pytest
from scipy import ndimage
from skimage.exposure import adjust_gamma

from imbclf.augment import RandomAffine, RandomFlip, RandomGamma
from imbclf.augment.random_affine import interpolate
from tests.augment.layers import LAYERS, every_layer
from tests.backend import compiled, to_numpy

SHAPES = [(6, 8, 9, 3), (4, 5, 6, 7, 1)]

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=["2d", "3d"])


def images(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype("float32")


def compiled_for_any_batch(function, shape):
    if keras.backend.backend() != "tensorflow":
        return compiled(function)
    import tensorflow as tf

    return tf.function(function, input_signature=[tf.TensorSpec((None, *shape[1:]), "float32")])


def middle(layer, x):
    """The part of images that a layer leaves as it is without chance: all of it, or the window in the middle."""
    shape = layer.compute_output_shape(x.shape)
    starts = [(before - after) // 2 for before, after in zip(x.shape, shape)]
    return x[tuple(slice(start, start + side) for start, side in zip(starts, shape))]


@every_layer
@every_shape
def test_nothing_happens_outside_training_or_with_probability_zero(make, shape):
    x = images(shape)
    np.testing.assert_array_equal(to_numpy(make(probability=1.0)(x)), middle(make(), x))
    np.testing.assert_array_equal(to_numpy(make(probability=0.0)(x, training=True)), middle(make(), x))


@every_layer
@every_shape
def test_each_image_has_draws_of_its_own(make, shape):
    x = np.repeat(images((1, *shape[1:])), 32, axis=0)
    changed = to_numpy(make(probability=0.5, seed=0)(x, training=True))
    kinds = len(np.unique(changed.reshape(32, -1).round(6), axis=0))
    assert kinds >= (4 if make is LAYERS["flip"] else 10)


@every_layer
def test_about_the_given_share_of_images_changes(make):
    # Large enough that a random window is hardly ever the one in the middle.
    x = images((400, 20, 21, 1))
    layer = RandomFlip(axes=[0], probability=0.3, seed=1) if make is LAYERS["flip"] else make(probability=0.3, seed=1)
    changed = (to_numpy(layer(x, training=True)) != middle(layer, x)).any(axis=(1, 2, 3)).mean()
    assert abs(changed - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 400)


@every_layer
@every_shape
def test_same_seed_draws_the_same_and_goes_on_differently(make, shape):
    x = images(shape)
    one, two = make(probability=0.5, seed=7), make(probability=0.5, seed=7)
    first = to_numpy(one(x, training=True))
    np.testing.assert_array_equal(first, to_numpy(two(x, training=True)))
    assert (to_numpy(one(x, training=True)) != first).any()


@every_layer
@every_shape
def test_values_stay_within_the_range_of_the_image_and_in_float32(make, shape):
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        layer = make(probability=1.0)
        changed = layer(images(shape), training=True)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(changed.dtype) == "float32"
    assert to_numpy(changed).min() >= 0
    assert to_numpy(changed).max() <= 1
    assert tuple(changed.shape) == layer.compute_output_shape(shape)


@every_layer
@every_shape
def test_compiled_for_any_number_of_images_it_draws_as_it_does_uncompiled(make, shape):
    x = images(shape)
    model = keras.Sequential([keras.Input(shape[1:]), make(probability=0.7, seed=2)])
    state = [variable.value for variable in model.non_trainable_variables]
    call = compiled_for_any_batch(lambda x: model.stateless_call([], state, x, training=True)[0], shape)
    expected = to_numpy(make(probability=0.7, seed=2)(x, training=True))
    np.testing.assert_allclose(to_numpy(call(x)), expected, atol=1e-6)
    assert tuple(call(x[:2]).shape) == (2, *model.output_shape[1:])


@every_layer
def test_config_round_trip_keeps_everything(make):
    layer = make(probability=0.3, seed=5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    x = images(SHAPES[0])
    np.testing.assert_array_equal(
        to_numpy(again(x, training=True)), to_numpy(make(probability=0.3, seed=5)(x, training=True))
    )


@every_layer
def test_works_inside_a_model_that_is_trained(make):
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), make(), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(images((8, 6, 6, 1)), np.arange(8) % 2, batch_size=4, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@every_shape
def test_flip_mirrors_the_axes_it_is_given(shape):
    x = images(shape)
    for axis in range(len(shape) - 2):
        flipped = to_numpy(RandomFlip(axes=[axis], probability=1.0)(x, training=True))
        np.testing.assert_array_equal(flipped, np.flip(x, axis + 1))
    every = to_numpy(RandomFlip(probability=1.0)(x, training=True))
    np.testing.assert_array_equal(every, np.flip(x, tuple(range(1, len(shape) - 1))))


@every_shape
def test_gamma_equals_scikit_image(shape):
    x = images(shape)
    changed = to_numpy(RandomGamma((1.3, 1.3), probability=1.0)(x, training=True))
    np.testing.assert_allclose(changed, adjust_gamma(x, 1.3), rtol=1e-5)


@every_shape
def test_interpolation_equals_scipy_at_any_position(shape):
    x = images(shape)
    space, voxels = shape[1:-1], int(np.prod(shape[1:-1]))
    random = np.random.default_rng(3)
    positions = [random.uniform(-3, size + 2, (shape[0], voxels)).astype("float32") for size in space]
    ours = to_numpy(interpolate(keras.ops.convert_to_tensor(x), [keras.ops.convert_to_tensor(p) for p in positions]))
    for image in range(shape[0]):
        for channel in range(shape[-1]):
            at = [p[image] for p in positions]
            theirs = ndimage.map_coordinates(x[image, ..., channel], at, order=1, mode="nearest").reshape(space)
            np.testing.assert_allclose(ours[image, ..., channel], theirs, atol=1e-5)


@every_shape
def test_affine_without_motion_is_the_identity(shape):
    x = images(shape)
    np.testing.assert_allclose(to_numpy(RandomAffine(probability=1.0)(x, training=True)), x, atol=1e-6)


def test_affine_by_a_quarter_turn_and_a_shift_is_that_of_scipy():
    x = images((1, 7, 7, 1))
    layer = RandomAffine(rotation=90, probability=1.0)
    layer.draw = lambda images, low, high: keras.ops.full((1, 1, 1, 1), high)
    turned = to_numpy(layer.transform(keras.ops.convert_to_tensor(x)))[0, :, :, 0]
    np.testing.assert_allclose(turned, ndimage.rotate(x[0, :, :, 0], -90, reshape=False, order=1), atol=1e-5)
    layer = RandomAffine(scale=(2.0, 2.0), shift=0.0, probability=1.0)
    zoomed = to_numpy(layer(x, training=True))[0, :, :, 0]
    centre = 3.0
    theirs = ndimage.affine_transform(x[0, :, :, 0], [0.5, 0.5], offset=centre - 0.5 * centre, order=1)
    np.testing.assert_allclose(zoomed, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomFlip(probability=1.5), "probability"),
        (lambda: RandomGamma((0, 1)), "gamma"),
        (lambda: RandomAffine(scale=(2, 1)), "scale"),
        (lambda: RandomAffine(rotation=-1), "rotation"),
        (lambda: RandomFlip(axes=[2])(images(SHAPES[0]), training=True), r"0\.\.1"),
    ],
)
def test_impossible_arguments_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
