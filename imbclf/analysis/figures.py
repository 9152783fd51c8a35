"""Figures of the analyses, each a matplotlib figure; `imbclf.drawing.render` makes it a file."""

from collections.abc import Mapping

import numpy as np

from imbclf.analysis.gradient_mass import gradient_mass, gradient_shares, voxel_shares
from imbclf.analysis.marginal_penalties import marginal_penalties
from imbclf.analysis.soft_hard_errors import constant_confidence_bias
from imbclf.drawing import LINES, PALETTE, grouped_bars, new_figure, short_names, styled
from imbclf.errors import InputError

MAIN, BIAS, HARD = "#4D4D4D", "#E69F00", "#0072B2"
PENALTIES = {
    "marginal_l1": ("MarginalL1", {"color": PALETTE[0], "linewidth": 1.8}),
    "marginal_kl": ("MarginalKL", {"color": PALETTE[2], "linewidth": 1.8}),
    "cross_entropy": (
        "bias in cross-entropy: the same",
        {"color": "#222222", "linewidth": 1.2, "linestyle": ":"},
    ),
    "dice_bias": ("DiceBias: bias in log-Dice, both classes", {"color": PALETTE[4], "linewidth": 1.8}),
    "dice_bias_foreground": ("bias in log-Dice, foreground alone", {"color": PALETTE[1], "linewidth": 1.8}),
}


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
        ylabel="surplus per foreground voxel\n(1 − p)(b − f) / f",
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


@styled
def plot_marginal_penalties(true_proportions=(0.02, 0.1, 0.5)):
    """Label-marginal penalties against the predicted proportion, a panel for each true one, each from its minimum.

    A dot marks where a penalty is least: where it pulls the predicted size. The dashed line is the true proportion.

    Args:
        true_proportions: true foreground proportions in (0, 1).

    Returns:
        A matplotlib figure.

    Source: Liu et al. (2021), figure 2.
    """
    wrong = [y for y in true_proportions if not 0 < y < 1]
    if wrong or not len(true_proportions):
        raise InputError(f"true_proportions must hold numbers between 0 and 1; received {list(true_proportions)}.")
    figure, axes = new_figure(max(7.2, 1.2 + 3.3 * len(true_proportions)), 4.4, len(true_proportions), sharey=True)
    for axis, y in zip(axes, true_proportions):
        # Denser where the penalties turn.
        predicted = np.unique(np.concatenate([np.linspace(0, 1, 401), np.geomspace(1e-6, 1, 200), [y]]))
        penalties = marginal_penalties(predicted, y)
        for size, (key, (label, look)) in zip((11, 8.5, 4.5, 11, 7), PENALTIES.items()):
            # KL is infinite at 0; its line leaves the panel.
            above = np.minimum(penalties[key] - penalties[key].min(), 100.0)
            axis.plot(predicted, above, label=label, **look)
            for place in predicted[above < 1e-12]:
                # Smaller over larger, so that minima at one place stay visible.
                axis.plot(place, 0, "o", color=look["color"], markersize=size, clip_on=False, zorder=3)
        axis.axvline(y, color="#777777", linestyle=(0, (2, 2)), linewidth=1, label="true proportion")
        axis.set(title=f"true proportion {y:g}", xlabel="predicted proportion", xlim=(-0.01, 1.01), ylim=(0, 2.5))
        axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes[0].set_ylabel("penalty above its minimum")
    axes[0].plot([], [], "o", color="#777777", label="where a penalty is least")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3 if len(axes) > 1 else 2, fontsize=9)
    return figure


@styled
def plot_gradient_mass(losses, y_true, y_pred, class_names=None, **options):
    """Share of each class in the gradient of each loss, beside its share of the voxels.

    A class whose bar is shorter than its grey one pulls less at the network than its voxels would at equal error; a
    rare class that is badly predicted should have a bar that is much longer. The legend holds the sum over the classes,
    in units of the loss.

    Args:
        losses: Keras losses or functions, or {name: loss}.
        y_true, y_pred, **options: as `gradient_mass` takes them.
        class_names: K names; "class 0", "class 1", ... where not given.

    Returns:
        A matplotlib figure.
    """
    if not isinstance(losses, Mapping):
        losses = _by_name(losses)
    masses = {name: gradient_mass(loss, y_true, y_pred, **options) for name, loss in losses.items()}
    if not masses:
        raise InputError("losses must hold at least one loss; received none.")
    names = _class_names(class_names, len(next(iter(masses.values()))))
    voxels = voxel_shares(next(iter(losses.values())), y_true, np.shape(y_pred))
    series = [("share of the voxels", 100 * voxels, "#9A9A9A")]
    for number, (name, mass) in enumerate(masses.items()):
        color = PALETTE[number % len(PALETTE)]
        series.append((f"{name}, sum {mass.sum():.3g}", 100 * gradient_shares(mass), color))
    figure, (axis,) = new_figure(8.6, 1.2 + 0.2 * len(series) * len(names))
    grouped_bars(axis, names, series, "{:.1f} %")
    axis.set(title="Whose voxels move the network", xlabel="% of the voxels, % of the gradient with respect to logits")
    axis.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), fontsize=9)
    return figure


def _by_name(losses):
    named = {}
    for loss in losses:
        name = getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__)
        if name in named:
            raise InputError(f"Two losses are named {name}: pass a dictionary of names and losses.")
        named[name] = loss
    return named


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
