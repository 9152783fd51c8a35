"""Bootstrap intervals of scores, and of the difference between two sets of predictions."""

import numpy as np

from imbclf.errors import InputError
from imbclf.evaluation.resampling import CountedScores, resampled_scores, units
from imbclf.evaluation.scores import CLASS_SCORES, SCORES, check_predictions, scores

COMPARED = ("balanced_accuracy", "macro_f1", "mcc", "macro_auc")


def interval(value, resampled, level=0.95, centred=False):
    """Percentile interval of one score: {"value", "low", "high"}, each a float or None where it is undefined.

    Args:
        value: the score on the data.
        resampled: the score on each resample, `(repeats,)`; NaN is left out.
        level: share of the resamples inside.
        centred: shift the resamples so that their mean is `value`. For a score that resampling biases, such as the
            expected calibration error: a mean of absolute gaps grows with noise, so plain percentiles lie too high.

    Example:

    >>> interval(0.5, np.linspace(0.0, 1.0, 101), level=0.9)
    {'value': 0.5, 'low': 0.05, 'high': 0.95}
    """
    resampled = np.asarray(resampled)[np.isfinite(resampled)]
    if not np.isfinite(value) or len(resampled) == 0:
        return {"value": float(value) if np.isfinite(value) else None, "low": None, "high": None}
    if centred:
        resampled = np.clip(resampled - resampled.mean() + value, 0, 1)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return {"value": float(value), "low": float(low), "high": float(high)}


def scores_with_intervals(
    y, probabilities, class_names=None, patients=None, repeats=1000, level=0.95, seed=0, resampled=None
):
    """`scores` with bootstrap percentile intervals, by patient where patients are named.

    Resamples are stratified by class (`resample_counts`); the interval of `ece` is centred (`interval`).

    Args:
        y, probabilities, class_names: as in `scores`.
        patients: name of the patient of each sample, "" where unknown, or None.
        repeats, level, seed: number of resamples, coverage, seed.
        resampled: one entry of `resampled_scores` for these predictions, where it was computed before.

    Returns:
        {"scores": {name: {"value", "low", "high"}}, "per_class": {class: {name: {"value", "low", "high"},
        "support": int}}, "confusion": counts}; an undefined value is None.

    Example:

    >>> y = np.repeat([0, 1], [90, 10])
    >>> probabilities = np.where(np.arange(100)[:, None] % 10 > 0, np.eye(2)[y], 1 - np.eye(2)[y])
    >>> scores_with_intervals(y, probabilities)["scores"]["balanced_accuracy"]
    {'value': 0.9, 'low': 0.783, 'high': 0.972}
    """
    y, probabilities, class_names = check_predictions(y, probabilities, class_names)
    values = scores(y, probabilities, class_names)
    if resampled is None:
        (resampled,) = resampled_scores(y, [probabilities], repeats, seed, patients)
    per_class = {}
    for k, name in enumerate(class_names):
        of_class = values["per_class"][name]
        per_class[name] = {score: interval(of_class[score], resampled[score][:, k], level) for score in CLASS_SCORES}
        per_class[name]["support"] = of_class["support"]
    return {
        "scores": {name: interval(values[name], resampled[name], level, centred=name == "ece") for name in SCORES},
        "per_class": per_class,
        "confusion": values["confusion"],
    }


def paired_difference(y, probabilities, reference, patients=None, repeats=1000, level=0.95, seed=0, resampled=None):
    """Score of one set of predictions minus that of another, with the interval over the same resamples.

    An interval above 0 says that `probabilities` beat `reference` by more than the choice of test images explains.

    Args:
        y: true classes `(n,)`.
        probabilities, reference: `(n, K)` each, of the same samples.
        patients, repeats, level, seed: as in `scores_with_intervals`.
        resampled: the pair of entries of `resampled_scores` for both, where it was computed before.

    Returns:
        {name: {"value", "low", "high"}} for balanced_accuracy, macro_f1, mcc and macro_auc.

    Example:

    >>> y = np.repeat([0, 1], 50)
    >>> paired_difference(y, np.eye(2)[y], np.full((100, 2), 0.5))["balanced_accuracy"]
    {'value': 0.5, 'low': 0.5, 'high': 0.5}
    """
    y, probabilities, _ = check_predictions(y, probabilities)
    _, reference, _ = check_predictions(y, reference)
    if probabilities.shape != reference.shape:
        raise InputError(
            f"Expected two sets of predictions of one shape, got {probabilities.shape} and {reference.shape}."
        )
    ours, theirs = resampled or resampled_scores(y, [probabilities, reference], repeats, seed, patients)
    once = np.ones((len(y), 1))
    value, reference_value = CountedScores(y, probabilities)(once), CountedScores(y, reference)(once)
    return {
        name: interval(value[name][0] - reference_value[name][0], ours[name] - theirs[name], level) for name in COMPARED
    }


def thin_classes(y, class_names, patients=None, fewest=10):
    """Sentences on the classes with so few units that an interval says little.

    A class of a single unit is the same in every resample: its spread is invisible, not small.

    Example:

    >>> thin_classes(np.repeat([0, 1], [50, 4]), ["benign", "malignant"])
    ['Class malignant has only 4 images: its intervals are rough, likely too narrow.']
    """
    unit = "patients" if patients is not None else "images"
    _, unit_class = units(np.asarray(y), patients)
    counts = np.bincount(unit_class, minlength=len(class_names))
    return [
        f"Class {name} has only {count} {unit if count > 1 else unit[:-1]}: its intervals are rough, likely too narrow."
        for name, count in zip(class_names, counts)
        if 0 < count < fewest
    ]
