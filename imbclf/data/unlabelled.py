"""Images without labels, to predict on."""

import csv
from pathlib import Path

import numpy as np

from imbclf.data.arrays import ImageArray
from imbclf.data.files import ImageFiles
from imbclf.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg")


def open_images(source, image_size=None, channels=None, rank=2):
    """Images that have no labels.

    Args:
        source: a PNG or JPEG; a folder of them, read with its folders inside; a `.csv` with a column `path`, relative
            to the file; or an `.npz` whose arrays named `images` or `..._images` are read, never unpickled.
        image_size: `(height, width)` that image files are resized to, or `None`.
        channels: 1 or 3 for image files, or `None` for what they have.
        rank: number of spatial axes that the arrays of an `.npz` have; a missing channel axis is added.

    Returns:
        `(ids, images)`: strings `(n,)`, and an object with `len()`, `.shape` and `images[int array]`.

    Raises:
        InputError: nothing there, or nothing that can be read.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(f"There is no {source} to predict on.")
    if source.suffix.lower() == ".npz":
        return _from_npz(source, rank)
    if source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
        root, paths = source, [path.relative_to(source).as_posix() for path in found]
    elif source.suffix.lower() == ".csv":
        root, paths = source.parent, _paths(source)
    elif source.suffix.lower() in SUFFIXES:
        root, paths = source.parent, [source.name]
    else:
        raise InputError(f"Expected a PNG, a JPEG, a folder of them, a .csv or an .npz; received {source}.")
    if not paths:
        raise InputError(f"There is no PNG or JPEG in {source}.")
    return np.array(paths), ImageFiles(paths, root, image_size=image_size, channels=channels)


def _paths(source):
    with source.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or "path" not in rows[0]:
        raise InputError(f"{source} must have a column path and at least one row.")
    return [row["path"] for row in rows]


def _from_npz(source, rank):
    try:
        with np.load(source, allow_pickle=False) as archive:
            names = [name for name in archive.files if name == "images" or name.endswith("_images")]
            arrays = {name: archive[name] for name in names}
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{source} cannot be read as arrays ({error}); pickled objects are never loaded.") from None
    if not arrays:
        raise InputError(f"{source} must hold an array named images, or arrays named like test_images.")
    ids = [
        f"{name.removesuffix('images').rstrip('_') or 'image'}/{i:06d}"
        for name in arrays
        for i in range(len(arrays[name]))
    ]
    shapes = {array.shape[1:] for array in arrays.values()}
    if len(shapes) > 1:
        raise InputError(f"The arrays of {source} hold images of different shapes: {sorted(shapes)}.")
    images = np.concatenate(list(arrays.values()))
    if images.ndim == rank + 1:
        images = images[..., None]
    return np.array(ids), ImageArray(images, name=str(source))
