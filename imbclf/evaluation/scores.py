"""Scores of predicted probabilities under class imbalance, each as the field defines it."""

import warnings

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
    roc_auc_score,
)

from imbclf.errors import InputError

SCORES = ("balanced_accuracy", "macro_f1", "mcc", "macro_auc", "accuracy", "ece")
CLASS_SCORES = ("precision", "recall", "f1", "auc", "average_precision")
ECE_BINS = 15


def scores(y, probabilities, class_names=None):
    """Scores of `n` predictions over `K` classes; the predicted class is the one with the largest probability.

    - `balanced_accuracy`: mean recall over the classes, in [0, 1]; 1 / K for chance.
    - `macro_f1`: mean over the classes of 2TP / (2TP + FP + FN), in [0, 1].
    - `mcc`: Gorodkin's R_K (2004), in [-1, 1], 0 where only one class is predicted.
    - `macro_auc`: mean one-vs-rest area under the ROC curve, in [0, 1], 0.5 for chance.
    - `accuracy`: share of right predictions.
    - `ece`: `expected_calibration_error` over 15 bins, in [0, 1], 0 is best.
    - `per_class`: `precision`, `recall`, `f1`, `auc`, `average_precision`, `support` by class name. The precision of a
      class that is never predicted is 0.
    - `confusion`: counts, row is the true class, column the predicted one.

    A class without a sample in `y` has NaN scores and is left out of every mean, with a warning that names it. The AUC
    of data with one class is NaN.

    Args:
        y: true classes, integers `0..K-1`, `(n,)`.
        probabilities: `(n, K)`.
        class_names: `K` names; "0", "1", ... where not given.

    Returns:
        A dictionary of floats, with `per_class` and `confusion` as described.

    Raises:
        InputError: shapes that do not fit, no sample, a label outside the classes, NaN or infinity.

    Example:

    >>> result = scores([0, 0, 0, 1], [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]], ["benign", "malignant"])
    >>> print(result["accuracy"], round(result["balanced_accuracy"], 3), result["per_class"]["malignant"]["precision"])
    0.75 0.833 0.5
    >>> result["confusion"]
    [[2, 1], [0, 1]]
    """
    y, probabilities, class_names = check_predictions(y, probabilities, class_names)
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(y, predicted, labels=classes)
    support = confusion.sum(axis=1)
    absent = support == 0
    warn_of_absent_classes(support, class_names)
    precision, recall, f1, _ = precision_recall_fscore_support(y, predicted, labels=classes, zero_division=0)
    one_class = np.count_nonzero(support) == 1
    auc, average_precision = np.full((2, len(classes)), np.nan)
    for k in classes[~absent]:
        average_precision[k] = average_precision_score(y == k, probabilities[:, k])
        if not one_class:
            auc[k] = roc_auc_score(y == k, probabilities[:, k])
    columns = {
        "precision": np.where(absent, np.nan, precision),
        "recall": np.where(absent, np.nan, recall),
        "f1": np.where(absent, np.nan, f1),
        "auc": auc,
        "average_precision": average_precision,
    }
    return {
        "balanced_accuracy": float(np.mean(recall[~absent])),
        "macro_f1": float(np.mean(f1[~absent])),
        "mcc": float(matthews_corrcoef(y, predicted)),
        "macro_auc": float(np.mean(auc[~absent])),
        "accuracy": float(accuracy_score(y, predicted)),
        "ece": expected_calibration_error(y, probabilities),
        "per_class": {
            name: {**{score: float(values[k]) for score, values in columns.items()}, "support": int(support[k])}
            for k, name in enumerate(class_names)
        },
        "confusion": confusion.tolist(),
    }


def expected_calibration_error(y, probabilities, bins=ECE_BINS):
    """Mean gap between confidence and accuracy: sum_b (n_b / n) |accuracy_b - confidence_b|.

    Confidence is the largest probability; the bins are `(b / bins, (b + 1) / bins]`. Guo et al. (2017), equation 3.

    Example:

    >>> expected_calibration_error([0, 1], [[0.9, 0.1], [0.9, 0.1]])
    0.4
    """
    bin_index, confidence, correct = calibration_bins(np.asarray(y), np.asarray(probabilities, dtype=np.float64), bins)
    gap = np.bincount(bin_index, weights=correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))


def calibration_bins(y, probabilities, bins=ECE_BINS):
    """Bin, confidence and rightness (0 or 1) of each prediction, as `expected_calibration_error` defines them."""
    confidence = probabilities.max(axis=1)
    correct = (probabilities.argmax(axis=1) == y).astype(np.float64)
    inner_edges = np.arange(1, bins) / bins
    return np.searchsorted(inner_edges, confidence, side="left"), confidence, correct


def check_predictions(y, probabilities, class_names=None):
    """`y` as int64, `probabilities` as float64 and the class names, or an `InputError` that says what does not fit."""
    y, probabilities = np.asarray(y), np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or y.shape != probabilities.shape[:1]:
        raise InputError(
            f"Expected y of shape (n,) and probabilities of shape (n, K), got {y.shape} and {probabilities.shape}."
        )
    n, num_classes = probabilities.shape
    class_names = tuple(str(k) for k in range(num_classes)) if class_names is None else tuple(class_names)
    if len(class_names) != num_classes or num_classes < 2:
        raise InputError(
            f"Expected one column of probabilities per class, two or more, got {num_classes} columns for {class_names}."
        )
    if n == 0:
        raise InputError("Expected at least one prediction to score, got none.")
    if not np.all(np.equal(np.mod(y, 1), 0)) or y.min() < 0 or y.max() >= num_classes:
        raise InputError(
            f"Expected labels that are integers in 0..{num_classes - 1}, got values from {y.min()} to {y.max()}."
        )
    if not np.isfinite(probabilities).all():
        row = int(np.argmin(np.isfinite(probabilities).all(axis=1)))
        raise InputError(
            f"Expected finite probabilities, got {probabilities[row].tolist()} in row {row} (counted from 0)."
        )
    return y.astype(np.int64), probabilities, class_names


def warn_of_absent_classes(support, class_names):
    """Warn once, by name, of the classes that no sample has."""
    absent = [name for name, count in zip(class_names, support) if count == 0]
    if absent:
        warnings.warn(f"No sample of class {', '.join(absent)}: it is left out of the mean scores.", stacklevel=3)
