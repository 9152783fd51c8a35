import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.errors import InputError
from imbclf.models import predict_sliding_window
from imbclf.models.sliding_window import window_starts, window_weights


class Model:
    """A function of a batch in the place of a Keras model; it remembers what it was called with."""

    name = "stand_in"
    output_names = ("probabilities",)

    def __init__(self, function, rank, channels=1):
        self.function = function
        self.input_shape = (None,) * (rank + 1) + (channels,)
        self.batches = []

    def predict_on_batch(self, batch):
        self.batches.append(batch.copy())
        return self.function(batch)


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def by_brightness(x):
    """Probabilities of three classes, a function of each voxel alone."""
    logits = np.stack([x[..., 0], -x[..., 0], np.sin(3 * x[..., 0])], axis=-1)
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def by_place(x):
    """Probabilities of two classes that depend on the neighbour and on the place within the window."""
    places = np.arange(np.prod(x.shape[1:-1])).reshape(x.shape[1:-1])
    p = 1 / (1 + np.exp(-np.roll(x[..., 0], 1, axis=1) - np.sin(places)))
    return np.stack([p, 1 - p], axis=-1)


@settings(deadline=None, max_examples=60)
@given(
    axes=st.lists(st.tuples(st.integers(1, 13), st.integers(1, 6)), min_size=2, max_size=3),
    overlap=st.floats(0, 0.95),
    weighting=st.sampled_from(["gaussian", "constant"]),
    batch_size=st.integers(1, 5),
)
def test_function_of_each_voxel_alone_is_given_back(axes, overlap, weighting, batch_size):
    """For any size, patch, overlap and weighting; a voxel that no window covers would be NaN."""
    space, patch = zip(*axes)
    image = images(*space, 1)
    found = predict_sliding_window(Model(by_brightness, len(space)), image, patch, overlap, weighting, batch_size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_brightness(image), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)


@given(size=st.integers(1, 200), patch=st.integers(1, 60), overlap=st.floats(0, 0.99))
def test_windows_cover_an_axis_from_end_to_end_and_overlap_as_told(size, patch, overlap):
    starts = np.array(window_starts(max(size, patch), patch, overlap))
    assert (starts[0], starts[-1]) == (0, max(size, patch) - patch)
    apart = np.diff(starts)
    assert ((apart >= 1) & (apart <= patch)).all()
    # All but the last are as far apart as the overlap says, to the nearest voxel.
    assert np.abs(apart[:-1] - max(1, patch * (1 - overlap))).max(initial=0) <= 0.5 + 1e-9


@pytest.mark.parametrize("weighting", ["gaussian", "constant"])
@pytest.mark.parametrize(("space", "patch"), [((7, 9), (4, 5)), ((5, 6, 4), (4, 3, 4))])
def test_result_is_the_weighted_average_over_all_windows(space, patch, weighting):
    image = images(*space, 1)
    total, weights = np.zeros((*space, 2)), np.zeros((*space, 1))
    # At an overlap of one half windows of 4 are 2 apart, of 5 too (2.5 rounds to even), of 3 as well (1.5).
    for corner in itertools.product(*(sorted({*range(0, n - p + 1, 2), n - p}) for n, p in zip(space, patch))):
        window = image[tuple(slice(c, c + p) for c, p in zip(corner, patch))]
        predicted = by_place(window[None])[0]
        for place in np.ndindex(*patch):
            squares = sum(((i - (p - 1) / 2) / (p / 8)) ** 2 for i, p in zip(place, patch))
            highest = sum(((p % 2 == 0) * 0.5 / (p / 8)) ** 2 for p in patch)
            weight = max(np.exp(-(squares - highest) / 2), 1e-3) if weighting == "gaussian" else 1
            voxel = tuple(c + i for c, i in zip(corner, place))
            total[voxel] += weight * predicted[place]
            weights[voxel] += weight
    found = predict_sliding_window(Model(by_place, len(space)), image, patch, 0.5, weighting, batch_size=3)
    np.testing.assert_allclose(found, total / weights, rtol=1e-4)


@pytest.mark.parametrize("weighting", ["gaussian", "constant"])
def test_weights_are_symmetric_with_peak_one_and_none_is_zero(weighting):
    for patch in [(1, 1), (8, 8), (5, 4, 16), (40, 56, 40)]:
        weights = window_weights(patch, weighting)
        assert weights.shape == patch
        assert weights.max() == 1
        assert weights.min() >= np.float32(1e-3)
        for axis in range(len(patch)):
            np.testing.assert_allclose(weights, np.flip(weights, axis), rtol=1e-6)


def test_gaussian_weight_falls_as_a_normal_density_of_an_eighth_of_the_patch():
    weights = window_weights((33, 33), "gaussian")
    np.testing.assert_allclose(weights[16, 16 + 8] / weights[16, 16], np.exp(-((8 / (33 / 8)) ** 2) / 2), rtol=1e-5)


def test_prediction_moves_with_the_windows():
    """Cutting off as much as the windows are apart leaves the other windows, and what only they cover, as they were."""
    image = images(22, 10, 1)
    step, patch = 4, (6, 10)
    overlap = 1 - step / patch[0]
    whole = predict_sliding_window(Model(by_place, 2), image, patch, overlap)
    rest = predict_sliding_window(Model(by_place, 2), image[step:], patch, overlap)
    np.testing.assert_allclose(rest[patch[0] - step :], whole[patch[0] :], rtol=1e-5)


def test_an_image_smaller_than_the_patch_is_padded_with_the_least_of_each_channel():
    image = images(3, 9, 2)
    model = Model(by_brightness, 2, channels=2)
    found = predict_sliding_window(model, image, (8, 8), overlap=0)
    assert found.shape == (3, 9, 3)
    for batch in model.batches:
        for window, columns in zip(batch, (image[:, :8], image[:, 1:])):
            np.testing.assert_array_equal(window[3:6], columns)
            np.testing.assert_array_equal(window[[0, 1, 2, 6, 7]], np.broadcast_to(image.min((0, 1)), (5, 8, 2)))


@pytest.mark.parametrize(("space", "batches", "size"), [((8, 8), 3, 4), ((4, 4), 1, 1), ((4, 6), 1, 2)])
def test_every_call_has_the_same_batch_shape(space, batches, size):
    """9 windows make three batches of 4; where there are fewer windows than a batch holds, the batch is smaller."""
    model = Model(by_brightness, 2)
    predict_sliding_window(model, images(*space, 1), (4, 4), batch_size=4)
    assert [batch.shape for batch in model.batches] == [(size, 4, 4, 1)] * batches


def test_first_output_of_a_keras_model_counts():
    inputs = keras.Input((4, 6, 4, 2))
    probabilities = keras.layers.Conv3D(3, 1, activation="softmax", name="probabilities")(inputs)
    coarse = keras.layers.AveragePooling3D(2, name="probabilities_2")(probabilities)
    image = images(6, 6, 5, 2)
    kernel, bias = keras.Model(inputs, probabilities).layers[-1].get_weights()
    logits = image.astype("float64") @ kernel[0, 0, 0] + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    for outputs in (probabilities, [probabilities, coarse]):
        found = predict_sliding_window(keras.Model(inputs, outputs), image, (4, 6, 4))
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overlap": 1.0}, "overlap must be .* received 1.0"),
        ({"overlap": -0.1}, "overlap must be"),
        ({"overlap": float("nan")}, "overlap must be"),
        ({"weighting": "mean"}, "weighting must be 'gaussian' or 'constant'; received 'mean'"),
        ({"batch_size": 0}, "batch_size"),
        ({"patch_size": (4, 4, 4)}, "2 positive sides"),
        ({"patch_size": (4, 0)}, "2 positive sides"),
        ({"image": np.zeros((8, 8))}, r"2 spatial axes .* shape \(8, 8\)"),
        ({"image": np.zeros((8, 8, 8, 1))}, "2 spatial axes"),
        ({"image": np.zeros((8, 8, 3))}, r"takes 1 channels.* \(8, 8, 3\)"),
        ({"image": np.zeros((8, 0, 1))}, "empty"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_one_sentence(arguments, message):
    valid = {"image": np.zeros((8, 8, 1)), "patch_size": (4, 4)}
    with pytest.raises(InputError, match=message) as error:
        predict_sliding_window(Model(by_brightness, 2), **{**valid, **arguments})
    assert str(error.value).count(". ") == 0


def test_models_that_do_not_fit_are_refused():
    image = np.zeros((8, 8, 1))
    fixed = Model(by_brightness, 2)
    fixed.input_shape = (None, 6, 4, 1)
    with pytest.raises(InputError, match=r"takes patches of \(6, 4\); received patch_size \(4, 4\)"):
        predict_sliding_window(fixed, image, (4, 4))
    logits = Model(by_brightness, 2)
    logits.output_names = ("logits",)
    with pytest.raises(InputError, match="returns logits"):
        predict_sliding_window(logits, image, (4, 4))
    pooled = Model(lambda x: x.mean(axis=(1, 2)), 2)
    with pytest.raises(InputError, match="returned shape"):
        predict_sliding_window(pooled, image, (4, 4))
    with pytest.raises(InputError, match="2D or 3D"):
        predict_sliding_window(Model(by_brightness, 1), image, (4, 4))
