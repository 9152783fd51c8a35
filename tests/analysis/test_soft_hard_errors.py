import numpy as np
import pytest

from imbclf.analysis import constant_confidence_bias, soft_and_hard_errors
from imbclf.errors import InputError

GROUPS = ("false_positives", "true_negatives", "false_negatives", "true_positives")


def draw(num_classes=3, shape=(2, 5, 6), seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, num_classes, shape), random.dirichlet(np.full(num_classes, 0.5), shape)


def loops(y, p, threshold, weights=None):
    """Counts and sums of errors of one foreground, voxel by voxel: {group: (count, sum)}."""
    groups = {name: [0.0, 0.0] for name in GROUPS}
    for foreground, probability, weight in zip(y, p, np.ones(len(y)) if weights is None else weights):
        if foreground:
            name, error = ("true_positives" if probability > threshold else "false_negatives"), 1 - probability
        else:
            name, error = ("false_positives" if probability > threshold else "true_negatives"), probability
        groups[name][0] += weight
        groups[name][1] += weight * error
    return groups


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
def test_counts_and_terms_are_those_of_a_loop_over_voxels_for_each_class_against_the_rest(threshold):
    y, p = draw()
    weights = np.random.default_rng(1).uniform(0, 2, y.shape)
    errors = soft_and_hard_errors(y, p, threshold, sample_weight=weights)
    for k in range(3):
        groups = loops(y.ravel() == k, p[..., k].ravel(), threshold, weights.ravel())
        for name in GROUPS:
            assert getattr(errors, f"hard_{name}")[k] == pytest.approx(groups[name][0], abs=1e-12)
        assert errors.main_false_positives[k] == pytest.approx(groups["false_positives"][1], abs=1e-12)
        assert errors.bias_false_positives[k] == pytest.approx(groups["true_negatives"][1], abs=1e-12)
        assert errors.main_false_negatives[k] == pytest.approx(groups["false_negatives"][1], abs=1e-12)
        assert errors.bias_false_negatives[k] == pytest.approx(groups["true_positives"][1], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_soft_errors_are_error_rates_times_hard_counts_as_in_equations_9_and_10_of_the_appendix(seed):
    y, p = draw(seed=seed, shape=(400,))
    errors = soft_and_hard_errors(y, p)
    one_hot = np.eye(3)[y]
    b, f = (1 - one_hot).sum(axis=0), one_hot.sum(axis=0)
    fp, fn = errors.hard_false_positives, errors.hard_false_negatives
    soft_fp = errors.background_error_above * fp + errors.background_error_below * (b - fp)
    soft_fn = errors.foreground_error_below * fn + errors.foreground_error_above * (f - fn)
    np.testing.assert_allclose(soft_fp, (p * (1 - one_hot)).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(soft_fn, ((1 - p) * one_hot).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(errors.soft_false_positives, soft_fp, rtol=1e-12)
    np.testing.assert_allclose(errors.soft_false_negatives, soft_fn, rtol=1e-12)
    np.testing.assert_allclose(errors.difference, soft_fp - soft_fn, atol=1e-11)


def test_soft_errors_differ_by_predicted_minus_true_volume():
    y, p = draw()
    volumes = p.sum(axis=(0, 1, 2)) - np.bincount(y.ravel(), minlength=3)
    np.testing.assert_allclose(soft_and_hard_errors(y, p).difference, volumes, atol=1e-12)


@pytest.mark.parametrize("confidence", [0.55, 0.9, 0.99])
@pytest.mark.parametrize(("background", "foreground", "wrong"), [(950, 50, 20), (300, 300, 10), (40, 90, 7)])
def test_constant_confidence_gives_equations_8_to_10(confidence, background, foreground, wrong):
    y = np.repeat([0, 1], [background, foreground])
    called = y.copy()
    called[:wrong] = 1
    called[-wrong:] = 0
    errors = soft_and_hard_errors(y, np.where(called == 1, confidence, 1 - confidence))
    expected_fp = confidence * wrong + (1 - confidence) * (background - wrong)
    expected_fn = confidence * wrong + (1 - confidence) * (foreground - wrong)
    np.testing.assert_allclose(errors.soft_false_positives, [expected_fp], rtol=1e-12)
    np.testing.assert_allclose(errors.soft_false_negatives, [expected_fn], rtol=1e-12)
    expected = constant_confidence_bias(confidence, background, foreground)
    np.testing.assert_allclose(errors.difference, [expected], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(errors.bias_difference, [expected], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(expected, (1 - confidence) * (background - foreground), rtol=1e-12)


def test_hard_predictions_have_no_bias_and_soft_errors_equal_hard_errors():
    y, p = draw()
    errors = soft_and_hard_errors(y, np.eye(3)[p.argmax(-1)])
    np.testing.assert_array_equal(errors.bias_false_positives, 0)
    np.testing.assert_array_equal(errors.bias_false_negatives, 0)
    np.testing.assert_array_equal(errors.soft_false_positives, errors.hard_false_positives)
    np.testing.assert_array_equal(errors.soft_false_negatives, errors.hard_false_negatives)


def test_a_foreground_probability_is_the_second_of_two_classes_in_any_shape():
    y, p = draw(num_classes=2)
    of_two = soft_and_hard_errors(y, p)
    for labels, foreground in ((y, p[..., 1]), (y, p[..., 1:]), (y[..., None], p[..., 1:])):
        of_one = soft_and_hard_errors(labels, foreground)
        for name in ("main_false_positives", "bias_false_positives", "main_false_negatives", "bias_false_negatives"):
            np.testing.assert_allclose(getattr(of_one, name), getattr(of_two, name)[1:], rtol=1e-12)
    np.testing.assert_array_equal(soft_and_hard_errors(y[..., None], p).difference, of_two.difference)


def test_two_classes_mirror_each_other():
    errors = soft_and_hard_errors(*draw(num_classes=2))
    np.testing.assert_allclose(errors.soft_false_positives, errors.soft_false_negatives[::-1], rtol=1e-12)
    np.testing.assert_array_equal(errors.hard_false_positives, errors.hard_false_negatives[::-1])


def test_a_voxel_at_the_threshold_is_called_background():
    errors = soft_and_hard_errors([0, 1], [0.5, 0.5])
    np.testing.assert_array_equal(errors.hard_false_positives, [0])
    np.testing.assert_array_equal(errors.hard_false_negatives, [1])


def test_weight_of_zero_and_ignored_labels_equal_voxels_removed():
    y, p = draw(shape=(60,))
    kept = np.arange(60) % 3 > 0
    ignored = np.where(kept, y, 255)
    p_ignored = np.where(kept[:, None], p, np.nan)
    removed = soft_and_hard_errors(y[kept], p[kept])
    for errors in (
        soft_and_hard_errors(y, p, sample_weight=kept.astype(float)),
        soft_and_hard_errors(ignored, p_ignored, ignore_class=255),
    ):
        for name, value in vars(removed).items():
            np.testing.assert_allclose(getattr(errors, name), value, rtol=1e-12)


def test_weight_two_equals_the_image_twice():
    y, p = draw()
    twice = soft_and_hard_errors(np.concatenate([y, y[:1]]), np.concatenate([p, p[:1]]))
    weighted = soft_and_hard_errors(y, p, sample_weight=[2.0, 1.0])
    for name, value in vars(twice).items():
        np.testing.assert_allclose(getattr(weighted, name), value, rtol=1e-12)


def test_rate_of_a_group_without_a_voxel_is_nan():
    errors = soft_and_hard_errors([0, 1], [0.1, 0.9])
    assert np.isnan(errors.background_error_above).all()
    assert np.isnan(errors.foreground_error_below).all()
    np.testing.assert_allclose([errors.background_error_below, errors.foreground_error_above], [[0.1], [0.1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_true": [0, 1], "y_pred": [[0.5, 0.5]] * 3}, "does not fit"),
        ({"y_true": [], "y_pred": []}, "at least one voxel"),
        ({"y_true": [0, 3], "y_pred": [[0.5, 0.5]] * 2}, "labels 0..1; received 3"),
        ({"y_true": [0, 2], "y_pred": [0.5, 0.5]}, "labels 0..1; received 2"),
        ({"y_true": [0, 1], "y_pred": [-3.0, 4.0]}, "not logits; received -3.0"),
        ({"y_true": [0, 1], "y_pred": [0.5, np.nan]}, "received nan"),
        ({"y_true": [0, 1], "y_pred": [0.5, 0.5], "threshold": 1.0}, "threshold"),
        ({"y_true": [0, 1], "y_pred": [0.5, 0.5], "sample_weight": [1.0, -1.0]}, "not negative"),
        ({"y_true": [0, 1], "y_pred": [0.5, 0.5], "sample_weight": [1.0]}, r"sample_weight must be \(2,\)"),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(arguments, message):
    with pytest.raises(InputError, match=message):
        soft_and_hard_errors(**arguments)
