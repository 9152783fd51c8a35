"""Intensities of scanners that have no common scale."""

import numpy as np

from imbclf.errors import InputError

NORMALIZATIONS = ("zscore", "minmax", "none")


def normalize_image(image, how="zscore"):
    r"""Bring each channel of one image to a scale of its own.

    With the mean \(\mu\), the standard deviation \(\sigma\) and the extremes of a channel, "zscore" and "minmax" give

    $$ (x - \mu) / \sigma, \qquad (x - \min) / (\max - \min). $$

    A constant channel becomes 0. `"none"` leaves the numbers as they are.

    Args:
        image: float32 `(*space, channels)`.
        how: `"zscore"`, `"minmax"` or `"none"`.

    Returns:
        float32, in the shape of `image`.

    Raises:
        InputError: Another word.

    Example:

    >>> import numpy as np
    >>> from imbclf.data import normalize_image
    >>> normalize_image(np.array([[2.0, 5.0], [4.0, 5.0]], "float32"), "zscore").tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    if how not in NORMALIZATIONS:
        raise InputError(f"normalize must be one of {', '.join(NORMALIZATIONS)}, not {how!r}.")
    image = np.asarray(image, np.float32)
    if how == "none":
        return image
    space = tuple(range(image.ndim - 1))
    if how == "zscore":
        start, width = image.mean(axis=space, dtype=np.float64), image.std(axis=space, dtype=np.float64)
    else:
        start = image.min(axis=space)
        width = image.max(axis=space).astype(np.float64) - start
    # A constant is told by its extremes: rounding may leave it a standard deviation.
    constant = image.min(axis=space) == image.max(axis=space)
    scale = np.where(constant, 0, 1 / np.where(constant, 1, width))
    return ((image - start.astype(np.float32)) * scale.astype(np.float32)).astype(np.float32)
