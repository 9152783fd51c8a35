"""Bootstrap bands around ROC and precision-recall curves."""

import numpy as np

from imbclf.evaluation.resampling import resample_counts
from imbclf.evaluation.scores import check_predictions

GRID = np.linspace(0, 1, 101)


def curve_bands(y, probabilities, patients=None, repeats=300, level=0.95, seed=0):
    """Pointwise percentile bands of the one-vs-rest curves of each class, on the resamples of `resample_counts`.

    Args:
        y: true classes `(n,)`.
        probabilities: `(n, K)`.
        patients, repeats, level, seed: as in `scores_with_intervals`.

    Returns:
        {"roc": true positive rate at 101 false positive rates, "precision_recall": precision at 101 recalls}: arrays
        `(K, 2, 101)` with the lower and the upper edge; NaN for a class that is missing or alone.

    Example:

    >>> y = np.repeat([0, 1], 20)
    >>> bands = curve_bands(y, np.eye(2)[y])
    >>> bands["roc"].shape, (bands["roc"] == 1).all()
    ((2, 2, 101), np.True_)
    """
    y, probabilities, class_names = check_predictions(y, probabilities)
    curves = {name: np.full((len(class_names), repeats, len(GRID)), np.nan) for name in ("roc", "precision_recall")}
    begin = 0
    for counts in resample_counts(y, repeats, seed, patients):
        block = slice(begin, begin + counts.shape[1])
        for k in range(len(class_names)):
            if 0 < np.count_nonzero(y == k) < len(y):
                curves["roc"][k, block], curves["precision_recall"][k, block] = _curves(
                    y == k, probabilities[:, k], counts
                )
        begin += counts.shape[1]
    edges = [(1 - level) / 2, (1 + level) / 2]
    return {name: np.quantile(values, edges, axis=1).transpose(1, 0, 2) for name, values in curves.items()}


def _curves(positive, score, counts):
    """True positive rate and precision on the grid, `(R, 101)` each."""
    order = np.argsort(-score, kind="stable")
    # Samples of one score are called together, so a curve has a point only after the last of them.
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    called = counts[order].cumsum(axis=0)[last]
    true_positives = np.where(positive[order][:, None], counts[order], 0).cumsum(axis=0)[last]
    rates, precisions = [], []
    for hits, all_called in zip(true_positives.T.astype(np.float64), called.T.astype(np.float64)):
        misses = all_called - hits
        if hits[-1] == 0 or misses[-1] == 0:
            rates.append(np.full(len(GRID), np.nan))
            precisions.append(np.full(len(GRID), np.nan))
            continue
        reached = np.searchsorted(misses / misses[-1], GRID, side="right")
        rates.append(np.r_[0, hits / hits[-1]][reached])
        precisions.append((hits / np.maximum(all_called, 1))[np.searchsorted(hits / hits[-1], np.maximum(GRID, 1e-9))])
    return np.array(rates), np.array(precisions)
