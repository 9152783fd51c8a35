import numpy as np
import pytest
from scipy import stats

from imbclf.evaluation.intervals import interval, paired_difference, scores_with_intervals, thin_classes
from imbclf.evaluation.scores import scores


def hard_predictions(rng, y, recall):
    """One-hot predictions of two classes, right with probability `recall[class]`."""
    right = rng.random(len(y)) < np.asarray(recall)[y]
    return np.eye(2)[np.where(right, y, 1 - y)]


def width(entry):
    return entry["high"] - entry["low"]


def test_intervals_cover_the_true_balanced_accuracy_about_as_often_as_they_say():
    recall = (0.85, 0.6)
    y = np.repeat([0, 1], [150, 60])
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        judged = scores_with_intervals(y, hard_predictions(rng, y, recall), repeats=200)["scores"]["balanced_accuracy"]
        covered += judged["low"] <= np.mean(recall) <= judged["high"]
    # 200 draws of a probability of 0.95 fall below 179 once in a thousand times; a little is lost to 60 samples.
    assert 178 <= covered <= 199


def test_width_is_that_of_the_normal_approximation_on_large_data():
    recall = np.array([0.9, 0.7])
    y = np.repeat([0, 1], [2000, 800])
    probabilities = hard_predictions(np.random.default_rng(1), y, recall)
    entry = scores_with_intervals(y, probabilities)["scores"]["balanced_accuracy"]
    error = np.sqrt(np.sum(recall * (1 - recall) / [2000, 800])) / 2
    assert width(entry) == pytest.approx(2 * stats.norm.ppf(0.975) * error, rel=0.1)


def test_intervals_by_patient_are_wider_than_by_image_on_images_shown_four_times():
    rng = np.random.default_rng(2)
    y = np.repeat([0, 1], [60, 30])
    probabilities = hard_predictions(rng, y, (0.8, 0.7))
    y4, probabilities4, patients = np.tile(y, 4), np.tile(probabilities, (4, 1)), np.tile(np.arange(90), 4).astype(str)
    single = scores_with_intervals(y, probabilities)["scores"]["mcc"]
    naive = scores_with_intervals(y4, probabilities4)["scores"]["mcc"]
    by_patient = scores_with_intervals(y4, probabilities4, patients=patients)["scores"]["mcc"]
    assert width(naive) == pytest.approx(width(single) / 2, rel=0.15)
    assert width(by_patient) == pytest.approx(width(single), rel=0.15)


def test_images_without_a_patient_are_units_of_their_own():
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], 20)
    probabilities = hard_predictions(rng, y, (0.8, 0.7))
    nameless = scores_with_intervals(y, probabilities, patients=np.full(40, ""))
    assert nameless == scores_with_intervals(y, probabilities)


def test_values_are_those_of_scores_and_lie_inside_their_intervals():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, 200)
    probabilities = rng.dirichlet(np.ones(3), 200) + 0.5 * np.eye(3)[y]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    judged, plain = scores_with_intervals(y, probabilities), scores(y, probabilities)
    for name, entry in judged["scores"].items():
        assert entry["value"] == plain[name]
        assert entry["low"] < entry["value"] < entry["high"]
    for name, of_class in judged["per_class"].items():
        assert of_class["recall"]["value"] == plain["per_class"][name]["recall"]
        assert of_class["recall"]["low"] < of_class["recall"]["value"] < of_class["recall"]["high"]


def test_undefined_scores_are_none():
    with pytest.warns(UserWarning, match="No sample of class 1"):
        judged = scores_with_intervals([0, 0], [[0.9, 0.1], [0.2, 0.8]])
    assert judged["scores"]["macro_auc"] == {"value": None, "low": None, "high": None}
    assert judged["per_class"]["1"]["f1"] == {"value": None, "low": None, "high": None}
    assert judged["scores"]["accuracy"]["value"] == 0.5


def test_a_prediction_set_does_not_differ_from_itself():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 100)
    probabilities = hard_predictions(rng, y, (0.8, 0.7))
    for entry in paired_difference(y, probabilities, probabilities).values():
        assert entry == {"value": 0, "low": 0, "high": 0}


def test_pairing_finds_a_small_difference_that_the_two_intervals_hide():
    rng = np.random.default_rng(6)
    y = np.repeat([0, 1], [200, 100])
    better = hard_predictions(rng, y, (0.8, 0.7))
    worse = better.copy()
    wrong_now = rng.choice(np.flatnonzero(better.argmax(axis=1) == y), 15, replace=False)
    worse[wrong_now] = 1 - worse[wrong_now]
    one, other = (scores_with_intervals(y, p)["scores"]["balanced_accuracy"] for p in (better, worse))
    assert one["low"] < other["high"]
    difference = paired_difference(y, better, worse)["balanced_accuracy"]
    assert difference["low"] > 0
    assert difference["value"] == pytest.approx(one["value"] - other["value"])


def test_difference_changes_sign_when_the_two_are_swapped():
    rng = np.random.default_rng(7)
    y = rng.integers(0, 2, 80)
    one, other = hard_predictions(rng, y, (0.9, 0.7)), hard_predictions(rng, y, (0.6, 0.7))
    forward, backward = paired_difference(y, one, other), paired_difference(y, other, one)
    for name, entry in forward.items():
        assert entry["low"] == pytest.approx(-backward[name]["high"])
        assert entry["value"] == pytest.approx(-backward[name]["value"])


def test_interval_leaves_nan_out_and_centres_on_request():
    resampled = np.r_[np.linspace(0.2, 0.4, 101), np.nan]
    assert interval(0.1, resampled, level=0.9) == pytest.approx({"value": 0.1, "low": 0.21, "high": 0.39})
    centred = interval(0.2, resampled, level=0.9, centred=True)
    assert centred == pytest.approx({"value": 0.2, "low": 0.11, "high": 0.29})


def test_classes_of_few_patients_are_named():
    y = np.repeat([0, 1], [40, 20])
    patients = np.array([f"a{i}" for i in range(40)] + ["b"] * 20)
    assert thin_classes(y, ["common", "rare"], patients) == [
        "Class rare has only 1 patient: its intervals are rough, likely too narrow."
    ]
