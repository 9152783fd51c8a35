"""What TensorFlow Addons' constructors accept is accepted, by name and by position, and means the same."""

import keras
import numpy as np
import pytest
import sklearn.metrics

import imbclf.metrics
from imbclf.errors import InputError


def test_positional_and_named_arguments_of_addons_are_accepted():
    f1 = imbclf.metrics.F1(3, "macro", 0.5, "f", "float32")
    assert (f1.num_classes, f1.average, f1.threshold, f1.name, f1.dtype) == (3, "macro", 0.5, "f", "float32")
    mcc = imbclf.metrics.MatthewsCorrelationCoefficient(3, "m", "float32")
    assert (mcc.num_classes, mcc.name, mcc.dtype) == (3, "m", "float32")
    kappa = imbclf.metrics.CohenKappa(3, "k", "linear", True, True, "float32")
    assert (kappa.name, kappa.weightage, kappa.sparse_labels, kappa.regression) == ("k", "linear", True, True)


def test_default_names_are_those_that_callbacks_of_addons_users_monitor():
    assert imbclf.metrics.F1(2).name == "f1_score"
    assert imbclf.metrics.CohenKappa(2).name == "cohen_kappa"
    assert imbclf.metrics.MatthewsCorrelationCoefficient(2).name == "MatthewsCorrelationCoefficient"


def test_f1_returns_one_value_per_class_by_default():
    assert tuple(imbclf.metrics.F1(5).result().shape) == (5,)


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
def test_f1_above_a_threshold_scores_several_labels_at_once(average):
    rng = np.random.default_rng(0)
    marks, p = rng.integers(0, 2, (40, 4)), rng.random((40, 4)).astype("float32")
    metric = imbclf.metrics.F1(4, average, 0.4)
    expected = sklearn.metrics.f1_score(marks, p > 0.4, average=average)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(metric(marks, p)), expected, atol=1e-6)


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_f1_of_one_class_is_that_of_the_positive_class(threshold):
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 40), rng.random((40, 1)).astype("float32")
    metric = imbclf.metrics.F1(1, "macro", threshold)
    assert float(metric(y[:, None], p)) == pytest.approx(sklearn.metrics.f1_score(y, p[:, 0] > 0.5), abs=1e-6)


def test_kappa_reads_class_indices_and_rounds_grades():
    rng = np.random.default_rng(0)
    y, grades = rng.integers(0, 4, 40), rng.uniform(-0.4, 3.4, 40).astype("float32")
    expected = sklearn.metrics.cohen_kappa_score(y, np.abs(np.round(grades)), weights="quadratic")
    graded = imbclf.metrics.CohenKappa(4, weightage="quadratic", sparse_labels=True, regression=True)
    assert float(graded(y, grades[:, None])) == pytest.approx(expected, abs=1e-6)
    indices = imbclf.metrics.CohenKappa(4, weightage="quadratic", sparse_labels=True)
    assert float(indices(y, np.abs(np.round(grades)).astype("int32"))) == pytest.approx(expected, abs=1e-6)


def test_kappa_of_two_classes_reads_a_vector_of_probabilities():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 40), rng.random(40).astype("float32")
    expected = sklearn.metrics.cohen_kappa_score(y, p > 0.5)
    assert float(imbclf.metrics.CohenKappa(2)(y, p)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: imbclf.metrics.F1(3, average="mean"), 'average must be None, "micro", "macro" or "weighted"'),
        (lambda: imbclf.metrics.F1(3, threshold=0.0), "threshold must be a number above 0 and at most 1"),
        (lambda: imbclf.metrics.CohenKappa(3, weightage="cubic"), 'weightage must be None, "linear" or "quadratic"'),
        (lambda: imbclf.metrics.ExpectedCalibrationError(3, num_bins=0), "num_bins must be a whole number"),
        (lambda: imbclf.metrics.BalancedAccuracy(0), "num_classes must be a whole number"),
        (lambda: imbclf.metrics.BalancedAccuracy(3, class_names=["a"]), "class_names must hold 3 names"),
    ],
)
def test_arguments_that_mean_nothing_are_refused_in_words(build, words):
    with pytest.raises(InputError, match=words):
        build()
