"""What augmentation makes of images, to be looked at before a training."""

import math

import keras
import numpy as np

from imbclf.augment.random_layer import RandomLayer
from imbclf.drawing import blank_figure, render, short_names, styled, wrapped
from imbclf.errors import InputError, whole
from imbclf.files import write_bytes

# Width of a panel: pixels to the inch, and the least and greatest number of inches.
RESOLUTION, NARROWEST, WIDEST = 100, 1.5, 2.5


def draw_contact_sheet(images, layers, path, names=None, count=6, seed=0):
    """Draw images beside several draws of their augmentation, one row for each, and write the sheet as a PNG file.

    Each draw is what training could see: every layer takes effect with its own probability. Of volumes the middle slice
    along the third axis is shown, with the first axis to the right and the second up, as a NIfTI file in RAS+ is looked
    at. One channel is grey and three channels of a picture are colours; other channels lie side by side, all as one
    draw has them. Grey values are those of [0, 1], or of the range of the original where that is another.

    Args:
        images: `(n, *space, channels)`, 2D or 3D.
        layers: layers of `imbclf.augment` in order, such as those of `published_chain`.
        path: the PNG file.
        names: n names for the rows, of one line or more; their numbers without it.
        count: draws of each image.
        seed: of the draws, which leave those of the layers in training as they are.

    Returns:
        The path.

    Raises:
        InputError: no image, images that are neither 2D nor 3D, names of another number, a count below 1, something
            that is no layer of `imbclf.augment`, or images that a layer refuses.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from imbclf.augment import published_chain
    >>> path = tempfile.mkdtemp() + "/sheet.png"
    >>> draw_contact_sheet(np.zeros((2, 16, 16, 3)), published_chain("glaucoma"), path, count=1).name
    'sheet.png'
    """
    images, layers = np.asarray(images, dtype=np.float32), list(layers)
    _check(images, layers, names, count)
    names = [f"{number}" for number in range(len(images))] if names is None else list(map(str, names))
    try:
        rows = [[image, *augmented(image, layers, count, (seed, number))] for number, image in enumerate(images)]
    except ValueError as error:
        raise InputError(f"The augmentation cannot be drawn: {error}") from None
    return write_bytes(path, render(_figure(rows, [_short(name) for name in names], _caption(rows[0], layers)), "png"))


def augmented(image, layers, count, seed):
    """`count` draws of the augmentation of one image, `(count, *space, channels)`, a function of the seed alone."""
    random = np.random.default_rng(seed)
    batch = np.repeat(image[np.newaxis], count, axis=0)
    for layer in layers:
        batch, _ = layer.transform_pair(batch, random=random)
    return keras.ops.convert_to_numpy(batch)


def panel(image):
    """The grey values `(rows, columns)` or colours `(rows, columns, 3)` that show an image `(*space, channels)`.

    Example:

    >>> import numpy as np
    >>> panel(np.zeros((8, 6, 3))).shape, panel(np.zeros((8, 6, 5, 1))).shape, panel(np.zeros((8, 6, 5, 4))).shape
    ((8, 6, 3), (6, 8), (12, 16))
    """
    is_picture = image.ndim == 3
    if not is_picture:
        # Images have their first row at the top, and slices their second axis upwards.
        image = image[:, ::-1, image.shape[2] // 2].transpose(1, 0, 2)
    channels = image.shape[-1]
    if is_picture and channels == 3:
        return image
    columns = math.ceil(math.sqrt(channels))
    tiles = [*np.moveaxis(image, -1, 0)] + [np.full(image.shape[:2], image.min())] * (-channels % columns)
    return np.block([tiles[first : first + columns] for first in range(0, len(tiles), columns)])


@styled
def _figure(rows, names, caption):
    height, width = panel(rows[0][0]).shape[:2]
    inches = min(max(width / RESOLUTION, NARROWEST), WIDEST)
    figure = blank_figure(inches * len(rows[0]) + 0.3, inches * height / width * len(rows) + 0.8)
    axes = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for row, (shown, name) in enumerate(zip(rows, names)):
        low, high = _grey_range(shown[0])
        for column, image in enumerate(shown):
            axis = axes[row, column]
            axis.imshow(np.clip((panel(image) - low) / (high - low), 0, 1), cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            axis.spines[:].set_visible(False)
        axes[row, 0].set_ylabel(name, fontsize=8.5)
    for column, axis in enumerate(axes[0]):
        axis.set_title("original" if column == 0 else f"draw {column}", fontsize=9.5)
    figure.suptitle(wrapped(caption, int(11 * figure.get_figwidth())), fontsize=9.5)
    return figure


def _grey_range(image):
    low, high = float(image.min()), float(image.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, max(high, low + 1e-6))


def _caption(row, layers):
    before, after = ("\u00a0×\u00a0".join(map(str, image.shape[:-1])) for image in row[:2])
    chain = ", ".join(f"{type(layer).__name__} ({layer.probability:g})" for layer in layers)
    sizes = before if before == after else f"{before} to {after}"
    unit = "pixels" if row[0].ndim == 3 else "voxels"
    return f"{chain or 'No augmentation'}; in brackets the probability. {sizes} {unit}."


def _short(name):
    return "\n".join(short_names(name.split("\n")))


def _check(images, layers, names, count):
    if images.ndim not in (4, 5) or not images.size:
        raise InputError(
            "A contact sheet needs at least one image, in 2D or 3D: expected (n, *space, channels), got an array of "
            f"shape {images.shape}."
        )
    if names is not None and len(names) != len(images):
        raise InputError(f"A contact sheet needs one name for each of the {len(images)} images, got {len(names)}.")
    whole(count, "count", least=1)
    for layer in layers:
        if not isinstance(layer, RandomLayer):
            raise InputError(f"A contact sheet shows layers of imbclf.augment, not {layer!r}.")
