"""Prediction of images of any size, window by window."""

import itertools
from math import ceil, prod

import numpy as np

from imbclf.errors import InputError

WEIGHTINGS = ("gaussian", "constant")
# The weight of a voxel far from the middle of a window, as a share of that in the middle: small, but never nothing.
LEAST_WEIGHT = 1e-3


def predict_sliding_window(model, image, patch_size, overlap=0.5, weighting="gaussian", batch_size=4):
    r"""Class probabilities of every voxel of an image larger or smaller than what a model takes.

    The image is covered by windows that overlap at least by the given share of their sides, the last one flush with the
    border. A voxel v gets the weighted mean of what all windows j that hold it say:

    $$p(v) = \frac{\sum_j g(v - c_j)\, p_j(v)}{\sum_j g(v - c_j)}, \qquad
    g(d) = \max\Big(\exp\big(-\tfrac12 \sum_a (8 d_a / s_a)^2\big), 10^{-3}\Big)$$

    with the middle \(c_j\) of a window and its sides \(s_a\); with `weighting="constant"`, g is 1. An image smaller
    than the window is padded by its least value per channel, and the padding is cut off again.

    Args:
        model: a Keras model from `(batch, *patch_size, channels)` to class probabilities `(batch, *patch_size, K)`;
            where it has several outputs, the first counts.
        image: `(*space, channels)`, in 2D or 3D.
        patch_size: sides of the windows, one number or one per axis.
        overlap: share of its side that a window shares with the next, in [0, 1).
        weighting: `"gaussian"` or `"constant"`.
        batch_size: windows predicted at once.

    Returns:
        float32 `(*space, K)`, of one sum per voxel if the model's probabilities have one.

    Raises:
        InputError: an option out of range, or an image that the model does not take.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> from imbclf.models import predict_sliding_window
    >>> model = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Softmax()])
    >>> predict_sliding_window(model, np.zeros((7, 3, 2)), patch_size=4).shape
    (7, 3, 2)
    """
    image = np.asarray(image, dtype="float32")
    size = _checked(model, image, patch_size, overlap, weighting)
    missing = [max(0, side - there) for side, there in zip(size, image.shape)]
    padded = _padded(image, missing)
    starts = list(itertools.product(*(_starts(there, side, overlap) for there, side in zip(padded.shape, size))))
    weights = _weights(size, weighting)
    total, weight = None, np.zeros((*padded.shape[:-1], 1), "float32")
    for first in range(0, len(starts), batch_size):
        chosen = starts[first : first + batch_size]
        # Batches of one shape, so that the model is traced once.
        windows = [padded[_window(start, size)] for start in [*chosen, *chosen[-1:] * (batch_size - len(chosen))]]
        predicted = model.predict_on_batch(np.stack(windows))
        predicted = np.asarray(predicted[0] if isinstance(predicted, (list, tuple)) else predicted, "float32")
        if total is None:
            total = np.zeros((*padded.shape[:-1], predicted.shape[-1]), "float32")
        for start, probabilities in zip(chosen, predicted):
            total[_window(start, size)] += weights * probabilities
            weight[_window(start, size)] += weights
    total /= weight
    return total[_window([length // 2 for length in missing], image.shape[:-1])]


def _starts(there, side, overlap):
    """First voxels of the windows along one axis, evenly spread, no further apart than the overlap allows."""
    step = max(1, side - ceil(side * overlap))
    count = 1 + -(-(there - side) // step)
    return [round(i * (there - side) / max(1, count - 1)) for i in range(count)]


def _weights(size, weighting):
    if weighting == "constant":
        return np.ones((*size, 1), "float32")
    axes = [np.exp(-0.5 * (8 * (np.arange(side) - (side - 1) / 2) / side) ** 2) for side in size]
    return np.maximum(prod(np.meshgrid(*axes, indexing="ij")), LEAST_WEIGHT).astype("float32")[..., np.newaxis]


def _window(start, size):
    return tuple(slice(first, first + side) for first, side in zip(start, size))


def _padded(image, missing):
    widths = [(length // 2, length - length // 2) for length in missing]
    channels = [np.pad(image[..., c], widths, constant_values=image[..., c].min()) for c in range(image.shape[-1])]
    return np.stack(channels, axis=-1)


def _checked(model, image, patch_size, overlap, weighting):
    taken = tuple(model.input_shape[1:])
    rank = len(taken) - 1
    size = (patch_size,) * rank if isinstance(patch_size, int) else tuple(patch_size)
    if image.ndim != rank + 1 or image.shape[-1] != taken[-1] or 0 in image.shape:
        raise InputError(
            f"The model takes images of {rank} axes and {taken[-1]} channels, (*space, channels); received shape "
            f"{image.shape}."
        )
    if len(size) != rank or any(there not in (None, side) for there, side in zip(taken, size)):
        raise InputError(f"The model takes windows of {taken[:-1]}; received patch_size={patch_size!r}.")
    if not 0 <= overlap < 1:
        raise InputError(f"overlap must be a share in [0, 1); received {overlap!r}.")
    if weighting not in WEIGHTINGS:
        raise InputError(f"weighting must be {' or '.join(map(repr, WEIGHTINGS))}; received {weighting!r}.")
    return size
