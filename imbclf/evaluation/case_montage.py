"""Pictures of single cases: where the prediction follows the truth, in the worst, the median and the best case."""

import math

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from imbclf.drawing import blank_figure, class_style, render, short_names, styled, wrapped
from imbclf.errors import InputError
from imbclf.evaluation.case_scores import mean_dice
from imbclf.files import write_bytes

PANEL = 3.1
TRUTH, PREDICTION = "-", (0, (2.2, 1.4))
# Part of an axis that is shown on either side of the structures, at least.
MARGIN = 0.15


def montage_cases(rows):
    """Which cases a montage shows, by their mean Dice over the classes.

    Args:
        rows: rows of `score_case` with "id", of the cases of one split.

    Returns:
        {"worst": id, "median": id, "best": id}, of fewer than three cases only the first and the last of them. Cases
        without any Dice are left out; equal ones are ordered by id.

    Example:

    >>> montage_cases([{"id": name, "dice": dice} for name, dice in zip("abcd", (0.5, 0.9, 0.7, 0.1))])
    {'worst': 'd', 'median': 'a', 'best': 'b'}
    """
    by_case = {}
    for row in rows:
        by_case.setdefault(row["id"], []).append(row)
    scores = {name: mean_dice(of_case) for name, of_case in by_case.items()}
    ordered = sorted((score, name) for name, score in scores.items() if not math.isnan(score))
    places = {"worst": 0, "median": (len(ordered) - 1) // 2, "best": len(ordered) - 1}
    if len(ordered) < 3:
        places.pop("median")
    if len(ordered) < 2:
        places.pop("best")
    return {word: ordered[place][1] for word, place in places.items() if ordered}


def montage(path, cases):
    """Draw the worst, the median and the best of some cases by mean Dice, and write the picture as a PNG file.

    The image is grey, the outline of each class in the truth solid and in the prediction dashed, in the colour of the
    class. A volume is cut along its three axes through the centre of mass of the true foreground (of the predicted one
    where there is none), with the first remaining axis to the right and the second up, as a NIfTI file in RAS+ is
    looked at; a picture in 2D lies as it does in the array. The view is the part around the structures; `spacing` gives
    voxels their true proportions.

    Args:
        path: the PNG file.
        cases: list of `(id, image, truth, prediction, spacing, scores)`: arrays `(*space,)`, the image of one channel,
            labels with 0 for background, voxel sizes or None, and the rows of `score_case`.

    Returns:
        The path.

    Raises:
        InputError: no case that has a Dice, or arrays of one case that differ in shape or are not 2D or 3D.
    """
    return write_bytes(path, render(draw_montage(cases), "png"))


@styled
def draw_montage(cases):
    """The figure that `montage` writes."""
    by_id = {case[0]: case for case in cases}
    chosen = montage_cases([{"id": case[0], "dice": row["dice"]} for case in cases for row in case[5]])
    if not chosen:
        raise InputError("A montage needs at least one case with a class in its truth or prediction, got none.")
    for name in chosen.values():
        _check(*by_id[name])
    dimensions = np.ndim(by_id[chosen["worst"]][2])
    rows, columns = (len(chosen), 1) if dimensions == 3 else (1, len(chosen))
    panels = 3 if dimensions == 3 else 1
    class_names = [row["class"] for row in by_id[chosen["worst"]][5]]
    # Lines of the legend below, at about five entries a line.
    legend_lines = math.ceil((len(class_names) + 2) / 5)
    figure = blank_figure(PANEL * columns * panels, (PANEL + 0.5) * rows + 0.25 * legend_lines)
    parts = np.ravel(figure.subfigures(rows, columns, squeeze=False))
    for part, (word, name) in zip(parts, chosen.items()):
        _, image, truth, prediction, spacing, scores = by_id[name]
        image, truth, prediction = np.asarray(image), np.asarray(truth), np.asarray(prediction)
        spacing = (1.0,) * dimensions if spacing is None else spacing
        axes = part.subplots(1, panels, squeeze=False).ravel()
        part.suptitle(wrapped(_title(word, name, scores), 92 if panels == 3 else 38), fontsize=10.5)
        grey = _grey_range(image)
        centre = _centre(truth, prediction)
        for axis, removed in zip(axes, (2, 1, 0)):
            planes = image, truth, prediction
            aspect = spacing[0] / spacing[1]
            if panels == 3:
                planes = [np.take(array, centre[removed], axis=removed).T for array in planes]
                right, up = (size for dimension, size in enumerate(spacing) if dimension != removed)
                aspect = up / right
                axis.set_xlabel(f"axis {removed}, slice {centre[removed]} of {image.shape[removed]}", fontsize=9)
            _draw(axis, *planes, len(class_names), aspect, grey, "lower" if panels == 3 else "upper")
    figure.legend(
        handles=_legend(class_names), loc="outside lower center", ncols=min(5, len(class_names) + 2), fontsize=9.5
    )
    return figure


def _draw(axis, image, truth, prediction, classes, aspect, grey, origin):
    low, high = grey
    axis.imshow(image, cmap="gray", vmin=low, vmax=high, origin=origin, aspect=aspect, interpolation="nearest")
    axis.grid(False)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    for k in range(1, classes + 1):
        for labels, line, width in ((truth, TRUTH, 1.9), (prediction, PREDICTION, 1.5)):
            _outline(axis, labels == k, class_style(k)["color"], line, width)
    rows, columns = (_view(truth + prediction > 0, dimension) for dimension in (0, 1))
    axis.set_xlim(*columns)
    axis.set_ylim(*(rows if origin == "lower" else rows[::-1]))


def _outline(axis, mask, color, line, width):
    if not mask.any():
        return
    # A frame of zeros closes the outline of what touches the border.
    framed = np.pad(mask, 1).astype(float)
    rows, columns = (np.arange(size) - 1 for size in framed.shape)
    # Light colours stand out from a dark edge, dark ones from a light edge.
    edge = "black" if np.dot(to_rgb(color), (0.299, 0.587, 0.114)) > 0.4 else "white"
    outline = axis.contour(columns, rows, framed, levels=[0.5], colors=[color], linestyles=[line], linewidths=width)
    outline.set(path_effects=[withStroke(linewidth=width + 1.2, foreground=edge, alpha=0.55, joinstyle="round")])


def _view(foreground, dimension):
    """First and last edge to show along one axis of a plane: the foreground and its own size around it."""
    length = foreground.shape[dimension]
    filled = np.flatnonzero(foreground.any(axis=1 - dimension))
    if not len(filled):
        return -0.5, length - 0.5
    around = max(filled[-1] - filled[0] + 1, MARGIN * length)
    return max(filled[0] - around, 0) - 0.5, min(filled[-1] + around, length - 1) + 0.5


def _centre(truth, prediction):
    """The voxel nearest to the centre of mass of the true foreground, of the predicted one, or of the image."""
    for foreground in (truth > 0, prediction > 0):
        if foreground.any():
            return [round(float(place)) for place in np.argwhere(foreground).mean(axis=0)]
    return [size // 2 for size in truth.shape]


def _grey_range(image):
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, [1, 99.5]) if len(finite) else (0, 1)
    return low, max(high, low + 1e-6)


def _title(word, name, scores):
    each = ", ".join(
        f"{shown}\u00a0{'–' if math.isnan(row['dice']) else format(row['dice'], '.2f')}"
        for shown, row in zip(short_names([row["class"] for row in scores], 18), scores)
    )
    return f"{word.capitalize()} case, {name}. Dice: {each}"


def _legend(class_names):
    handles = [
        Line2D([], [], color=class_style(k)["color"], linewidth=4, label=name)
        for k, name in enumerate(short_names(class_names), start=1)
    ]
    for label, line in (("truth", TRUTH), ("prediction", PREDICTION)):
        handles.append(Line2D([], [], color="#333333", linestyle=line, linewidth=1.8, label=label))
    return handles


def _check(name, image, truth, prediction, spacing, scores):
    shapes = [np.shape(array) for array in (image, truth, prediction)]
    if len(set(shapes)) > 1 or len(shapes[1]) not in (2, 3):
        raise InputError(
            f"Case {name}: expected image, truth and prediction of one shape in 2D or 3D, the image of one channel, "
            f"got image {shapes[0]}, truth {shapes[1]} and prediction {shapes[2]}."
        )
