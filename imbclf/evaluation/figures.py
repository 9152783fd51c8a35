"""Figures of a training run: learning curves, class counts before and after sampling, confusion matrices."""

import numpy as np

from imbclf.drawing import PALETTE, grouped_bars, new_figure, short_names, styled

TRAIN, VALIDATION, TEST = PALETTE[0], PALETTE[1], PALETTE[2]


@styled
def learning_curves(history, best_epoch=None, score="balanced_accuracy"):
    """Loss and a score over the epochs, training and validation, with the best epoch marked.

    Args:
        history: {column: values `(epochs,)`} with `epoch` and any of `loss`, `val_loss`, the score and its `val_`
            column; NaN is a gap.
        best_epoch: epoch whose weights were kept, counted from 1, or None.
        score: column of a score in [0, 1], such as `"balanced_accuracy"` or `"dice_score"`.

    Returns:
        A matplotlib figure.
    """
    figure, axes = new_figure(9.5, 3.4, 2)
    epochs = np.asarray(history["epoch"])
    marker = "o" if len(epochs) < 40 else None
    for axis, name in zip(axes, ("loss", score)):
        for column, label, color in ((name, "training", TRAIN), (f"val_{name}", "validation", VALIDATION)):
            if column in history:
                axis.plot(epochs, history[column], color=color, label=label, marker=marker, markersize=3, linewidth=1.6)
        if best_epoch is not None:
            axis.axvline(
                best_epoch, color="#4D4D4D", linestyle="--", linewidth=1, label=f"weights kept: epoch {best_epoch}"
            )
        axis.set(title=name.replace("_", " ").capitalize(), xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend()
    axes[1].set_ylim(0, 1)
    return figure


@styled
def class_counts(class_names, counts, drawn_per_epoch, sample_weights):
    """Images of each class: in the training set, as drawn in one epoch, and the share of the class in each split.

    Args:
        class_names: K names.
        counts: {"train", "val", "test": K numbers of images}.
        drawn_per_epoch: mean number of training images of each class that one epoch showed, K.
        sample_weights: weight of one sample of each class in the loss, K. Where they differ, a third bar shows what the
            class weighs in one epoch, scaled to the number of images drawn.

    Returns:
        A matplotlib figure.
    """
    drawn, weights = np.asarray(drawn_per_epoch, dtype=float), np.asarray(sample_weights, dtype=float)
    bars = [
        ("in the training set", np.asarray(counts["train"], dtype=float), "#9A9A9A"),
        ("drawn in one epoch", drawn, TRAIN),
    ]
    if np.ptp(weights) > 0 and (drawn * weights).sum() > 0:
        weighed = drawn * weights * drawn.sum() / (drawn * weights).sum()
        bars.append(("drawn, times sample weight", weighed, VALIDATION))
    shares = [
        (label, 100 * np.asarray(counts[split]) / np.sum(counts[split]), color)
        for split, label, color in (
            ("train", "training", TRAIN),
            ("val", "validation", VALIDATION),
            ("test", "test", TEST),
        )
        if np.sum(counts.get(split, 0)) > 0
    ]
    figure, axes = new_figure(9.5, 1.9 + 0.5 * len(class_names), 2, sharey=True)
    grouped_bars(axes[0], class_names, bars, "{:,.0f}")
    axes[0].set(title="Training images before and after sampling", xlabel="images")
    grouped_bars(axes[1], class_names, shares, "{:.0f} %")
    axes[1].set(title="Share of each class in the splits", xlabel="% of the images")
    for axis in axes:
        # Below the axis label, about half an inch under the axis however tall the panel is.
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.5 / (0.5 * len(class_names) + 0.3)), fontsize=9)
    return figure


@styled
def confusion_matrices(class_names, confusion):
    """Confusion matrix as counts and as shares of the true class, rows true and columns predicted.

    Args:
        class_names: K names.
        confusion: counts `(K, K)`; the row of a class without a sample stays empty on the right.

    Returns:
        A matplotlib figure.
    """
    confusion = np.asarray(confusion)
    classes = len(class_names)
    rows = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, rows, out=np.full(confusion.shape, np.nan), where=rows > 0)
    # More than 12 classes do not fit side by side.
    stacked = classes > 12
    side = min(max(3.4, (0.55 if classes <= 6 or stacked else 0.44) * classes + 0.6), 9.5)
    size = 11 if classes <= 6 else 9 if classes <= 12 else 8
    names = short_names(class_names, 20 if classes <= 8 else 16)
    longest = max(map(len, names))
    margin = 0.6 + 0.08 * longest
    inches = (side + margin, 2 * (side + margin)) if stacked else (2 * side + margin, side + margin)
    figure, axes = new_figure(*inches, 2, stacked)
    texts = (
        (confusion, lambda value: f"{value:,d}"),
        (shares, lambda value: f"{value:.2f}" if np.isfinite(value) else ""),
    )
    for axis, title, (values, written) in zip(axes, ("Images", "Share of the true class"), texts):
        # Both panels are coloured by the share, so that a rare class is as visible as a common one.
        axis.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0, vmax=1)
        axis.grid(False)
        first = stacked or axis is axes[0]
        axis.set(title=title, xlabel="predicted", ylabel="true" if first else "")
        axis.set_xticks(
            range(classes), names, rotation=45 if longest > (5 if classes <= 8 else 3) else 0, fontsize=size
        )
        for label in axis.get_xticklabels():
            label.set_ha("right" if label.get_rotation() else "center")
            label.set_rotation_mode("anchor")
        axis.set_yticks(range(classes), names if first else [""] * classes, fontsize=size)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        for i in range(classes):
            for j in range(classes):
                # Zeros step back, so that what is confused stands out.
                color = "white" if shares[i, j] > 0.55 else "#222222" if confusion[i, j] else "#98A2AC"
                axis.text(j, i, written(values[i, j]), ha="center", va="center", color=color, fontsize=size)
    return figure
