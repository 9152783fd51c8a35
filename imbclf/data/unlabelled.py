"""Images without labels, to predict on."""

from pathlib import Path

import numpy as np

from imbclf.data.arrays import ImageArray, stack_images
from imbclf.data.folder import IMAGE_SUFFIXES, find_images
from imbclf.data.index_rows import check_each_path_once, read_index_rows
from imbclf.data.readers import open_image_files
from imbclf.errors import InputError
from imbclf.files import read_arrays


def open_images(source, image_size=None, channels=None, rank=2):
    """Open images that have no labels.

    Args:
        source: A PNG or JPEG; a folder of them, read with the folders inside it; a `.csv` as `read_index` takes it,
            but with paths relative to the file and no need of the column `label`; a prepared `.npy`; or an `.npz`, of
            which the arrays named `images` or `..._images` are read.
        image_size: `(height, width)` or one number that image files are resized to; see `ImageFiles`.
        channels: 1 or 3 to make image files grey or colour; see `ImageFiles`.
        rank: Number of spatial axes of an image in an `.npz`; a missing channel axis is added.

    Returns:
        Unique strings `(n,)`, the paths or `"test/000012"`; and the images, an object with `len()`, `.shape` and
        `images[int array]`.

    Raises:
        InputError: Nothing there, nothing in it, paths that leave the folder of the `.csv`, an `.npz` with pickled
            objects, images of different shapes, and what `ImageFiles` and `ImageArray` raise.

    Example:

    >>> import tempfile, numpy as np
    >>> from imbclf.data import open_images
    >>> folder = tempfile.TemporaryDirectory()
    >>> np.savez(folder.name + "/new.npz", test_images=np.zeros((2, 8, 8), "uint8"))
    >>> ids, images = open_images(folder.name + "/new.npz")
    >>> ids.tolist(), images.shape
    (['test/000000', 'test/000001'], (2, 8, 8, 1))
    >>> folder.cleanup()
    """
    source = Path(source).expanduser()
    if not source.exists():
        raise InputError(f"There is no {source} to predict on.")
    suffix = source.suffix.lower()
    if source.is_dir():
        root, paths = source, [path.relative_to(source).as_posix() for path in find_images(source)]
        if not paths:
            raise InputError(f"There is no PNG or JPEG image in {source}.")
    elif suffix == ".npz":
        return _from_arrays(source, rank)
    elif suffix == ".csv":
        rows = read_index_rows(source, required=("path",))
        check_each_path_once(rows)
        root, paths = source.parent, [row.path for row in rows]
    elif suffix in (*IMAGE_SUFFIXES, ".npy"):
        root, paths = source.parent, [source.name]
    else:
        raise InputError(
            f"A PNG, a JPEG, a folder of them, a .csv, a prepared .npy or an .npz is expected, not {source}."
        )
    return np.array(paths), open_image_files(paths, root, image_size, channels)


def _from_arrays(path, rank):
    arrays = read_arrays(path, lambda name: name == "images" or name.endswith("_images"))
    if not arrays:
        raise InputError(f"The file {path} must hold an array named images, or arrays named like test_images.")
    shapes = {name.removesuffix("_images"): array.shape for name, array in arrays.items()}
    images = stack_images(arrays, path)
    if images.ndim == rank + 1:
        images = images[..., np.newaxis]
    ids = [f"{name}/{number:06d}" for name, shape in shapes.items() for number in range(shape[0])]
    return np.array(ids), ImageArray(images, name=str(path))
