import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from imbclf.errors import InputError
from imbclf.sampling import class_weights

counts = st.lists(st.integers(1, 500), min_size=2, max_size=6)


@pytest.mark.parametrize("scheme", ["inverse", "idf", "sqrt", "effective", "none"])
@given(counts=counts)
def test_the_mean_weight_of_a_sample_is_one_and_rarer_classes_weigh_no_less(scheme, counts):
    y = np.repeat(np.arange(len(counts)), counts)
    weights = class_weights(y, scheme)
    np.testing.assert_allclose(weights[y].mean(), 1)
    by_count = weights[np.argsort(counts, kind="stable")]
    assert (np.diff(by_count) <= 1e-12).all()


@given(counts=counts)
def test_inverse_weights_are_scikit_learns_balanced_weights(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=y)
    np.testing.assert_allclose(class_weights(y), expected)


@pytest.mark.parametrize(
    ("scheme", "ratio"),
    [
        ("inverse", 90 / 10),
        ("idf", np.log(100 / 10) / np.log(100 / 90)),
        ("sqrt", 3.0),
        ("effective", (1 - 0.999**90) / (1 - 0.999**10)),
        ("none", 1.0),
        ([1, 4], 4.0),
        ({"common": 2, "rare": 3}, 1.5),
        ({0: 2, 1: 3}, 1.5),
    ],
)
def test_the_ratio_of_two_weights_is_the_formulas(scheme, ratio):
    y = np.repeat([0, 1], [90, 10])
    common, rare = class_weights(y, scheme, class_names=("common", "rare"))
    np.testing.assert_allclose(rare / common, ratio)


@given(counts=counts)
def test_effective_weights_run_from_equal_to_inverse(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    np.testing.assert_allclose(class_weights(y, "effective", beta=0), 1)
    np.testing.assert_allclose(class_weights(y, "effective", beta=1 - 1e-12), class_weights(y), rtol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": [0, 0, 2]}, "The class 1 has no sample"),
        ({"y": [0, 1], "class_names": ("a", "b", "c")}, "The class c has no sample"),
        ({"y": [0, 1], "num_classes": 3}, "The class 2 has no sample"),
        ({"y": [0, 1], "num_classes": 3, "class_names": ("a", "b")}, "num_classes is 3, but there are 2 class names"),
        ({"y": ["a", "b"]}, "whole numbers or one-hot"),
        ({"y": np.zeros((2, 2, 2), int)}, "not \\(2, 2, 2\\)"),
        ({"y": [0, 0], "scheme": "idf"}, "idf gives a single class the weight 0"),
        ({"y": [0, 1], "scheme": "balanced"}, "one of inverse, idf, sqrt, effective, none, not 'balanced'"),
        ({"y": [0, 1], "scheme": "effective", "beta": 1}, "beta must lie in"),
        ({"y": [0, 1], "scheme": [1]}, "2 classes, but the class weights have shape \\(1,\\)"),
        ({"y": [0, 1], "scheme": [1, -1]}, "not negative"),
        ({"y": [0, 1], "scheme": [0, 0]}, "not all zero"),
        ({"y": [0, 1], "scheme": [1, np.inf]}, "finite"),
        ({"y": [0, 1], "scheme": ["a", "b"]}, "must be numbers"),
        (
            {"y": [0, 1], "scheme": {"a": 1, "c": 1}, "class_names": ("a", "b")},
            "given for a, c, but the classes are a, b",
        ),
    ],
)
def test_bad_input_is_a_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        class_weights(**arguments)
