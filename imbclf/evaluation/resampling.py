"""The bootstrap: which samples are drawn how often, and every score on every resample at once."""

import numpy as np
from scipy.sparse import csr_array

from imbclf.errors import InputError
from imbclf.evaluation.scores import CLASS_SCORES, ECE_BINS, SCORES, calibration_bins, check_predictions

# Counts of one block of resamples held at a time, in float32: exact up to 2^24, far above the images of any test set.
BLOCK_VALUES = 4 * 2**20


def resample_counts(y, repeats, seed, patients=None):
    """How often each sample is in each bootstrap resample.

    Units (patients where named, else samples) are drawn with replacement within their class, as many as there are, so
    that no class vanishes. A patient brings all of their samples and counts as of the class most of them have (the
    smaller index on a tie). A sample with patient "" is a unit of its own. Resample r depends on nothing
    but (seed, r, y, patients).

    Args:
        y: classes, `(n,)`.
        repeats: number of resamples, 0 or more.
        seed: non-negative integer.
        patients: names, `(n,)`, or None.

    Yields:
        Float32 counts `(n, block)`, the blocks adding up to `repeats` columns; one empty block for 0.

    Raises:
        InputError: a negative number of resamples, or patients that do not match the labels.

    Example:

    >>> counts = np.concatenate(list(resample_counts(np.array([0, 0, 0, 1]), repeats=3, seed=0)), axis=1)
    >>> counts.sum(axis=0), counts[3]
    (array([4., 4., 4.], dtype=float32), array([1., 1., 1.], dtype=float32))
    """
    if repeats < 0:
        raise InputError(f"Expected a number of resamples of 0 (no intervals) or more, got {repeats}.")
    unit_of_sample, unit_class = units(y, patients)
    order = np.argsort(unit_class, kind="stable")
    _, first, inverse, size = np.unique(unit_class[order], return_index=True, return_inverse=True, return_counts=True)
    start, size = first[inverse], size[inverse]
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    position_of_sample = position[unit_of_sample]
    block = max(1, BLOCK_VALUES // len(y))
    for begin in range(0, max(1, repeats), block):
        counts = np.empty((min(block, repeats - begin), len(y)), dtype=np.float32)
        for row in range(len(counts)):
            drawn = start + np.random.default_rng([seed, begin + row]).integers(0, size)
            counts[row] = np.bincount(drawn, minlength=len(order))[position_of_sample]
        yield np.ascontiguousarray(counts.T)


def units(y, patients=None):
    """The unit of each sample `(n,)` and the class of each unit, as `resample_counts` defines them."""
    if patients is None:
        return np.arange(len(y)), np.asarray(y)
    patients = np.asarray(patients, dtype=str)
    if patients.shape != np.shape(y):
        raise InputError(f"Expected one patient per sample, got {patients.shape} patients for {np.shape(y)} labels.")
    named = patients != ""
    names, unit_of_named = np.unique(patients[named], return_inverse=True)
    unit_of_sample = np.empty(len(y), dtype=np.int64)
    unit_of_sample[named] = unit_of_named
    unit_of_sample[~named] = len(names) + np.arange(np.count_nonzero(~named))
    votes = np.zeros((unit_of_sample.max() + 1, np.max(y) + 1))
    np.add.at(votes, (unit_of_sample, y), 1)
    return unit_of_sample, votes.argmax(axis=1)


class CountedScores:
    """Every score of `imbclf.evaluation.scores`, with each sample counted as often as a resample has it.

    Called with counts `(n, R)` it gives {score: `(R,)`, class score: `(R, K)`}, equal to the scores of the R resamples
    written out. Sorting and tie groups are worked out once, so that a resample costs a few passes over its counts.

    Args:
        y: true classes `(n,)`.
        probabilities: `(n, K)`.

    Example:

    >>> counted = CountedScores([0, 0, 1], [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
    >>> counted(np.array([[1.0], [3.0], [1.0]]))["recall"]
    array([[0.25, 1. ]])
    """

    def __init__(self, y, probabilities):
        self.y, self.probabilities, class_names = check_predictions(y, probabilities)
        self.num_classes = len(class_names)
        n = np.arange(len(self.y))
        cell = self.y * self.num_classes + self.probabilities.argmax(axis=1)
        self._cells = csr_array((np.ones(len(n)), (cell, n)), shape=(self.num_classes**2, len(n)))
        bin_index, confidence, correct = calibration_bins(self.y, self.probabilities)
        self._gaps = csr_array((correct - confidence, (bin_index, n)), shape=(ECE_BINS, len(n)))
        self._rankings = [_ranking(column, self.y == k) for k, column in enumerate(self.probabilities.T)]

    def __call__(self, counts):
        counts = np.asarray(counts, dtype=np.float32)
        confusion = (
            (self._cells @ counts).astype(np.float64).reshape(self.num_classes, self.num_classes, -1).transpose(2, 0, 1)
        )
        total = confusion.sum(axis=(1, 2))
        true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
        hits = np.einsum("rkk->rk", confusion)
        absent = true == 0
        columns = {
            "precision": np.where(absent, np.nan, hits / np.maximum(predicted, 1)),
            "recall": np.where(absent, np.nan, hits / np.maximum(true, 1)),
            "f1": np.where(absent, np.nan, 2 * hits / np.maximum(true + predicted, 1)),
        }
        nothing = np.full((2, counts.shape[1]), np.nan)
        areas = [self._areas(k, counts) if (self.y == k).any() else nothing for k in range(self.num_classes)]
        columns["auc"], columns["average_precision"] = (np.stack(values, axis=1) for values in zip(*areas))
        values = {
            "balanced_accuracy": _mean_over_present(columns["recall"], ~absent),
            "macro_f1": _mean_over_present(columns["f1"], ~absent),
            "mcc": _matthews(hits.sum(axis=1), true, predicted, total),
            "macro_auc": _mean_over_present(columns["auc"], ~absent),
            "accuracy": hits.sum(axis=1) / total,
            "ece": np.abs(self._gaps @ counts).sum(axis=0) / total,
        }
        return {name: values[name] for name in SCORES} | {name: columns[name] for name in CLASS_SCORES}

    def _areas(self, k, counts):
        """One-vs-rest ROC AUC and average precision of class k, `(R,)` each."""
        order, group_start, positives_of_group, first, last = self._rankings[k]
        called = counts[order].cumsum(axis=0)
        total = called[-1].astype(np.float64)
        # Thresholds where no positive sits add nothing to either area.
        before = np.where(first[:, None] > 0, called[first - 1], 0).astype(np.float64)
        called = called[last].astype(np.float64)
        positive = np.add.reduceat(counts[positives_of_group], group_start, axis=0).astype(np.float64)
        true_positives = positive.cumsum(axis=0)
        positives = true_positives[-1]
        negatives = total - positives
        # A positive ranks above the negatives below its group; a tie with a negative is worth one half.
        tied = called - before - positive
        below = negatives - (called - true_positives) + tied / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            area = np.einsum("gr,gr->r", positive, below) / (positives * negatives)
            precision = true_positives / np.maximum(called, 1)
            average_precision = np.einsum("gr,gr->r", positive, precision) / positives
        return np.where(positives * negatives > 0, area, np.nan), np.where(positives > 0, average_precision, np.nan)


def resampled_scores(y, predictions, repeats=1000, seed=0, patients=None):
    """Scores of one or more sets of probabilities on the same bootstrap resamples: their differences are paired.

    Args:
        y: true classes `(n,)`.
        predictions: list of probabilities `(n, K)`.
        repeats, seed, patients: as in `resample_counts`.

    Returns:
        One dictionary for each set: {score: `(repeats,)`, class score: `(repeats, K)`}.
    """
    counted = [CountedScores(y, probabilities) for probabilities in predictions]
    blocks = [
        [scored(counts) for scored in counted] for counts in resample_counts(counted[0].y, repeats, seed, patients)
    ]
    return [
        {name: np.concatenate([block[i][name] for block in blocks]) for name in blocks[0][i]}
        for i in range(len(counted))
    ]


def _ranking(column, positive):
    """Samples from the largest value down, and the groups of equal values that hold a positive sample.

    Returns:
        `order` of all samples; the start of each group within the ordered positives; those positives; the first and the
        last place of each group within `order`.
    """
    order = np.argsort(-column, kind="stable")
    descending = column[order]
    first = np.flatnonzero(np.r_[True, descending[1:] != descending[:-1]])
    last = np.r_[first[1:], len(column)] - 1
    place = np.flatnonzero(positive[order])
    group, start = np.unique(np.searchsorted(first, place, side="right") - 1, return_index=True)
    return order, start, order[place], first[group], last[group]


def _mean_over_present(values, present):
    """Mean over the classes that a resample has; NaN where one of them has no value."""
    return np.where(present, values, 0).sum(axis=1) / present.sum(axis=1)


def _matthews(hits, true, predicted, total):
    covariance = hits * total - (true * predicted).sum(axis=1)
    spread = (total**2 - (true**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1)), 0)
