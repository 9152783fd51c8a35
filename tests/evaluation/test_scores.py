import warnings

import numpy as np
import pytest
from sklearn import metrics

from imbclf.errors import InputError
from imbclf.evaluation.resampling import CountedScores, resample_counts, resampled_scores
from imbclf.evaluation.scores import expected_calibration_error, scores


def predictions(n=300, num_classes=4, seed=0, digits=None):
    """Labels with a long tail and probabilities that know a little; `digits` rounds them, which makes ties."""
    rng = np.random.default_rng(seed)
    y = rng.choice(num_classes, n, p=np.arange(num_classes, 0, -1) / np.arange(1, num_classes + 1).sum())
    y[:num_classes] = np.arange(num_classes)
    probabilities = rng.dirichlet(np.ones(num_classes), n) + 0.3 * np.eye(num_classes)[y]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return y, probabilities if digits is None else probabilities.round(digits)


def by_scikit_learn(y, probabilities):
    """Every score straight from scikit-learn, for data in which each class occurs."""
    classes = range(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, predicted, labels=classes, zero_division=0)
    auc = [metrics.roc_auc_score(y == k, probabilities[:, k]) for k in classes]
    return {
        "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
        "macro_f1": metrics.f1_score(y, predicted, average="macro", labels=classes, zero_division=0),
        "mcc": metrics.matthews_corrcoef(y, predicted),
        "macro_auc": np.mean(auc),
        "accuracy": metrics.accuracy_score(y, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "auc": auc,
        "average_precision": [metrics.average_precision_score(y == k, probabilities[:, k]) for k in classes],
    }


def ece_by_loops(y, probabilities, bins=15):
    total = 0.0
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return total


@pytest.mark.parametrize("num_classes", [2, 5])
def test_scores_are_those_of_scikit_learn(num_classes):
    y, probabilities = predictions(num_classes=num_classes)
    ours, theirs = scores(y, probabilities), by_scikit_learn(y, probabilities)
    for name in ("balanced_accuracy", "macro_f1", "mcc", "macro_auc", "accuracy"):
        assert ours[name] == pytest.approx(theirs[name], abs=1e-12)
    for name in ("precision", "recall", "f1", "auc", "average_precision"):
        per_class = [ours["per_class"][str(k)][name] for k in range(num_classes)]
        np.testing.assert_allclose(per_class, theirs[name], atol=1e-12)
    assert [ours["per_class"][str(k)]["support"] for k in range(num_classes)] == np.bincount(y).tolist()
    assert ours["confusion"] == metrics.confusion_matrix(y, probabilities.argmax(axis=1)).tolist()


def test_one_vs_rest_auc_is_that_of_scikit_learn_for_many_classes():
    y, probabilities = predictions(num_classes=4)
    expected = metrics.roc_auc_score(y, probabilities, multi_class="ovr")
    assert scores(y, probabilities)["macro_auc"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("num_classes", [2, 3, 7])
def test_calibration_error_is_the_sum_over_fifteen_bins(num_classes):
    y, probabilities = predictions(num_classes=num_classes, n=500)
    assert expected_calibration_error(y, probabilities) == pytest.approx(ece_by_loops(y, probabilities), abs=1e-12)


def test_sure_and_right_predictions_are_calibrated():
    y = np.array([0, 1, 2])
    assert expected_calibration_error(y, np.eye(3)[y]) == 0


def test_class_without_a_sample_is_left_out_of_every_mean_with_a_warning_that_names_it():
    y, probabilities = predictions(num_classes=3)
    with_empty = np.hstack([probabilities, np.zeros((len(y), 1))])
    with pytest.warns(UserWarning, match="rare"):
        ours = scores(y, with_empty, ["a", "b", "c", "rare"])
    theirs = by_scikit_learn(y, probabilities)
    for name in ("balanced_accuracy", "macro_f1", "mcc", "macro_auc", "accuracy"):
        assert ours[name] == pytest.approx(theirs[name], abs=1e-12)
    assert np.isnan(ours["per_class"]["rare"]["recall"])


def test_no_warning_where_every_class_occurs():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores(*predictions())


def test_auc_of_one_class_is_undefined():
    with pytest.warns(UserWarning, match="No sample of class 1"):
        ours = scores([0, 0, 0], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    assert np.isnan(ours["macro_auc"])
    assert ours["balanced_accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("y", "probabilities", "message"),
    [
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "0..1"),
        ([0, -1], [[0.5, 0.5], [0.5, 0.5]], "-1"),
        ([0, 0.5], [[0.5, 0.5], [0.5, 0.5]], "integers"),
        ([0], [[0.5, 0.5], [0.5, 0.5]], r"\(1,\) and \(2, 2\)"),
        ([0, 1], [[0.5, 0.5], [np.nan, 0.5]], "row 1"),
        ([], np.zeros((0, 2)), "got none"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(y, probabilities, message):
    with pytest.raises(InputError, match=message):
        scores(y, probabilities)


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("num_classes", [2, 4])
def test_counted_scores_are_those_of_scikit_learn_on_the_resample_written_out(num_classes, digits):
    y, probabilities = predictions(n=120, num_classes=num_classes, digits=digits)
    if digits is not None:
        assert len(np.unique(probabilities[:, 0])) < 20
    counts = np.concatenate(list(resample_counts(y, repeats=8, seed=3)), axis=1)
    fast = CountedScores(y, probabilities)(counts)
    for r in range(counts.shape[1]):
        drawn = np.repeat(np.arange(len(y)), counts[:, r].astype(int))
        for name, expected in by_scikit_learn(y[drawn], probabilities[drawn]).items():
            np.testing.assert_allclose(fast[name][r], expected, atol=1e-9, err_msg=name)
        assert fast["ece"][r] == pytest.approx(ece_by_loops(y[drawn], probabilities[drawn]), abs=1e-9)


def test_counting_each_sample_once_gives_the_plain_scores_even_where_a_class_is_missing():
    y, probabilities = predictions(num_classes=3)
    y[y == 1] = 2
    with pytest.warns(UserWarning, match="No sample of class 1"):
        plain = scores(y, probabilities)
    counted = CountedScores(y, probabilities)(np.ones((len(y), 1)))
    for name in ("balanced_accuracy", "macro_f1", "mcc", "macro_auc", "accuracy", "ece"):
        assert counted[name][0] == pytest.approx(plain[name], abs=1e-9)
    assert np.isnan(counted["auc"][0, 1])


def test_resamples_keep_the_size_of_every_class():
    y, _ = predictions()
    counts = np.concatenate(list(resample_counts(y, repeats=20, seed=0)), axis=1)
    for k in range(4):
        assert (counts[y == k].sum(axis=0) == np.sum(y == k)).all()


def test_samples_of_a_patient_are_drawn_together():
    y, _ = predictions()
    patients = np.array([f"p{i // 3}" for i in range(len(y))])
    counts = np.concatenate(list(resample_counts(y, 20, 0, patients)), axis=1).reshape(-1, 3, 20)
    assert (counts == counts[:, :1]).all()
    assert counts.max() > 1


def test_resamples_do_not_depend_on_how_many_are_held_at_once(monkeypatch):
    y, probabilities = predictions()
    (whole,) = resampled_scores(y, [probabilities], repeats=10, seed=1)
    monkeypatch.setattr("imbclf.evaluation.resampling.BLOCK_VALUES", 3 * len(y))
    (blocks,) = resampled_scores(y, [probabilities], repeats=10, seed=1)
    for name, values in whole.items():
        np.testing.assert_allclose(values, blocks[name], rtol=1e-12)


def test_another_seed_gives_other_resamples():
    y, probabilities = predictions()
    (one,), (other,) = (resampled_scores(y, [probabilities], repeats=10, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one["mcc"], other["mcc"])
