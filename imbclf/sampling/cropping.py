"""Windows of one size in cases of any size."""

import numpy as np

from imbclf.errors import InputError, whole


def crop(case, start, size):
    """One window of a case, padded where it reaches beyond it.

    The image is padded with the smallest value of each channel, which in most scans is air, and the mask with
    background; what was padded is told by the third array.

    Args:
        case: Object with `image` `(*space, channels)` and `mask` `(*space)`.
        start: First index along each axis; may be negative.
        size: Size along each axis.

    Returns:
        Image float32 `(*size, channels)`, mask int32 `(*size)`, and float32 `(*size)` of 1 inside the case and 0 in the
        padding.

    Example:

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> case = SimpleNamespace(image=np.array([[-1.0], [2.0]]), mask=np.array([1, 1]))
    >>> image, mask, inside = crop(case, start=[-1], size=[3])
    >>> image[:, 0].tolist(), mask.tolist(), inside.tolist()
    ([-1.0, -1.0, 2.0], [0, 1, 1], [0.0, 1.0, 1.0])
    """
    start, size, space = np.asarray(start), np.asarray(size), np.array(case.mask.shape)
    low, high = np.maximum(start, 0), np.minimum(start + size, space)
    source = tuple(map(slice, low, high))
    target = tuple(map(slice, low - start, high - start))
    image = np.empty((*size, case.image.shape[-1]), np.float32)
    mask, inside = np.zeros(size, np.int32), np.zeros(size, np.float32)
    if (high - low < size).any():
        image[...] = case.image.min(axis=tuple(range(len(size))))
    image[target], mask[target], inside[target] = case.image[source], case.mask[source], 1
    return image, mask, inside


def fitted_start(start, space, size):
    """The start nearest to `start` whose window lies within the case; along axes that are too short it is centred."""
    slack = np.asarray(space) - np.asarray(size)
    return np.where(slack < 0, slack // 2, np.clip(start, 0, np.maximum(slack, 0)))


def cover(space, size):
    """Windows that cover a case: each voxel lies in one of them at or above its `first` index, and in no other.

    They stand side by side. The last one along an axis is moved back into the case, because training seldom sees
    padding; what it shares with the one before lies below its `first`.

    Args:
        space: Spatial shape of the case.
        size: Size of a window along each axis.

    Returns:
        Start and `first` of each window, int64 `(windows, rank)`, both counted in the case.

    Example:

    >>> start, first = cover(space=[5], size=[3])
    >>> start[:, 0].tolist(), first[:, 0].tolist()
    ([0, 2], [0, 3])
    """
    counts = [-(-side // step) for side, step in zip(space, size)]
    first = np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, len(counts)) * size
    return fitted_start(first, space, size), first


def checked_patch_size(patch_size, rank):
    """One size per axis from a number or one per axis."""
    sizes = (patch_size,) * rank if np.ndim(patch_size) == 0 else tuple(patch_size)
    if len(sizes) != rank:
        raise InputError(f"patch_size must be one number or {rank} of them, not {patch_size!r}.")
    return tuple(whole(size, "patch_size", 1) for size in sizes)
