"""A picture of what the recipe of the glioma data does with a patient."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from imbclf.data.preparation.mri.patient_scans import read_scans
from imbclf.data.preparation.mri.scan import centre_of_mass
from imbclf.drawing import PALETTE, blank_figure, render, styled
from imbclf.files import write_bytes

TUMOUR, CUBE, BEYOND = PALETTE[1], PALETTE[5], "#3A3A3A"
# Width in inches of the column of one sequence, and voxels shown around brain and cube.
PANEL, MARGIN = 2.6, 4
# The axis that a cut removes, and what is seen then.
_VIEWS = {2: "axial", 1: "coronal", 0: "sagittal"}
_SIDES = ("left – right", "back – front", "bottom – top")


def draw_preparation(subject, path, recipe):
    """Draw the sequences of a patient with the cube that is cut out of them, and write the picture as a PNG file.

    One column per sequence, scaled as in the array; one row per cut through the centre of mass of the tumour. The axes
    are those of the array, so that the patient's left is on the left. Tumour and cube are outlined; what lies
    beyond the border of the scan, where the array is 0, is dark grey.

    Args:
        subject: `Subject`.
        path: The PNG file.
        recipe: `Scan`.

    Returns:
        The path.

    Raises:
        InputError: What the recipe raises.
    """
    return write_bytes(path, render(_figure(subject, recipe), "png"))


@styled
def _figure(subject, recipe):
    scans = read_scans(subject, recipe.channels, recipe.spacing)
    start, centre = recipe.start(scans), centre_of_mass(scans.tumour)
    views = [_view(scans.brain, axis, start[axis], recipe.size) for axis in range(3)]
    lengths = [high - low for low, high in views]
    heights = [PANEL * lengths[up] / lengths[across] for across, up in ((0, 1), (0, 2), (1, 2))]
    figure = blank_figure(PANEL * len(recipe.channels) + 0.4, sum(heights) + 1.7)
    axes = figure.subplots(3, len(recipe.channels), squeeze=False, gridspec_kw={"height_ratios": heights})
    for column, name in enumerate(recipe.channels):
        image = recipe.scaled(scans, name, subject)
        axes[0, column].set_title(name)
        for axis, (removed, view) in zip(axes[:, column], _VIEWS.items()):
            planes = [array.take(centre[removed], axis=removed).T for array in (image, scans.tumour)]
            across, up = (dimension for dimension in range(3) if dimension != removed)
            _draw(axis, *planes, (start[across], start[up]), recipe.size)
            axis.set(xlim=views[across], ylim=views[up])
            axis.set_xlabel(_SIDES[across], fontsize=8)
            if column == 0:
                axis.set_ylabel(f"{view}, slice {centre[removed]} of {image.shape[removed]}", fontsize=9)
    figure.suptitle(
        f"{subject.id}, {subject.label}: scaled to [0, 1] within the brain, cube of {recipe.size} voxels", fontsize=11.5
    )
    handles = [
        Line2D([], [], color=TUMOUR, linewidth=1.6, label="tumour mask"),
        Line2D([], [], color=CUBE, linewidth=1.8, label="cube that becomes the array"),
    ]
    if any(low < -0.5 or high > length - 0.5 for (low, high), length in zip(views, scans.brain.shape)):
        handles.append(Patch(color=BEYOND, label="beyond the scan: 0"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _draw(axis, image, tumour, corner, size):
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, origin="lower", interpolation="nearest")
    axis.grid(False)
    axis.set(xticks=[], yticks=[], facecolor=BEYOND)
    axis.spines[:].set_visible(False)
    # A frame of zeros closes the outline of a tumour that touches the border.
    framed = np.pad(tumour, 1).astype(float)
    rows, columns = (np.arange(length) - 1 for length in framed.shape)
    axis.contour(columns, rows, framed, levels=[0.5], colors=[TUMOUR], linewidths=1.3)
    box = Rectangle((corner[0] - 0.5, corner[1] - 0.5), size, size, fill=False, edgecolor=CUBE, linewidth=1.8)
    box.set_path_effects([withStroke(linewidth=3.2, foreground="black", alpha=0.5)])
    axis.add_patch(box)


def _view(brain, axis, first, size):
    """What to show along one axis: the brain, the cube, and a margin."""
    filled = np.flatnonzero(brain.any(axis=tuple(other for other in range(3) if other != axis)))
    return min(filled[0], first) - MARGIN - 0.5, max(filled[-1] + 1, first + size) + MARGIN - 0.5
