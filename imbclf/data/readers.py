"""Which reader image files need: by their suffix."""

from imbclf.data.array_files import ArrayFiles
from imbclf.data.files import ImageFiles
from imbclf.errors import InputError


def open_image_files(paths, root, image_size=None, channels=None, cache="auto"):
    """Open PNG and JPEG files as `ImageFiles`, prepared `.npy` arrays as `ArrayFiles`.

    Args:
        paths: Relative paths, all of images or all of arrays.
        root: Folder that the paths start from.
        image_size, channels, cache: See `ImageFiles`. Arrays are as they were prepared, and the system caches them.

    Raises:
        InputError: Images and arrays mixed, `image_size` or `channels` given for arrays, and what the readers raise.
    """
    arrays = [path for path in paths if str(path).lower().endswith(".npy")]
    if not arrays:
        return ImageFiles(paths, root, image_size, channels, cache)
    if len(arrays) < len(paths):
        other = next(path for path in paths if path not in arrays)
        raise InputError(f"Images must be all .npy arrays or none, but in {root} there are {arrays[0]} and {other}.")
    for name, value in (("image_size", image_size), ("channels", channels)):
        if value is not None:
            raise InputError(
                f"Prepared arrays such as {arrays[0]} are not changed when they are read: leave {name}={value!r} "
                "away, or prepare them again in another form."
            )
    return ArrayFiles(paths, root)
