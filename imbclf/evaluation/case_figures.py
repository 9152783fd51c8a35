"""Figure of the scores of single cases: every case of every class, beside what the mean hides."""

import numpy as np

from imbclf.drawing import class_style, new_figure, short_names, styled

GOLDEN = (np.sqrt(5) - 1) / 2
BOX = 0.66
FRAME = "#9AA4AE"


@styled
def dice_of_cases(class_names, dice):
    """Dice of every case as a point, one row of points for each class, over a box from quartile to quartile.

    Args:
        class_names: the foreground classes.
        dice: `(cases, classes)`; NaN, a class neither in truth nor in prediction, is not drawn.

    Returns:
        A matplotlib figure.
    """
    dice = np.asarray(dice, dtype=float)
    figure, (axis,) = new_figure(9.5, 1.1 + 0.62 * len(class_names))
    names = []
    for k, (name, values) in enumerate(zip(short_names(class_names), dice.T), start=1):
        values = np.sort(values[np.isfinite(values)])
        names.append(f"{name} ({len(values)})")
        if not len(values):
            continue
        style = class_style(k)
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
        axis.hlines(k, values[0], values[-1], color=FRAME, linewidth=1)
        axis.barh(k, high - low, BOX, left=low, facecolor="white", edgecolor=FRAME)
        axis.vlines(median, k - BOX / 2, k + BOX / 2, color="#1D2329", linewidth=1.8)
        # Multiples of the golden ratio spread neighbours evenly, and the same way each time.
        heights = k + 0.46 * ((np.arange(len(values)) * GOLDEN) % 1 - 0.5)
        axis.scatter(values, heights, color=style["color"], marker=style["marker"], s=26, alpha=0.75, linewidths=0)
    axis.set_yticks(range(1, len(class_names) + 1), names)
    axis.set(xlim=(-0.02, 1.02), ylim=(len(class_names) + 0.6, 0.4), xlabel="Dice of a case")
    axis.grid(axis="y", visible=False)
    return figure
