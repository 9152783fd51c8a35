"""Losses at several resolutions, and the labels that come with them."""

import keras
import numpy as np
import pytest
from scipy import ndimage

import imbclf
from imbclf.losses.deep_supervision import resize_labels
from tests.backend import to_numpy
from tests.losses.oracles import softmax


def draw(shape, num_classes=3, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, num_classes, shape), softmax(random.normal(size=(*shape, num_classes)))


@pytest.mark.parametrize(("space", "factor"), [((8,), 2), ((8, 12), 4), ((4, 8, 6), 2)])
def test_large_structures_are_resized_to_the_nearest_neighbour(space, factor):
    labels = np.zeros((2, *space), int)
    labels[(slice(None), slice(space[0] // 2, None))] = 1
    middle = (slice(None), *(slice(factor // 2, None, factor),) * len(space))
    np.testing.assert_array_equal(to_numpy(resize_labels(labels, factor, 2, len(space))), labels[middle])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_single_voxel_survives_wherever_it_is(rank):
    for place in np.ndindex((8,) * rank):
        labels = np.zeros((1, *(8,) * rank), int)
        labels[(0, *place)] = 1
        small = to_numpy(resize_labels(labels, 4, 2, rank))
        assert small[(0, *(p // 4 for p in place))] == 1
        assert small.sum() == 1


def test_no_structure_is_deleted_and_a_rare_class_goes_first():
    random = np.random.default_rng(0)
    field = ndimage.gaussian_filter(random.normal(size=(40, 40)), 2)
    labels = np.digitize(field, [0.0, 0.12, 0.22])
    labels[3, 5] = labels[21, 33] = 4
    small = to_numpy(resize_labels(labels[None], 4, 5, 2))[0].astype(int)
    sizes = np.bincount(labels.ravel())
    middle = labels[2::4, 2::4]
    for k in range(5):
        occurs = (labels == k).reshape(10, 4, 10, 4).any(axis=(1, 3))
        gone = occurs & ~ndimage.maximum_filter(small == k, size=3)
        rarer_took_its_place = ndimage.maximum_filter((small != middle) & (sizes[small] < sizes[k]), size=3)
        assert (gone <= rarer_took_its_place).all()
    assert not (occurs & (small != 4)).any()


def test_soft_labels_are_averaged():
    _, p = draw((2, 4, 4))
    means = p.reshape(2, 2, 2, 2, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(to_numpy(resize_labels(p, 2, 3, 2)), means, rtol=1e-6)


def test_an_ignored_label_is_moved_and_never_restored():
    labels = np.full((1, 4, 4), 255)
    labels[0, 3, 3] = 1
    np.testing.assert_array_equal(to_numpy(resize_labels(labels, 2, 2, 2)), [[[255, 255], [255, 1]]])


def test_a_list_of_outputs_costs_the_weighted_sum_at_its_resolutions():
    labels, p = draw((2, 8, 8))
    half, quarter = draw((2, 4, 4), seed=1)[1], draw((2, 2, 2), seed=2)[1]
    inner = imbclf.CEPlusDice()
    expected = sum(
        weight * to_numpy(inner(to_numpy(resize_labels(labels, factor, 3, 2)).astype(int), output))
        for weight, factor, output in ((1, 2, half), (2, 4, quarter))
    ) + 3 * to_numpy(inner(labels, p))
    loss = imbclf.DeepSupervision(inner, weights=[3, 1, 2])
    np.testing.assert_allclose(to_numpy(loss(labels, [p, half, quarter])), expected, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(loss([labels] * 3, [p, half, quarter])), expected, rtol=1e-5)


def test_a_model_of_several_outputs_trains_with_it_and_is_saved(tmp_path):
    inputs = keras.Input((8, 8, 1))
    full = keras.layers.Conv2D(2, 3, padding="same", activation="softmax", name="full")(inputs)
    half = keras.layers.Conv2D(2, 3, strides=2, padding="same", activation="softmax", name="half")(inputs)
    model = keras.Model(inputs, [full, half])
    model.compile("adam", loss=imbclf.DeepSupervision(imbclf.CEPlusDice()))
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 1))
    y = (x[..., 0] > 0).astype(int)
    weights = np.ones((4, 8, 8))
    logs = model.evaluate(x, [y, y], sample_weight=[weights, weights], batch_size=4, verbose=0, return_dict=True)
    outputs = [np.asarray(output) for output in model.predict(x, verbose=0)]
    np.testing.assert_allclose(
        logs["loss"], to_numpy(imbclf.DeepSupervision(imbclf.CEPlusDice())(y, outputs)), rtol=1e-4
    )
    history = model.fit(x, [y, y], epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == model.loss.get_config()


def test_weights_of_voxels_are_resized_with_the_labels():
    labels, _ = draw((1, 4, 4), 2)
    labels[0, :, 2:] = labels[0, :, :2]
    half = draw((1, 2, 2), 2)[1]
    weights = np.zeros((1, 4, 4))
    weights[0, :, :2] = 1
    small = to_numpy(resize_labels(labels, 2, 2, 2)).astype(int)
    loss = imbclf.DeepSupervision(imbclf.Dice(), weights=[0, 1])
    expected = to_numpy(imbclf.Dice()(small[:, :, :1], half[:, :, :1]))
    np.testing.assert_allclose(to_numpy(loss(labels, half, weights)), expected, rtol=1e-5)


def test_sides_that_do_not_fit_and_missing_weights_are_refused():
    loss = imbclf.DeepSupervision(imbclf.Dice(), weights=[1.0])
    with pytest.raises(ValueError, match=r"one power of two; received an output of \(3, 4\) for labels of \(8, 8\)"):
        loss(np.zeros((1, 8, 8), int), np.full((1, 3, 4, 2), 0.5))
    with pytest.raises(ValueError, match="one power of two"):
        loss(np.zeros((1, 9, 9), int), np.full((1, 3, 3, 2), 0.5))
    with pytest.raises(ValueError, match="1 weights"):
        loss(np.zeros((1, 8, 8), int), np.full((1, 4, 4, 2), 0.5))
