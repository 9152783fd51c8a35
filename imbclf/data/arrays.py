"""Images held in memory as one array."""

import hashlib

import numpy as np

from imbclf.errors import InputError


class ImageArray:
    """Images of one array, given out as float32 in [0, 1].

    Integers are divided by the full range of their type (255 for uint8, 65535 for uint16), never by the largest value
    that happens to occur. An integer array whose largest value is 1 is a mask and is given out as 0 and 1. Floating
    point must already lie in [0, 1].

    Args:
        array: `(n, *space, channels)`, one to three spatial axes; bool, uint8, uint16 or floating point.
        name: What the array is called in an error, for instance its file.

    Raises:
        InputError: Another type or rank, no sample, NaN or infinity, or floating point outside [0, 1].

    Example:

    >>> import numpy as np
    >>> images = ImageArray(np.array([[[0], [51]], [[102], [255]]], "uint8"))
    >>> images.shape
    (2, 2, 1)
    >>> images[np.array([1, 0])][:, :, 0].tolist()
    [[0.4, 1.0], [0.0, 0.2]]
    """

    def __init__(self, array, name="the array"):
        self.array = np.asarray(array)
        self.name = name
        if not 3 <= self.array.ndim <= 5 or 0 in self.array.shape:
            raise InputError(
                f"Images must have shape (n, *space, channels) with one to three spatial axes, but {name} has shape "
                f"{self.array.shape}."
            )
        self.scale = full_range(self.array, name)
        self._rows = np.arange(len(self.array))

    @property
    def shape(self):
        """`(n, *space, channels)`."""
        return (len(self._rows), *self.array.shape[1:])

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        return np.divide(self.array[self._rows[index]], self.scale, dtype=np.float32)

    def select(self, indices):
        """The images at `indices`, as a view: no pixel is copied."""
        selected = object.__new__(ImageArray)
        selected.array, selected.name, selected.scale = self.array, self.name, self.scale
        selected._rows = self._rows[indices]
        return selected

    def fingerprints(self):
        """A digest of the pixels of each image: equal digests mean equal images."""
        return [
            hashlib.blake2b(np.ascontiguousarray(self.array[row]), digest_size=16).hexdigest() for row in self._rows
        ]


def stack_images(parts, path):
    """One array of the images of several arrays, in their order.

    Args:
        parts: Arrays by name, emptied on the way: each is let go before the next is copied, which a concatenation would
            not do.
        path: Their file, for errors.

    Raises:
        InputError: Images that are neither flat nor volumes, of different shapes or types, or with pixels that cannot
            be used, as `ImageArray` says.
    """
    names = list(parts)
    shape, dtype = parts[names[0]].shape[1:], parts[names[0]].dtype
    for name, part in parts.items():
        if part.ndim not in (3, 4, 5):
            raise InputError(f"Images must be flat or volumes, but {name} in {path} has shape {part.shape}.")
        if part.shape[1:] != shape or part.dtype != dtype:
            raise InputError(
                f"All images of {path} must have one shape and type, but {names[0]} has {shape} {dtype} and "
                f"{name} has {part.shape[1:]} {part.dtype}."
            )
        if part.size > 0:
            full_range(part, f"{name} in {path}")
    images = np.empty((sum(map(len, parts.values())), *shape), dtype)
    start = 0
    for name in names:
        part = parts.pop(name)
        images[start : start + len(part)] = part
        start += len(part)
    return images


def full_range(array, name):
    """The number that pixel values are divided by, after checking that they can be used; see `ImageArray`."""
    if array.dtype == bool:
        return np.float32(1)
    if array.dtype in (np.uint8, np.uint16):
        return np.float32(1 if array.max() == 1 else np.iinfo(array.dtype).max)
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"Images must be bool, uint8, uint16 or floating point, but {name} is {array.dtype}.")
    for sample, image in enumerate(array):
        if not np.isfinite(image).all():
            raise InputError(
                f"Pixels must be finite, but sample {sample} of {name} holds NaN or infinity: repair or drop it."
            )
        if image.min() < 0 or image.max() > 1:
            raise InputError(
                f"Floating-point pixels must lie in [0, 1], but sample {sample} of {name} holds values from "
                f"{image.min():g} to {image.max():g}: scale them first."
            )
    return np.float32(1)
