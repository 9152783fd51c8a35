"""One contract for all metrics: a class joins by a line in CASES. scikit-learn and NumPy in float64 are the oracles."""

import inspect
import warnings
from functools import partial

import keras
import numpy as np
import pytest
import sklearn.metrics
from keras.src.backend import set_keras_mask

import imbclf.metrics
from imbclf.errors import InputError

K = 4
# Few distinct shapes: JAX compiles every operation once per shape.
N = 40
BATCHES = (N, 13)


def one_vs_rest_f1(threshold):
    def oracle(y, p, w):
        marks = np.eye(p.shape[-1])[y]
        return sklearn.metrics.f1_score(marks, p > threshold, average="macro", sample_weight=w, zero_division=0)

    return oracle


def f1(average):
    return lambda y, p, w: sklearn.metrics.f1_score(
        y, p.argmax(-1), average=average, sample_weight=w, labels=np.unique(y) if average == "macro" else range(K)
    )


def overlap(score, average, absent="skip", first=0):
    """A score of scikit-learn on the classes that count, from class `first` on."""

    def oracle(y, p, w):
        classes = [k for k in range(first, K) if average != "macro" or absent == "count" or k in y]
        return score(
            y, p.argmax(-1), labels=classes, average=average, sample_weight=w, zero_division=int(absent == "count")
        )

    return oracle


dice, jaccard = (partial(overlap, score) for score in (sklearn.metrics.f1_score, sklearn.metrics.jaccard_score))


def kappa(weights):
    return lambda y, p, w: sklearn.metrics.cohen_kappa_score(
        y, p.argmax(-1), weights=weights, sample_weight=w, labels=range(K)
    )


def recall(y, p, w):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return sklearn.metrics.balanced_accuracy_score(y, p.argmax(-1), sample_weight=w)


def macro_auc(y, p, w):
    return np.mean([sklearn.metrics.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in np.unique(y)])


def calibration(bins):
    def oracle(y, p, w):
        w = np.ones(len(y)) if w is None else w
        confidence, right = p.max(-1), p.argmax(-1) == y
        inside = [(confidence > b / bins) & (confidence <= (b + 1) / bins) for b in range(bins)]
        gaps = [
            abs((w[i] * right[i]).sum() / w[i].sum() - (w[i] * confidence[i]).sum() / w[i].sum()) if i.any() else 0
            for i in inside
        ]
        return sum(w[i].sum() / w.sum() * gap for i, gap in zip(inside, gaps))

    return oracle


def mcc(y, p, w):
    return sklearn.metrics.matthews_corrcoef(y, p.argmax(-1), sample_weight=w)


# class, arguments, oracle(y, p, w), whether a class without a sample is named in a warning
CASES = {
    "balanced accuracy": ("BalancedAccuracy", {}, recall, True),
    "F1 macro": ("F1", {"average": "macro"}, f1("macro"), True),
    "F1 per class": ("F1", {}, f1(None), True),
    "F1 micro": ("F1", {"average": "micro"}, f1("micro"), False),
    "F1 weighted": ("F1", {"average": "weighted"}, f1("weighted"), False),
    "F1 above a threshold": ("F1", {"average": "macro", "threshold": 0.3}, one_vs_rest_f1(0.3), True),
    "Dice": ("DiceScore", {}, dice("macro"), True),
    "Dice per class": ("DiceScore", {"average": None}, dice(None), True),
    "Dice with absent classes": ("DiceScore", {"absent": "count"}, dice("macro", "count"), False),
    "Dice of the foreground": ("DiceScore", {"include_background": False}, dice("macro", first=1), True),
    "IoU": ("IoU", {}, jaccard("macro"), True),
    "IoU per class with absent ones": (
        "IoU",
        {"average": None, "absent": "count", "include_background": False},
        jaccard(None, "count", first=1),
        False,
    ),
    "IoU micro": ("IoU", {"average": "micro"}, jaccard("micro"), False),
    "MCC": ("MatthewsCorrelationCoefficient", {}, mcc, False),
    "kappa": ("CohenKappa", {}, kappa(None), False),
    "kappa linear": ("CohenKappa", {"weightage": "linear"}, kappa("linear"), False),
    "kappa quadratic": ("CohenKappa", {"weightage": "quadratic"}, kappa("quadratic"), False),
    "macro AUC": ("MacroAUC", {}, macro_auc, True),
    "ECE": ("ExpectedCalibrationError", {}, calibration(15), False),
    "ECE with 4 bins": ("ExpectedCalibrationError", {"num_bins": 4}, calibration(4), False),
}
every_metric = pytest.mark.parametrize("case", CASES)
every_class = pytest.mark.parametrize(
    "case", [c for c in CASES if c not in ("F1 micro", "F1 weighted", "IoU micro", "Dice per class", "kappa linear")]
)


def build(case, num_classes=K, **arguments):
    name, own, _, _ = CASES[case]
    return getattr(imbclf.metrics, name)(num_classes, **own, **arguments)


def oracle(case, y, p, w=None):
    return CASES[case][2](y, p.astype("float64"), None if w is None else w.astype("float64"))


def draw(n=N, classes=K, seed=0):
    """Labels of all classes, logits that know something of them, probabilities, weights."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.choice(classes, n - classes)])
    logits = (rng.normal(size=(n, classes)) + np.eye(classes)[y]).astype("float32")
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return y, logits, p, rng.uniform(0.1, 3, n).astype("float32")


def value(metric):
    return keras.ops.convert_to_numpy(metric.result())


def once(metric, *arguments, **keywords):
    metric.reset_state()
    metric.update_state(*arguments, **keywords)
    return value(metric)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


@every_metric
@pytest.mark.parametrize("weighted", [False, True])
def test_streamed_uneven_batches_equal_the_oracle_on_their_union(case, weighted):
    y, _, p, w = draw(sum(BATCHES))
    metric, start = build(case), 0
    for size in BATCHES:
        part = slice(start, start + size)
        metric.update_state(y[part], p[part], w[part] if weighted else None)
        start += size
    close(value(metric), oracle(case, y, p, w if weighted else None))


@every_class
def test_integer_column_and_one_hot_labels_mean_the_same(case):
    y, _, p, _ = draw()
    metric = build(case)
    expected = oracle(case, y, p)
    for labels in (y, y[:, None], y.astype("float32"), np.eye(K, dtype="float32")[y]):
        close(once(metric, labels, p), expected)


@every_class
def test_dense_predictions_equal_flattened_ones(case):
    y, _, p, w = draw()
    metric = build(case)
    dense_y, dense_p, dense_w = y.reshape(2, 5, 4), p.reshape(2, 5, 4, K), w.reshape(2, 5, 4)
    close(once(metric, dense_y, dense_p, dense_w), oracle(case, y, p, w))
    close(once(metric, np.eye(K)[dense_y], dense_p), oracle(case, y, p))
    per_image = np.array([0.5, 2.0], "float32")
    close(once(metric, dense_y[..., None], dense_p, per_image), oracle(case, y, p, np.repeat(per_image, 20)))


@every_class
def test_masked_and_weightless_samples_equal_removed_ones(case):
    y, _, p, _ = draw()
    keep = np.arange(len(y)) % 5 != 4
    metric, expected = build(case), oracle(case, y[keep], p[keep])
    close(once(metric, y, p, keep.astype("float32")), expected)
    tensor = keras.ops.convert_to_tensor(p.reshape(8, 5, K))
    set_keras_mask(tensor, keras.ops.convert_to_tensor(keep.reshape(8, 5)))
    close(once(metric, y.reshape(8, 5), tensor), expected)


@every_class
@pytest.mark.parametrize("ignored", [255, -1])
def test_an_ignored_label_equals_a_removed_sample(case, ignored):
    y, _, p, _ = draw()
    keep = np.arange(len(y)) % 5 != 4
    close(once(build(case, ignore_class=ignored), np.where(keep, y, ignored), p), oracle(case, y[keep], p[keep]))


@every_class
def test_weight_two_equals_the_sample_twice(case):
    y, _, p, _ = draw()
    w = np.where(np.arange(len(y)) % 3 == 0, 2, 1)
    close(once(build(case), y, p, w), oracle(case, np.repeat(y, w), np.repeat(p, w, axis=0)))


@every_class
def test_logits_equal_their_probabilities(case):
    y, logits, p, w = draw()
    close(once(build(case, from_logits=True), y, logits, w), oracle(case, y, p, w))


@every_class
def test_a_sigmoid_channel_equals_its_two_classes(case):
    y, logits, p, w = draw(classes=2)
    odds = logits[:, 1:] - logits[:, :1]
    expected = once(build(case, num_classes=2), y, p, w)
    close(once(build(case, num_classes=2), y, p[:, 1:], w), expected)
    close(once(build(case, num_classes=2, from_logits=True), y[:, None], odds, w), expected)
    if CASES[case][0] != "F1":
        close(once(build(case, num_classes=1), y, p[:, 1:], w), expected)


@every_metric
def test_reset_forgets_everything_and_no_sample_scores_zero(case):
    y, _, p, w = draw()
    metric = build(case)
    close(value(metric), 0)
    metric.update_state(y, p, w)
    metric.reset_state()
    close(value(metric), 0)
    metric.update_state(y[::-1], p[::-1])
    close(value(metric), oracle(case, y, p))


@every_metric
def test_serialisation_keeps_class_and_arguments(case):
    metric = build(case, from_logits=True, ignore_class=255, class_names=["a", "b", "c", "d"], name="mine")
    config = keras.saving.serialize_keras_object(metric)
    copy = keras.saving.deserialize_keras_object(config)
    assert config["registered_name"] == f"imbclf>{CASES[case][0]}"
    assert type(copy) is type(metric)
    assert copy.get_config() == metric.get_config()


@every_metric
def test_a_missing_class_never_yields_nan_and_is_named_where_the_mean_leaves_it_out(case):
    y, _, p, w = draw()
    some = y != 2
    metric = build(case, class_names=["none", "mild", "severe", "worst"])
    metric.update_state(y[some], p[some], w[some])
    _, own, _, is_named = CASES[case]
    if is_named:
        with pytest.warns(UserWarning, match=r"no sample of class 2 \(severe\) has been seen") as record:
            result = value(metric)
        assert len([w for w in record if w.category is UserWarning]) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        result = value(metric)
    if "threshold" in own:
        marks = sklearn.metrics.f1_score(
            np.eye(K)[y[some]], p[some] > own["threshold"], average=None, sample_weight=w[some], zero_division=0
        )
        close(result, np.mean(marks[[0, 1, 3]]))
    else:
        close(result, oracle(case, y[some], p[some], w[some]))


@every_metric
@pytest.mark.parametrize("constant", [0, 3])
def test_data_of_one_class_and_constant_predictions_stay_finite(case, constant):
    metric = build(case)
    right, wrong = np.tile(np.eye(K)[constant], (N, 1)), np.tile(np.eye(K)[1], (N, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for p in (right, wrong):
            assert np.isfinite(once(metric, np.full(N, constant), p)).all()


@every_metric
def test_half_precision_predictions_give_the_value_of_their_rounded_probabilities(case):
    y, _, p, _ = draw()
    p = p.astype("float16")
    close(once(build(case), y, p), oracle(case, y, p))


@every_metric
def test_a_label_out_of_range_is_an_error_or_nan_but_never_a_number(case):
    y, _, p, _ = draw()
    y[3] = K
    with pytest.raises(ValueError, match=rf"integer labels 0..{K - 1}.*received {K}"):
        build(case).update_state(y, p)
    metric = build(case)
    if keras.backend.backend() == "jax":
        import jax

        state = jax.jit(metric.stateless_update_state)([v.value for v in metric.variables], y, p)
        result = metric.stateless_result(state)
    else:
        import tensorflow as tf

        tf.function(metric.update_state)(tf.constant(y), tf.constant(p))
        result = metric.result()
    assert np.isnan(keras.ops.convert_to_numpy(result)).any()


@every_metric
def test_predictions_of_another_width_are_refused(case):
    y, _, p, _ = draw()
    with pytest.raises(InputError, match=r"num_classes=4 and expects y_pred of shape \(batch, \*space, 4\); received"):
        build(case).update_state(y, p[:, :3])


def exported_metrics():
    found = {name: getattr(imbclf.metrics, name) for name in imbclf.metrics.__all__}
    return {
        name: value
        for name, value in found.items()
        if inspect.isclass(value) and issubclass(value, keras.metrics.Metric)
    }


def test_every_exported_class_is_in_the_contract():
    assert {name for name, *_ in CASES.values()} == set(exported_metrics())


def test_callbacks_know_the_direction_of_every_metric():
    directions = {name: metric(3)._direction for name, metric in exported_metrics().items()}
    assert {name for name, direction in directions.items() if direction == "down"} == {"ExpectedCalibrationError"}
    assert set(directions.values()) == {"up", "down"}
