"""Figures of predicted probabilities: ROC and precision-recall curves, and the reliability diagram."""

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from imbclf.drawing import PALETTE, class_style, new_figure, short_names, styled
from imbclf.evaluation.bands import GRID
from imbclf.evaluation.scores import ECE_BINS, calibration_bins, expected_calibration_error

# A curve is drawn with at most this many points; more cannot be seen and make a large file.
LARGEST_CURVE = 400


@styled
def roc_curves(y, probabilities, class_names, per_class, bands=None):
    """One-vs-rest ROC curve of each class, with the area and its interval in the legend.

    Args:
        y: true classes `(n,)`.
        probabilities: `(n, K)`.
        class_names: K names.
        per_class: {class name: {"auc": {"value", "low", "high"}}}, as `scores_with_intervals` gives it.
        bands: "roc" of `curve_bands`, shaded behind the curves, or None.

    Returns:
        A matplotlib figure; a class without a positive or a negative sample has no curve.
    """
    y, probabilities = np.asarray(y), np.asarray(probabilities)
    figure, (axis,) = new_figure(7.2, _height(class_names))
    _shade(axis, bands)
    shown = short_names(class_names)
    for k, name in enumerate(class_names):
        if 0 < np.count_nonzero(y == k) < len(y):
            false_positives, true_positives, _ = roc_curve(y == k, probabilities[:, k])
            _curve(axis, k, false_positives, true_positives, _label(shown[k], per_class[name]["auc"]))
    axis.plot([0, 1], [0, 1], color="#777777", linestyle=(0, (2, 2)), linewidth=1, label="chance: 0.50")
    axis.set(
        title="ROC, each class against the rest", xlabel="false positive rate", ylabel="true positive rate (recall)"
    )
    _finish(axis, _title("area", per_class, "auc"))
    return figure


@styled
def precision_recall_curves(y, probabilities, class_names, per_class, bands=None):
    """One-vs-rest precision-recall curve of each class, average precision with interval, and the class's share.

    The share of a class (dotted line) is the precision of a classifier that knows nothing; it differs between the
    classes, which is why average precisions are not compared across them.

    Args and returns: as `roc_curves`, with "average_precision" in place of "auc", and bands from "precision_recall".
    """
    y, probabilities = np.asarray(y), np.asarray(probabilities)
    figure, (axis,) = new_figure(7.2, _height(class_names))
    _shade(axis, bands)
    shown = short_names(class_names)
    for k, name in enumerate(class_names):
        if np.any(y == k):
            precision, recall, _ = precision_recall_curve(y == k, probabilities[:, k])
            share = np.mean(y == k)
            label = f"{_label(shown[k], per_class[name]['average_precision'])}, share {share:.2f}"
            # Precision holds from one recall down to the next, as average precision counts it.
            _curve(axis, k, recall[::-1], precision[::-1], label, drawstyle="steps-pre")
            axis.axhline(share, color=class_style(k)["color"], linestyle=(0, (1, 3)), linewidth=1)
    axis.set(title="Precision-recall, each class against the rest", xlabel="recall", ylabel="precision")
    _finish(axis, _title("average precision", per_class, "average_precision"))
    return figure


@styled
def reliability_diagram(y, probabilities):
    """Accuracy against confidence in 15 bins, over the number of predictions in each.

    Args:
        y: true classes `(n,)`.
        probabilities: `(n, K)`; confidence is the largest probability.

    Returns:
        A matplotlib figure.
    """
    y, probabilities = np.asarray(y), np.asarray(probabilities, dtype=np.float64)
    bin_index, confidence, correct = calibration_bins(y, probabilities)
    number = np.bincount(bin_index, minlength=ECE_BINS)
    filled = number > 0
    accuracy = np.bincount(bin_index, weights=correct, minlength=ECE_BINS)[filled] / number[filled]
    sure = np.bincount(bin_index, weights=confidence, minlength=ECE_BINS)[filled] / number[filled]
    middle = (np.arange(ECE_BINS) + 0.5) / ECE_BINS
    figure, axes = new_figure(9.5, 3.4, 2)
    axes[0].plot([0, 1], [0, 1], color="#777777", linestyle=(0, (2, 2)), linewidth=1, label="calibrated")
    axes[0].vlines(
        sure, np.minimum(sure, accuracy), np.maximum(sure, accuracy), color=PALETTE[1], linewidth=2, label="gap"
    )
    axes[0].plot(sure, accuracy, "o", color=PALETTE[0], markersize=5, label="accuracy of the bin")
    error = expected_calibration_error(y, probabilities)
    axes[0].set(
        title=f"Reliability: calibration error {error:.3f}",
        xlabel="confidence",
        ylabel="accuracy",
        xlim=(-0.02, 1.02),
        ylim=(-0.03, 1.04),
    )
    axes[0].legend(loc="upper left")
    axes[1].bar(middle, number, 0.92 / ECE_BINS, color=PALETTE[0])
    axes[1].set(title="How sure the model is", xlabel="confidence", ylabel="images", xlim=(0, 1))
    return figure


def _shade(axis, bands):
    for k, (low, high) in enumerate(() if bands is None else bands):
        axis.fill_between(GRID, low, high, color=class_style(k)["color"], alpha=0.13, linewidth=0)


def _curve(axis, k, x, y, label, **options):
    style = class_style(k)
    if len(x) > LARGEST_CURVE:
        kept = np.unique(np.linspace(0, len(x) - 1, LARGEST_CURVE).round().astype(int))
        x, y = x[kept], y[kept]
    axis.plot(x, y, color=style["color"], linestyle=style["linestyle"], linewidth=1.8, label=label, **options)


def _label(name, entry):
    if entry["value"] is None:
        return name
    interval = "" if entry["low"] is None else f" [{entry['low']:.2f}, {entry['high']:.2f}]"
    return f"{name}: {entry['value']:.2f}{interval}"


def _title(name, per_class, score):
    """The name of a score, and what its brackets hold where any class has an interval."""
    intervals = any(of_class[score]["low"] is not None for of_class in per_class.values())
    return f"{name} [95 % interval]" if intervals else name


def _height(class_names):
    return max(4.4, 0.24 * len(class_names) + 1.2)


def _finish(axis, legend_title):
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
    axis.set_aspect("equal")
    axis.set_anchor("W")
    axis.legend(title=legend_title, loc="upper left", bbox_to_anchor=(1.02, 1.0), alignment="left", fontsize=9)
