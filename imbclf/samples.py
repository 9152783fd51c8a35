"""One batch in the one form that every loss and metric sums over.

Labels become one-hot, predictions become log-probabilities, sample weights, masks and ignored labels become one weight
per voxel, spatial axes become one. No loss repeats any of it.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend import get_keras_mask

# Keeps logarithms and powers finite where a probability has underflowed to 0; far below what matters in float32.
TINY = 1e-30
# The derivative of log p flows back in the precision of p: 1 / p must not exceed the largest float16, 65504.
TINY_FLOAT16 = 6.2e-5


@dataclass(frozen=True)
class Samples:
    """One batch, its spatial axes flattened to N voxels (N = 1 for classification), in float32 or wider.

    Attributes:
        labels: `(B, N, K)` one-hot or soft labels; zero rows where ignored.
        log_probabilities: `(B, N, K)`.
        probabilities: `(B, N, K)`.
        weights: `(B, N)` sample weight x mask x (label is not `ignore_class`).
        valid: `(B, N)` 1 where the voxel counts at all, whatever its sample weight.
        shape: the shape `(B, *space)` before flattening.
    """

    labels: Any
    log_probabilities: Any
    probabilities: Any
    weights: Any
    valid: Any
    shape: tuple

    @property
    def num_classes(self):
        """K, the number of classes; 2 for a one-channel sigmoid head."""
        return self.labels.shape[-1]


def prepare(
    y_true, y_pred, sample_weight=None, mask=None, from_logits=False, ignore_class=None, dtype="float32"
) -> Samples:
    """Bring one batch into the form all sums are taken over.

    Args:
        y_true: integers `(B, *space)` or `(B, *space, 1)`, or one-hot or soft labels `(B, *space, K)`.
        y_pred: `(B, *space, K)` probabilities, or logits with `from_logits=True`; `K = 1` is a sigmoid head and becomes
            the two classes `[1 - p, p]`.
        sample_weight: `(B,)` or `(B, *space)`, or `None`.
        mask: boolean `(B, *space)`, False where a voxel does not count, or `None`.
        from_logits: whether `y_pred` holds logits.
        ignore_class: label that does not count, inside or outside `0..K-1`, or `None`.
        dtype: `"float64"` computes in float64; anything else in float32.

    Returns:
        `Samples`.

    Raises:
        ValueError: shapes that fit no form above, or, where values can be seen (outside a compiled function), labels
            outside `0..K-1`, soft labels that do not sum to 1, negative weights. Inside a compiled function a label out
            of range makes the loss NaN rather than count as nothing.
    """
    dtype = "float64" if dtype == "float64" else "float32"
    y_pred = ops.convert_to_tensor(y_pred)
    if len(y_pred.shape) < 2 or y_pred.shape[-1] is None:
        raise ValueError(f"y_pred must be (batch, *space, classes); received shape {tuple(y_pred.shape)}.")
    floor = TINY_FLOAT16 if keras.backend.standardize_dtype(y_pred.dtype) == "float16" else TINY
    y_pred = ops.cast(y_pred, dtype)
    leading = tuple(y_pred.shape[:-1])
    channels = y_pred.shape[-1]

    labels, valid = one_hot_labels(y_true, leading, channels, ignore_class, dtype)
    if mask is not None:
        valid = valid * ops.cast(_match_leading(mask, leading, "mask"), dtype)
    weights = valid
    if sample_weight is not None:
        sample_weight = _match_leading(sample_weight, leading, "sample_weight")
        if is_concrete(sample_weight):
            values = np.asarray(ops.convert_to_numpy(sample_weight))
            if not np.isfinite(values.astype("float64")).all() or (values < 0).any():
                raise ValueError("sample_weight must be finite and not negative.")
        weights = weights * ops.cast(sample_weight, dtype)

    batch = ops.shape(y_pred)[0]
    voxels = _flat_size(leading[1:])
    num_classes = labels.shape[-1]
    # Where a voxel does not count, its values must not reach a sum even as 0 x inf.
    counts = ops.expand_dims(valid > 0, -1)
    labels = ops.where(counts, labels, ops.zeros_like(labels))
    y_pred = ops.where(counts, y_pred, ops.full_like(y_pred, 0.0 if from_logits else 1.0 / num_classes))
    log_probabilities, probabilities = _class_probabilities(y_pred, from_logits, floor)
    return Samples(
        labels=ops.reshape(labels, (batch, voxels, num_classes)),
        log_probabilities=ops.reshape(log_probabilities, (batch, voxels, num_classes)),
        probabilities=ops.reshape(probabilities, (batch, voxels, num_classes)),
        weights=ops.reshape(weights, (batch, voxels)),
        valid=ops.reshape(valid, (batch, voxels)),
        shape=(batch, *ops.shape(y_pred)[1:-1]),
    )


def one_hot_labels(y_true, leading, channels, ignore_class=None, dtype="float32"):
    """Labels of any accepted form as one-hot or soft labels, with a 0/1 map of the voxels that count.

    Args:
        y_true: labels as `prepare` takes them.
        leading: static shape `(B, *space)` of the predictions; `None` for unknown sizes.
        channels: number of channels of the predictions; 1 stands for a sigmoid head.
        ignore_class: label that does not count, or `None`.
        dtype: dtype of what is returned.

    Returns:
        `(labels, valid)`: `(B, *space, K)` with `K = max(channels, 2)`, and `(B, *space)`.
    """
    y_true = ops.convert_to_tensor(y_true)
    shape = tuple(y_true.shape)
    num_classes = max(channels, 2)
    if _fits(shape, (*leading, channels)) and channels > 1:
        labels = ops.cast(y_true, dtype)
        _check_soft_labels(labels)
        if ignore_class is None:
            return labels, ops.ones_like(labels[..., 0])
        return labels, ops.cast(ops.argmax(labels, axis=-1) != ignore_class, dtype)
    if _fits(shape, (*leading, 1)):
        y_true = ops.squeeze(y_true, axis=-1)
    elif not _fits(shape, leading):
        raise ValueError(
            f"y_true of shape {shape} fits no form for y_pred of shape {(*leading, channels)}: expected integers "
            f"{leading} or {(*leading, 1)}, or one-hot or soft labels {(*leading, num_classes)}."
        )
    valid = ops.ones_like(y_true, dtype=dtype) if ignore_class is None else ops.cast(y_true != ignore_class, dtype)
    _check_integers(y_true, num_classes, ignore_class, soft=channels == 1)
    poison = ops.cast(float("nan"), dtype)
    if channels == 1:
        positive = ops.cast(y_true, dtype)
        inside = (positive >= 0) & (positive <= 1)
        positive = ops.where(inside, positive, poison)
        labels = ops.stack([1 - positive, positive], axis=-1)
    else:
        if "float" in keras.backend.standardize_dtype(y_true.dtype):
            y_true = ops.round(ops.cast(y_true, dtype))
        classes = ops.cast(y_true, "int32")
        inside = (classes >= 0) & (classes < num_classes)
        labels = ops.one_hot(ops.where(inside, classes, ops.zeros_like(classes)), num_classes, dtype=dtype)
        labels = ops.where(ops.expand_dims(inside, -1), labels, poison)
    return labels, valid


def mask_of(y_pred):
    """The mask that Keras attached to `y_pred`, or `None`.

    An attribute would not do: JAX arrays cannot carry one and Keras keeps their masks elsewhere.
    """
    return get_keras_mask(y_pred)


def is_concrete(x):
    """Whether the values of `x` can be looked at now: False inside a compiled function or a symbolic call."""
    if isinstance(x, (np.ndarray, np.generic, int, float, bool, list, tuple)):
        return True
    if isinstance(x, keras.KerasTensor):
        return False
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.executing_eagerly() and hasattr(x, "numpy")
    if backend == "jax":
        import jax

        return not isinstance(x, jax.core.Tracer)
    return getattr(x, "device", None) is None or str(x.device) != "meta"


def being_differentiated(x, refusal=None):
    """1.0 while a gradient through `x` is being recorded, else 0.0: tells a training step from an evaluation.

    A number on TensorFlow and PyTorch; on JAX a traced one, since there only the transformation knows.

    Args:
        x: a tensor.
        refusal: a sentence to raise as a ValueError if a gradient is being recorded, or `None`.
    """

    def yes():
        if refusal is not None:
            raise ValueError(refusal)
        return 1.0

    backend = keras.backend.backend()
    if backend == "tensorflow":
        from tensorflow.python.eager import record

        return yes() if record.could_possibly_record() else 0.0
    if backend == "jax":
        import jax

        @jax.custom_vjp
        def differentiated(x):
            return 0.0

        differentiated.defvjp(lambda x: (yes(), x), lambda x, _: (jax.numpy.zeros_like(x),))
        return differentiated(jax.numpy.ravel(x)[:1])
    import torch

    return yes() if torch.is_grad_enabled() and x.requires_grad else 0.0


def _class_probabilities(y_pred, from_logits, floor):
    if y_pred.shape[-1] == 1:
        if from_logits:
            log_probabilities = -ops.softplus(ops.concatenate([y_pred, -y_pred], axis=-1))
            return log_probabilities, ops.exp(log_probabilities)
        y_pred = ops.concatenate([1 - y_pred, y_pred], axis=-1)
    elif from_logits:
        log_probabilities = ops.log_softmax(y_pred, axis=-1)
        return log_probabilities, ops.exp(log_probabilities)
    return ops.log(ops.maximum(y_pred, floor)), y_pred


def _match_leading(x, leading, what):
    """`x` of shape (B,), (B, 1), (B, *space) or (B, *space, 1), broadcast to (B, *space)."""
    x = ops.convert_to_tensor(x)
    shape = tuple(x.shape)
    if _fits(shape, leading):
        return x
    if _fits(shape, (*leading, 1)):
        return ops.squeeze(x, axis=-1)
    if len(shape) in (1, 2) and _fits(shape[:1], leading[:1]) and shape[1:] in ((), (1,)):
        x = ops.reshape(x, (-1,) + (1,) * (len(leading) - 1))
        return x if len(leading) == 1 else ops.broadcast_to(x, (ops.shape(x)[0], *leading[1:]))
    raise ValueError(
        f"{what} of shape {shape} does not fit predictions of shape {leading} plus classes: expected {leading[:1]}"
        + (f" or {leading}." if len(leading) > 1 else ".")
    )


def _fits(shape, expected):
    return len(shape) == len(expected) and all(
        a is None or b is None or a == b for a, b in zip(shape, expected, strict=True)
    )


def _flat_size(space):
    if any(size is None for size in space):
        return -1
    return int(np.prod(space, dtype=int))


def _check_integers(y_true, num_classes, ignore_class, soft):
    if not is_concrete(y_true):
        return
    values = np.asarray(ops.convert_to_numpy(y_true))
    if ignore_class is not None:
        values = values[values != ignore_class]
    outside = ~((values >= 0) & (values <= num_classes - 1))
    if not soft:
        outside |= values != np.round(values)
    if outside.any():
        hint = "" if ignore_class is None else f" or ignore_class={ignore_class}"
        kind = "a label between 0 and 1" if soft else f"integer labels 0..{num_classes - 1}"
        raise ValueError(f"Expected {kind}{hint}; received {values[outside].ravel()[0].item()!r} in y_true.")


def _check_soft_labels(labels):
    if not is_concrete(labels):
        return
    values = np.asarray(ops.convert_to_numpy(labels), dtype="float64")
    if not (values >= 0).all() or np.abs(values.sum(-1) - 1).max(initial=0) > 1e-3:
        raise ValueError(
            "One-hot or soft labels must be non-negative and sum to 1 over the last axis; "
            f"received a row that sums to {values.sum(-1).ravel()[np.abs(values.sum(-1) - 1).argmax()]:.4g}."
        )
