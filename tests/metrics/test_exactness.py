"""Large counts, full windows and rounding: where float32 accumulators go wrong."""

import keras
import numpy as np
import pytest
import sklearn.metrics

import imbclf.metrics
from imbclf.errors import InputError
from imbclf.metrics.exact_counts import ExactCounts


def hard(classes, k):
    return np.eye(k, dtype="float32")[classes]


def test_counts_beyond_two_to_the_24_still_count_single_samples():
    metric = imbclf.metrics.BalancedAccuracy(2)
    y, p = np.array([0, 1, 1, 1]), hard([0, 1, 0, 0], 2)
    metric.update_state(y, p, np.array([2**24, 2**24 - 2, 1, 1]))
    for _ in range(3):
        metric.update_state(y, p)
    np.testing.assert_array_equal(metric.confusion_matrix(), [[2**24 + 3, 0], [8, 2**24 + 1]])


def test_counts_stay_exact_over_many_large_batches():
    metric = imbclf.metrics.F1(2)
    y, p = np.array([0, 1, 1, 1]), hard([0, 1, 0, 0], 2)
    for _ in range(300):
        metric.update_state(y, p, np.array([2**22 - 1, 2**21 + 1, 3, 4]))
    np.testing.assert_array_equal(metric.confusion_matrix(), 300 * np.array([[2**22 - 1, 0], [7, 2**21 + 1]]))


def test_one_batch_of_more_than_a_million_voxels_is_counted_exactly():
    counts = ExactCounts(keras.metrics.Mean(), (2, 2), "counts")
    cell = np.arange(1_200_001) % 4
    counts.add(cell, np.ones(len(cell), "float32"))
    counts.add(cell, np.full(len(cell), 4097, "float32"))
    np.testing.assert_array_equal(counts.numpy().ravel(), 4098 * np.bincount(cell))


def test_fractional_weights_of_a_large_batch_do_not_drift():
    counts = ExactCounts(keras.metrics.Mean(), (3,), "counts")
    cell = np.arange(1_000_000) % 3
    counts.add(cell, np.full(len(cell), 0.1, "float32"))
    expected = np.bincount(cell) * np.float64(np.float32(0.1))
    np.testing.assert_allclose(counts.numpy(), expected, rtol=5e-6)


def test_fifty_errors_among_forty_million_voxels_do_not_vanish():
    n, few = 4 * 10**7, 50
    y = np.array([1, 0, 1, 0])
    p = hard([1, 1, 0, 0], 2)
    w = np.array([few, few, few, n - 3 * few])
    truth, prediction = y, p.argmax(-1)
    mcc = imbclf.metrics.MatthewsCorrelationCoefficient(2)
    kappa = imbclf.metrics.CohenKappa(2)
    f1 = imbclf.metrics.F1(2)
    recall = imbclf.metrics.BalancedAccuracy(2)
    for metric in (mcc, kappa, f1, recall):
        metric.update_state(y, p, w)
    w = w.astype("float64")
    expected = sklearn.metrics.matthews_corrcoef(truth, prediction, sample_weight=w)
    assert expected == pytest.approx(0.5, abs=1e-5)
    assert float(mcc.result()) == pytest.approx(expected, abs=1e-6)
    expected = sklearn.metrics.cohen_kappa_score(truth, prediction, sample_weight=w)
    assert float(kappa.result()) == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(f1.result()),
        sklearn.metrics.f1_score(truth, prediction, average=None, sample_weight=w),
        atol=1e-6,
    )
    expected = sklearn.metrics.balanced_accuracy_score(truth, prediction, sample_weight=w)
    assert float(recall.result()) == pytest.approx(expected, abs=1e-6)


def test_mcc_of_many_classes_with_one_dominant_class_equals_float64():
    rng = np.random.default_rng(1)
    matrix = rng.integers(0, 9, (30, 30)).astype("float64")
    matrix[0, 0] = 2e9
    metric = imbclf.metrics.MatthewsCorrelationCoefficient(30)
    metric.counts.high.assign(matrix // 2048)
    metric.counts.low.assign(matrix % 2048)
    np.testing.assert_array_equal(metric.confusion_matrix(), matrix)
    integers = [[int(value) for value in row] for row in matrix]
    assert float(metric.result()) == pytest.approx(gorodkin(integers), abs=1e-6)


def gorodkin(matrix):
    """R_K in Python's integers, which do not round."""
    total = sum(map(sum, matrix))
    right = sum(matrix[k][k] for k in range(len(matrix)))
    actual, predicted = [sum(row) for row in matrix], [sum(column) for column in zip(*matrix)]
    covariance = right * total - sum(a * b for a, b in zip(actual, predicted))
    spread = (total**2 - sum(a * a for a in actual)) * (total**2 - sum(b * b for b in predicted))
    return covariance / spread**0.5


@pytest.mark.parametrize("weight", [None, 0.1])
def test_auc_of_a_full_window_with_ties_equals_scikit_learn(weight):
    rng = np.random.default_rng(2)
    n = 5000
    y = rng.choice(3, n, p=[0.8, 0.15, 0.05])
    p = rng.dirichlet([2, 1, 1], n) + 0.3 * np.eye(3)[y]
    p = np.round(p / p.sum(-1, keepdims=True), 2).astype("float32")
    metric = imbclf.metrics.MacroAUC(3, capacity=n)
    w = None if weight is None else np.full(n, weight, "float32")
    for part in np.split(np.arange(n), 4):
        metric.update_state(y[part], p[part], None if w is None else w[part])
    expected = np.mean([sklearn.metrics.roc_auc_score(y == k, p[:, k]) for k in range(3)])
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_auc_beyond_the_capacity_is_that_of_the_last_samples_and_says_so_once():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 120)
    p = rng.dirichlet([1, 1], 120).astype("float32")
    weight = rng.integers(0, 2, 120).astype("float32")
    weight[:40] = 1
    metric = imbclf.metrics.MacroAUC(2, capacity=30)
    for part in np.split(np.arange(120), 3):
        metric.update_state(y[part], p[part], weight[part])
    last = np.flatnonzero(weight)[-30:]
    with pytest.warns(UserWarning, match="more samples than capacity=30") as record:
        result, again = float(metric.result()), float(metric.result())
    assert len([w for w in record if w.category is UserWarning]) == 1
    assert result == again == pytest.approx(sklearn.metrics.roc_auc_score(y[last], p[last, 1]), abs=1e-6)


def test_saturated_sigmoids_keep_the_order_of_their_small_probabilities():
    y = np.array([0, 1, 0, 1])
    p = np.array([[1e-12], [1e-10], [1e-11], [1e-9]], "float32")
    assert float(imbclf.metrics.MacroAUC(1)(y, p)) == 1.0


@pytest.mark.parametrize("capacity", [1, 2.5, 2**25])
def test_an_impossible_capacity_is_refused(capacity):
    with pytest.raises(InputError, match="capacity must be a whole number"):
        imbclf.metrics.MacroAUC(2, capacity=capacity)


def test_reliability_returns_the_bins_the_error_is_made_of():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 4, 40)
    p = rng.dirichlet([1, 1, 1, 1], 40)
    metric = imbclf.metrics.ExpectedCalibrationError(4, num_bins=5)
    metric.update_state(y, p)
    weight, accuracy, confidence = metric.reliability()
    assert weight.sum() == 40
    assert (confidence[weight > 0] > np.arange(5)[weight > 0] / 5).all()
    assert (weight * abs(accuracy - confidence)).sum() / 40 == pytest.approx(float(metric.result()), abs=1e-6)
    assert (weight * accuracy).sum() == (p.argmax(-1) == y).sum()
