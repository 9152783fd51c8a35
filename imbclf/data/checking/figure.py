"""The figure of the class distribution, in every split and at every site."""

import numpy as np

from imbclf.data.checking.counts import ClassCounts
from imbclf.drawing import PALETTE, blank_figure, short_names, styled

MOST_SITES = 12
_COLUMNS = 5
EVERYTHING = "all"


@styled
def class_distribution(class_names, splits, sites, counted="images"):
    """A panel of bars for each split and each site: what share of its images each class has.

    The bars have one colour, because position tells everything: classes are rows, the number of images and the share
    stand at each bar, and a line marks the share of the class in all images. Of more than 12 sites the largest are
    drawn.

    Args:
        class_names: K names.
        splits: {split: `ClassCounts`}.
        sites: {site: `ClassCounts`}, or empty.
        counted: What is counted, for the axis.

    Returns:
        A matplotlib figure.
    """
    images = sum(group.images for group in splits.values())
    everything = ClassCounts(images, sum(group.counts for group in splits.values()))
    largest = sorted(sites, key=lambda name: -sites[name].images)[:MOST_SITES]
    blocks = [list(splits.items())]
    if len(splits) > 1:
        blocks[0].append((EVERYTHING, everything))
    blocks += [[(f"site {name}", sites[name]) for name in sites if name in largest]] if sites else []
    rows = [block[start : start + _COLUMNS] for block in blocks for start in range(0, len(block), _COLUMNS)]
    columns = max(map(len, rows))
    names = short_names(class_names)
    height = len(rows) * (1.1 + 0.3 * len(names)) + 0.2
    figure = blank_figure(max(5.0, 1.2 + 2.6 * columns), height)
    axes = figure.subplots(len(rows), columns, squeeze=False, sharex=True, sharey=True)
    widest = max(group.shares.max() for block in blocks for _, group in block)
    for row, axes_of_row in zip(rows, axes):
        for axis in axes_of_row[len(row) :]:
            axis.set_visible(False)
        for (name, group), axis in zip(row, axes_of_row):
            _panel(axis, name, names, group, everything.shares, widest)
        axes_of_row[0].set_yticks(range(len(names)), names)
    for column in axes.T:
        [axis for axis in column if axis.get_visible()][-1].tick_params(labelbottom=True)
    axes[0, 0].invert_yaxis()
    missing = len(sites) - len(largest)
    figure.supxlabel(
        f"share of each class in percent; the line: in all {counted}"
        + (f"; the {missing} smallest sites are not drawn" if missing > 0 else ""),
        fontsize=10,
    )
    return figure


def _panel(axis, name, names, group, usual, widest):
    places = np.arange(len(names))
    axis.barh(places, 100 * group.shares, 0.7, color=PALETTE[5], edgecolor=PALETTE[0], linewidth=0.8)
    if name != EVERYTHING:
        axis.vlines(100 * usual, places - 0.45, places + 0.45, color="#222222", linewidth=1.4)
    for place, count, share, usual_share in zip(places, group.counts, group.shares, usual):
        # Behind the line too, which would cross the number.
        axis.annotate(
            f"{count:,d} ({_percent(share)})" if count else "none",
            (100 * max(share, usual_share), place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    # Room at the right for the numbers behind the longest bar.
    axis.set_xlim(0, 100 * widest * 1.55)
    axis.set_xticks([tick for tick in (0, 20, 40, 60, 80, 100) if tick <= 100 * widest * 1.3])
    axis.set_title(f"{name}: {group.images:,d}", loc="left")
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)


def _percent(share):
    """A share as percent, with the decimal that a rare class needs."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"
