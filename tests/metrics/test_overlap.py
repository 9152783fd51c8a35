"""What the Dice score and the intersection over union claim beyond the contract of all metrics."""

import warnings

import keras
import numpy as np
import pytest
import sklearn.metrics

import imbclf.metrics
from imbclf.errors import InputError
from imbclf.metrics import DiceScore, IoU

K = 3
ORACLES = {DiceScore: sklearn.metrics.f1_score, IoU: sklearn.metrics.jaccard_score}
both = pytest.mark.parametrize("metric", ORACLES)


def hard(classes, k=K):
    """Predictions that are sure of these classes."""
    return np.eye(k, dtype="float32")[classes]


def volumes(seed=0, shape=(2, 4, 5, 6), skill=0.6):
    """True and predicted label maps that agree in a share `skill` of the voxels, and more by chance."""
    rng = np.random.default_rng(seed)
    truth, guess = rng.choice(K, shape, p=(0.8, 0.15, 0.05)), rng.choice(K, shape)
    return truth, np.where(rng.random(shape) < skill, truth, guess)


def scored(metric, truth, prediction, **arguments):
    result = metric(K, **arguments)(truth, hard(prediction))
    return keras.ops.convert_to_numpy(result)


@both
@pytest.mark.parametrize("average", [None, "macro", "micro"])
@pytest.mark.parametrize("first", [0, 1])
def test_volumes_score_as_scikit_learn_scores_their_flattened_labels(metric, average, first):
    truth, prediction = volumes()
    expected = ORACLES[metric](truth.ravel(), prediction.ravel(), average=average, labels=range(first, K))
    actual = scored(metric, truth, prediction, average=average, include_background=first == 0)
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    assert actual.shape == np.shape(expected)


@both
def test_a_sigmoid_map_is_scored_at_one_half(metric):
    rng = np.random.default_rng(0)
    truth, p = rng.integers(0, 2, (2, 8, 8)), rng.random((2, 8, 8, 1)).astype("float32")
    expected = ORACLES[metric](truth.ravel(), p.ravel() > 0.5)
    for num_classes in (1, 2):
        metric_of_foreground = metric(num_classes, include_background=False)
        assert float(metric_of_foreground(truth, p)) == pytest.approx(expected, abs=1e-6)
        logits = np.log(p) - np.log1p(-p)
        from_logits = metric(num_classes, include_background=False, from_logits=True)
        assert float(from_logits(truth, logits)) == pytest.approx(expected, abs=1e-6)


def test_iou_is_dice_over_two_minus_dice():
    truth, prediction = volumes()
    dice, iou = (scored(metric, truth, prediction, average=None) for metric in (DiceScore, IoU))
    np.testing.assert_allclose(iou, dice / (2 - dice), atol=1e-6)


def test_dice_is_the_f1_score():
    truth, prediction = volumes()
    expected = keras.ops.convert_to_numpy(imbclf.metrics.F1(K)(truth, hard(prediction)))
    np.testing.assert_array_equal(scored(DiceScore, truth, prediction, average=None), expected)


@both
def test_micro_over_all_classes_follows_from_the_accuracy(metric):
    truth, prediction = volumes()
    accuracy = (truth == prediction).mean()
    expected = accuracy if metric is DiceScore else accuracy / (2 - accuracy)
    assert float(scored(metric, truth, prediction, average="micro")) == pytest.approx(expected, abs=1e-6)


@both
@pytest.mark.parametrize(("predicted", "worth"), [(False, 1), (True, 0)])
def test_an_absent_class_is_left_out_or_counts_as_one_where_it_is_not_predicted_either(metric, predicted, worth):
    truth = np.repeat([[0, 1]], [6, 2], axis=1)
    prediction = np.array([[2 if predicted else 0, 0, 0, 0, 0, 1, 1, 1]])
    skipped = ORACLES[metric](truth[0], prediction[0], average=None, labels=[0, 1])
    with pytest.warns(UserWarning, match="no sample of class 2 has been seen; the mean leaves it out"):
        assert float(scored(metric, truth, prediction)) == pytest.approx(skipped.mean(), abs=1e-6)
    with pytest.warns(UserWarning, match="no sample of class 2 has been seen; its value is 0"):
        np.testing.assert_allclose(scored(metric, truth, prediction, average=None), [*skipped, 0], atol=1e-6)
    counted = [*skipped, worth]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        actual = scored(metric, truth, prediction, average=None, absent="count")
        np.testing.assert_allclose(actual, counted, atol=1e-6)
        mean = float(scored(metric, truth, prediction, absent="count"))
    assert mean == pytest.approx(np.mean(counted), abs=1e-6)


@both
def test_an_absent_background_that_is_not_scored_is_not_named(metric):
    truth = np.array([[1, 2, 2]])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert float(scored(metric, truth, truth, include_background=False)) == 1


@both
@pytest.mark.parametrize("absent", ["skip", "count"])
@pytest.mark.parametrize("average", [None, "macro", "micro"])
def test_a_background_out_of_range_reaches_the_score_of_the_foreground(metric, absent, average):
    metric = metric(K, average, absent, include_background=False)
    metric.update_state(np.array([[0, 1, 2]]), hard([[0, 1, 2]]))
    # A label out of range is counted as NaN in the row of class 0.
    metric.counts.low.assign(np.where(np.eye(K) * [1, 0, 0], np.nan, metric.counts.numpy()))
    assert np.isnan(keras.ops.convert_to_numpy(metric.result())).all()


@both
def test_foreground_of_fifty_voxels_among_forty_million_is_scored_exactly(metric):
    truth, prediction = np.array([[0, 0, 1, 1]]), hard([[0, 1, 0, 1]], 2)
    counts = np.array([[4 * 10**7, 30, 20, 50]])
    actual = float(metric(2, include_background=False)(truth, prediction, counts))
    assert actual == pytest.approx(100 / 150 if metric is DiceScore else 50 / 100, abs=1e-6)


@both
@pytest.mark.parametrize("arguments", [{"average": "weighted"}, {"absent": "nan"}])
def test_unknown_arguments_are_named(metric, arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(InputError, match=f"{name} must be .*; received '{value}'"):
        metric(K, **arguments)


@both
def test_training_a_dense_model_logs_the_score_of_its_predictions(metric):
    model = keras.Sequential([keras.Input((6, 5, 4)), keras.layers.Conv2D(K, 1, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[metric(K, include_background=False, name="score")])
    x = np.random.default_rng(0).normal(size=(14, 6, 5, 4)).astype("float32")
    y = x[..., :K].argmax(-1)
    history = model.fit(x, y, batch_size=8, verbose=0, validation_data=(x, y)).history
    prediction = model.predict(x, verbose=0).argmax(-1)
    expected = ORACLES[metric](y.ravel(), prediction.ravel(), average="macro", labels=range(1, K))
    assert history["val_score"] == pytest.approx([expected], abs=1e-6)
