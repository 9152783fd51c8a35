"""Metrics and focal loss are held to the values that TensorFlow Addons itself computed (`make test-tfa`).

Where Addons is wrong, or answers another question, the difference itself is asserted.
"""

import collections
import json
import os
import warnings

import keras
import numpy as np
import pytest
import sklearn.metrics

import imbclf.losses
import imbclf.metrics

ORACLE = os.environ.get("IMBCLF_ADDONS_ORACLE")
pytestmark = pytest.mark.skipif(
    not ORACLE, reason="IMBCLF_ADDONS_ORACLE names no oracle file; `make test-tfa` makes one"
)

OURS = {
    "F1Score": imbclf.metrics.F1,
    "MatthewsCorrelationCoefficient": imbclf.metrics.MatthewsCorrelationCoefficient,
    "CohenKappa": imbclf.metrics.CohenKappa,
}


@pytest.fixture(scope="module")
def arrays():
    with np.load(ORACLE) as file:
        return dict(file)


@pytest.fixture(scope="module")
def cases(arrays):
    """(case, class name, arguments, value of Addons, value of ours) for every value in the oracle."""
    return list(compute(arrays))


def compute(arrays):
    for key in arrays:
        case, found, metric = key.partition("/value/")
        if found:
            name, arguments = json.loads(metric)
            yield case, name, arguments, arrays[key], ours(arrays, case, OURS[name](**arguments))


def ours(arrays, case, metric):
    y_true, y_pred, weight = arrays[f"{case}/y_true"], arrays[f"{case}/y_pred"], arrays.get(f"{case}/sample_weight")
    ends = np.cumsum(arrays[f"{case}/batches"])
    for end, size in zip(ends, arrays[f"{case}/batches"]):
        part = slice(end - size, end)
        metric.update_state(y_true[part], y_pred[part], None if weight is None else weight[part])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*no sample of class")
        return keras.ops.convert_to_numpy(metric.result())


def difference(case, name, arguments, theirs):
    """Which documented difference applies to a value, or `None` where the values have to be equal."""
    if case.startswith("large/"):
        return "float32 counts"
    if case.startswith("ties/"):
        return "ties"
    if name == "CohenKappa" and np.isnan(theirs):
        return "kappa of a constant"
    averaged = name == "F1Score" and arguments["average"] == "macro"
    if averaged and ("missing" in case or "one_class" in case):
        return "absent class in macro F1"
    return None


def test_the_oracle_is_addons_0_23_on_tensorflow_2_15(arrays):
    assert list(arrays["versions"]) == ["2.15.1", "0.23.0"]


def test_every_value_equals_that_of_addons_but_for_the_documented_differences(cases):
    seen = collections.Counter()
    for case, name, arguments, theirs, value in cases:
        kind = difference(case, name, arguments, theirs)
        seen[kind] += 1
        if kind is None:
            np.testing.assert_allclose(value, theirs, rtol=0, atol=2e-6, err_msg=f"{case} {name} {arguments}")
    assert seen[None] > 400
    assert set(seen) == {None, "float32 counts", "ties", "kappa of a constant", "absent class in macro F1"}


def test_macro_f1_is_the_mean_over_present_classes_where_addons_counts_absent_ones_as_zero(arrays, cases):
    found = 0
    for case, name, arguments, theirs, value in cases:
        if difference(case, name, arguments, theirs) == "absent class in macro F1":
            found += 1
            per_class = json.dumps(["F1Score", {**arguments, "average": None}])
            scores = arrays[f"{case}/value/{per_class}"]
            present = arrays[f"{case}/y_true"].sum(axis=0) > 0
            assert 0 < present.sum() < len(present)
            np.testing.assert_allclose(theirs, scores.mean(), atol=1e-6)
            np.testing.assert_allclose(value, scores[present].mean(), atol=1e-6, err_msg=case)
    assert found


def test_kappa_is_zero_where_truth_and_prediction_are_one_class_and_addons_gives_nan(arrays, cases):
    found = 0
    for case, name, arguments, theirs, value in cases:
        if difference(case, name, arguments, theirs) == "kappa of a constant":
            found += 1
            assert value == 0, case
            y_true = arrays[f"{case}/y_true"]
            classes = y_true.argmax(-1) if y_true.ndim == 2 and y_true.shape[-1] > 1 else y_true
            assert len(np.unique(classes)) == 1, case
    assert found


def test_one_class_is_predicted_per_sample_where_addons_predicts_all_that_tie_and_none_for_zeros(arrays, cases):
    ((case, _, _, theirs, value),) = [c for c in cases if c[0].startswith("ties/")]
    marks, p = arrays[f"{case}/y_true"], arrays[f"{case}/y_pred"]
    all_that_tie = (p == p.max(-1, keepdims=True)) & (p > 0)
    np.testing.assert_allclose(theirs, sklearn.metrics.f1_score(marks, all_that_tie, average=None), atol=1e-6)
    first = sklearn.metrics.f1_score(marks.argmax(-1), p.argmax(-1), average=None)
    np.testing.assert_allclose(value, first, atol=1e-6)
    assert np.abs(theirs - first).max() > 0.05


def test_large_counts_equal_scikit_learn_where_addons_loses_them(arrays, cases):
    errors = []
    for case, _, _, theirs, value in cases:
        if case.startswith("large/"):
            truth, prediction = arrays[f"{case}/y_true"].argmax(-1), arrays[f"{case}/y_pred"].argmax(-1)
            weight = arrays[f"{case}/sample_weight"].astype("float64")
            expected = sklearn.metrics.matthews_corrcoef(truth, prediction, sample_weight=weight)
            np.testing.assert_allclose(value, expected, atol=1e-6, err_msg=case)
            errors.append(abs(theirs - expected))
    assert max(errors) > 1e-3, errors


def test_binary_focal_loss_equals_sigmoid_focal_cross_entropy(arrays):
    y = arrays["focal/y_true"]
    loss = imbclf.losses.Focal(gamma=2.0, alpha=[0.75, 0.25], from_logits=True, reduction="none")
    value = keras.ops.convert_to_numpy(loss(y, arrays["focal/logits"]))
    np.testing.assert_allclose(value, arrays["focal/from_logits"], rtol=2e-5, atol=1e-7)


def test_focal_loss_of_probabilities_takes_the_logarithm_to_which_keras_2_adds_an_epsilon(arrays):
    y, p = arrays["focal/y_true"], arrays["focal/probabilities"]
    q = np.where(y == 1, p, 1 - p)[:, 0].astype("float64")
    factor = np.where(y == 1, 0.25, 0.75)[:, 0] * (1 - q) ** 2
    loss = imbclf.losses.Focal(gamma=2.0, alpha=[0.75, 0.25], reduction="none")
    value = keras.ops.convert_to_numpy(loss(y, p))
    theirs = arrays["focal/from_probabilities"]
    q, factor, value, theirs = (x[q > 0] for x in (q, factor, value, theirs))
    np.testing.assert_allclose(value, -factor * np.log(q), rtol=2e-5, atol=1e-6)
    # Keras 2 computes log(q + 1e-7) in float32, where q near 1e-7 is itself uncertain by 6e-8.
    gap = value - theirs
    assert (gap > -1e-5).all()
    assert (gap < factor * np.log1p(2.5e-7 / q) + 1e-5).all()
    assert gap.max() > 0.1
    plain = q > 0.01
    assert plain.mean() > 0.75
    np.testing.assert_allclose(value[plain], theirs[plain], rtol=1e-5, atol=1e-6)
