"""Prediction of images of any size by a model that takes patches of one size."""

import itertools

import numpy as np

from imbclf.errors import InputError

# The least weight of a voxel at the rim of a Gaussian window, as a share of that in the middle.
FLOOR = 1e-3


def predict_sliding_window(model, image, patch_size, overlap=0.5, weighting="gaussian", batch_size=4):
    r"""Class probabilities for every voxel of one image, averaged over the windows that cover it.

    $$P_i = \sum_{w \ni i} g_{i - w}\, p_{w, i} \Big/ \sum_{w \ni i} g_{i - w}$$

    with \(p_w\) what the model says of window w and \(g\) the weight of a place within the window. Windows are
    `round(patch * (1 - overlap))` voxels apart and the last one ends with the image. An image smaller than the patch is
    padded as `imbclf.sampling` pads windows, on both sides with the smallest value of each channel, and what was added
    is cut off again. Beside the image, memory is needed for the result and one number per voxel. Every call of the
    model has the same batch shape, so it is compiled once.

    Source of the Gaussian weights: Isensee et al. (2021), nnU-Net.

    Args:
        model: a Keras model from `(batch, *patch_size, channels)` to probabilities `(batch, *patch_size, K)`. Of
            several outputs, the first counts.
        image: `(*space, channels)`, 2D or 3D, of any size.
        patch_size: sides of a window in voxels, one per spatial axis.
        overlap: share of a window's side that the next window covers too, in [0, 1).
        weighting: `"gaussian"`, of standard deviation `patch / 8`, 1 in the middle and at least 0.001; or `"constant"`.
        batch_size: windows per call of the model; fewer where the image has fewer.

    Returns:
        float32 `(*space, K)`, probabilities that sum to 1 where the model's do.

    Raises:
        InputError: an image or a patch that the model cannot take, an overlap outside [0, 1), an unknown weighting, a
            model that returns logits or maps of another size.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> from imbclf.models import predict_sliding_window
    >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 1, activation="softmax")])
    >>> predict_sliding_window(model, np.zeros((20, 5, 1)), (8, 8))[0, 0]
    array([0.5, 0.5], dtype=float32)
    """
    image = np.asarray(image)
    patch_size = tuple(int(side) for side in np.atleast_1d(patch_size))
    _check(model, image, patch_size, overlap, weighting, batch_size)

    space = image.shape[:-1]
    missing = [max(0, patch - size) for size, patch in zip(space, patch_size)]
    before = [extra - extra // 2 for extra in missing]
    if any(missing):
        image = _pad(image, before, missing)
    windows = [
        tuple(slice(start, start + patch) for start, patch in zip(corner, patch_size))
        for corner in itertools.product(
            *(window_starts(size, patch, overlap) for size, patch in zip(image.shape[:-1], patch_size))
        )
    ]
    weights = window_weights(patch_size, weighting)
    batch = np.zeros((min(batch_size, len(windows)), *patch_size, image.shape[-1]), "float32")
    weighted_sum, weight_sum = None, np.zeros(image.shape[:-1], "float32")
    for first in range(0, len(windows), len(batch)):
        chosen = windows[first : first + len(batch)]
        # The last batch keeps windows of the one before it where it has too few of its own; their results are not used.
        for place, window in enumerate(chosen):
            batch[place] = image[window]
        probabilities = _first_output(model.predict_on_batch(batch), batch.shape)
        if weighted_sum is None:
            weighted_sum = np.zeros((*image.shape[:-1], probabilities.shape[-1]), "float32")
        for window, predicted in zip(chosen, probabilities):
            weighted_sum[window] += weights[..., None] * predicted
            weight_sum[window] += weights
    weighted_sum /= weight_sum[..., None]
    return weighted_sum[tuple(slice(first, first + size) for first, size in zip(before, space))]


def window_starts(size, patch, overlap):
    """First voxels of the windows along an axis of `size >= patch` voxels.

    >>> window_starts(10, 4, overlap=0.5)
    [0, 2, 4, 6]
    >>> window_starts(11, 4, overlap=0.25)
    [0, 3, 6, 7]
    """
    step = max(1, round(patch * (1 - overlap)))
    return [*range(0, size - patch, step), size - patch]


def window_weights(patch_size, weighting):
    """Weight of every voxel of a window, float32 of shape `patch_size`, 1 where it is largest."""
    weights = np.ones(patch_size)
    if weighting == "gaussian":
        for axis, side in enumerate(patch_size):
            offset = (np.arange(side) - (side - 1) / 2) / (side / 8)
            weights *= np.expand_dims(np.exp(-(offset**2) / 2), [a for a in range(len(patch_size)) if a != axis])
        weights = np.maximum(weights / weights.max(), FLOOR)
    return weights.astype("float32")


def _pad(image, before, missing):
    padded = np.empty((*(size + extra for size, extra in zip(image.shape, missing)), image.shape[-1]), "float32")
    padded[...] = image.min(axis=tuple(range(image.ndim - 1)))
    padded[tuple(slice(first, first + size) for first, size in zip(before, image.shape[:-1]))] = image
    return padded


def _check(model, image, patch_size, overlap, weighting, batch_size):
    if isinstance(model.input_shape, list):
        raise InputError(f"A model with one input is needed; {model.name} has {len(model.input_shape)}.")
    _, *space, channels = model.input_shape
    if len(space) not in (2, 3):
        raise InputError(f"A model of 2D or 3D images is needed; {model.name} takes {model.input_shape}.")
    # A Sequential has no names of outputs.
    if list(getattr(model, "output_names", ()))[:1] == ["logits"]:
        raise InputError(
            f"The model {model.name} returns logits, of which no average is a probability; build it with "
            "from_logits=False."
        )
    if image.ndim != len(space) + 1:
        raise InputError(
            f"The model {model.name} takes images of {len(space)} spatial axes and a last axis for the channels; "
            f"received an image of shape {image.shape}."
        )
    if channels is not None and image.shape[-1] != channels:
        raise InputError(
            f"The model {model.name} takes {channels} channels, on the last axis; received an image of shape "
            f"{image.shape}."
        )
    if 0 in image.shape:
        raise InputError(f"The image must not be empty; received shape {image.shape}.")
    if len(patch_size) != len(space) or min(patch_size) < 1:
        raise InputError(f"patch_size must have {len(space)} positive sides; received {patch_size}.")
    if any(ours not in (None, patch) for ours, patch in zip(space, patch_size)):
        raise InputError(f"The model {model.name} takes patches of {tuple(space)}; received patch_size {patch_size}.")
    if not 0 <= overlap < 1:
        raise InputError(f"overlap must be at least 0 and below 1; received {overlap}.")
    if weighting not in ("gaussian", "constant"):
        raise InputError(f"weighting must be 'gaussian' or 'constant'; received {weighting!r}.")
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1; received {batch_size}.")


def _first_output(outputs, shape):
    """The first output as float32, checked to have a prediction for each voxel of the batch."""
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    probabilities = np.asarray(outputs[0] if isinstance(outputs, list) else outputs, "float32")
    if probabilities.ndim != len(shape) or probabilities.shape[:-1] != shape[:-1]:
        raise InputError(
            f"The model must return probabilities for each voxel, {('batch', *shape[1:-1], 'K')}; it returned shape "
            f"{('batch', *probabilities.shape[1:])}."
        )
    return probabilities
