"""Figures of the analyses, each a matplotlib figure; `imbclf.drawing.render` makes it a file."""

import numpy as np

from imbclf.analysis.soft_hard_errors import constant_confidence_bias
from imbclf.drawing import LINES, PALETTE, new_figure, short_names, styled
from imbclf.errors import InputError

MAIN, BIAS, HARD = "#4D4D4D", "#E69F00", "#0072B2"


@styled
def plot_soft_and_hard_errors(errors, class_names=None):
    """Soft false positives and negatives of each class, main term and bias term stacked, with the hard count beside.

    Where the bar ends right of the hard count by about its orange part, what the loss sums is not what a test counts.

    Args:
        errors: `SoftHardErrors` of K classes.
        class_names: K names; "foreground" for one class and "class 0", "class 1", ... where not given.

    Returns:
        A matplotlib figure.
    """
    names = _class_names(class_names, len(errors.foreground))
    figure, (axis,) = new_figure(8.2, 1.5 + 0.78 * len(names))
    rows = (
        ("false positives", errors.main_false_positives, errors.bias_false_positives, errors.hard_false_positives),
        ("false negatives", errors.main_false_negatives, errors.bias_false_negatives, errors.hard_false_negatives),
    )
    classes = np.arange(len(names))
    for (_, main, bias, hard), shift in zip(rows, (-0.2, 0.2)):
        places = classes + shift
        main_bars = axis.barh(places, main, 0.36, color=MAIN)
        bias_bars = axis.barh(places, bias, 0.36, main, color=BIAS)
        hard_lines = axis.vlines(hard, places - 0.18, places + 0.18, color=HARD, linewidth=2.5)
        for place, end, share in zip(places, np.maximum(main + bias, hard), _share(bias, main + bias)):
            if np.isfinite(share):
                _note(axis, f"{100 * share:.0f} % bias", (end, place), (4, 0), va="center")
    ticks = np.ravel([(k - 0.2, k + 0.2) for k in classes])
    axis.set_yticks(ticks, [f"{name}: {row[0]}" for name in names for row in rows])
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.margins(x=0.12)
    axis.set(title="What the loss sums and what a test counts", xlabel="voxels")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    labels = ("main term: wrong at the threshold", "bias term: right at the threshold", "hard count")
    figure.legend((main_bars, bias_bars, hard_lines), labels, loc="outside lower center", ncols=3, fontsize=9)
    return figure


@styled
def plot_constant_confidence_bias(confidences=(0.6, 0.8, 0.9, 0.95, 0.99), foreground_shares=None):
    """Surplus of soft false positives of an equally sure model as the imbalance grows, in units of the foreground.

    Args:
        confidences: probabilities that the model gives to the class it chooses, each in (0.5, 1); one line each.
        foreground_shares: {name: share of the voxels that are foreground, in (0, 0.5)}, marked on the axis, or `None`.

    Returns:
        A matplotlib figure.
    """
    shares = dict(foreground_shares or {})
    for name, share in shares.items():
        if not 0 < share < 0.5:
            raise InputError(f"The foreground share of {name} must lie between 0 and 0.5; received {share!r}.")
    largest = max([1000.0] + [2 / share for share in shares.values()])
    ratios = np.geomspace(1.02, largest, 400)
    figure, (axis,) = new_figure(8.2, 4.8)
    for number, confidence in enumerate(confidences):
        axis.plot(
            ratios,
            constant_confidence_bias(confidence, ratios, 1.0),
            color=PALETTE[number % len(PALETTE)],
            linestyle=LINES[number // len(PALETTE) % len(LINES)],
            linewidth=1.8,
            label=f"p = {confidence:g}",
        )
    axis.axhline(1, color="#777777", linestyle=(0, (2, 2)), linewidth=1, label="as much as the foreground")
    marked = [(1 - share) / share for share in shares.values()]
    for ratio in marked:
        axis.axvline(ratio, color="#777777", linewidth=1)
    axis.set(
        xscale="log",
        yscale="log",
        xlim=(1, largest),
        ylim=(1e-2, None),
        xlabel="background voxels for one foreground voxel, b / f",
        ylabel="surplus per foreground voxel, (1 − p)(b − f) / f",
    )
    axis.xaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_major_formatter("{x:g}")
    if marked:
        names = [f"{name}, {share:.2g} %" for name, share in ((name, 100 * share) for name, share in shares.items())]
        top = axis.secondary_xaxis("top")
        top.set_xticks(marked, names, rotation=25, ha="left", rotation_mode="anchor", fontsize=9)
        top.minorticks_off()
        top.spines["top"].set_visible(False)
    figure.suptitle("Surplus of soft false positives at equal hard errors", fontsize=12)
    axis.legend(title="confidence of every voxel", loc="upper left", bbox_to_anchor=(1.02, 1.0), alignment="left")
    return figure


def _class_names(names, num_classes):
    if names is None:
        return ["foreground"] if num_classes == 1 else [f"class {k}" for k in range(num_classes)]
    if len(names) != num_classes:
        raise InputError(f"Expected {num_classes} class names, one per class; received {len(names)}.")
    return short_names(list(map(str, names)))


def _note(axis, text, place, offset, **options):
    look = {"fontsize": 8.5, "color": "#444444", **options}
    axis.annotate(text, place, offset, textcoords="offset points", **look)


def _share(part, whole):
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
