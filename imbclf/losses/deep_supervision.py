import keras
from keras import ops
from keras.saving import register_keras_serializable

from imbclf.statistics import sum_over_replicas


@register_keras_serializable(package="imbclf")
class DeepSupervision(keras.losses.Loss):
    r"""A loss at several resolutions of a network, against labels resized so that small structures stay.

    $$L = \sum_s \lambda_s\, L(\mathrm{resize}_s(y), p_s), \qquad \lambda_s = 2^{-s} \text{ by default}$$

    where output s has \(2^{-s}\) of the sides of the labels. Two ways to use it: call it with all outputs as a list, or
    compile a network of several outputs with it and give `fit` the labels once per output, `y=[y, y, y]`: each output
    finds its weight and its labels by its size.

    Labels are resized by `resize_labels`; soft and one-hot labels, and sample weights `(B, *space)`, by averaging.

    Source: Lee et al. (2015), Deeply-supervised nets; the weights of Isensee et al. (2021), nnU-Net, not normalised.

    Args:
        loss: a Keras loss, its config, or its name.
        weights: one number per output from the full resolution down, or `None` for 1, 1/2, 1/4 and so on.
        name: name of the loss.
        reduction, dtype: those of `loss` by default.

    Shapes: `y_true` as for `loss`, at full resolution; `y_pred` a list of `(B, *space / 2**s, K)`, or one of them.

    Raises:
        ValueError: an output whose sides are not those of the labels divided by one power of two, or one that has no
            weight.

    Example:

    >>> import numpy as np
    >>> import imbclf
    >>> loss = imbclf.DeepSupervision(imbclf.CrossEntropy(), weights=[1.0, 0.5])
    >>> y = np.array([[0, 0, 1, 1]])
    >>> full, half = np.full((1, 4, 2), 0.5), np.array([[[0.75, 0.25], [0.25, 0.75]]])
    >>> float(loss(y, [full, half]))  # log(2) - 0.5 * log(0.75)
    0.8370
    """

    def __init__(self, loss, weights=None, name="deep_supervision", reduction=None, dtype=None):
        self.loss = keras.losses.get(loss)
        if not isinstance(self.loss, keras.losses.Loss):
            raise ValueError(f"loss must be a keras.losses.Loss; received {loss!r}.")
        super().__init__(name=name, reduction=reduction or self.loss.reduction, dtype=dtype or self.loss.dtype)
        self.weights = None if weights is None else [float(w) for w in weights]

    def __call__(self, y_true, y_pred, sample_weight=None):
        if isinstance(y_pred, (list, tuple)):
            if isinstance(y_true, (list, tuple)) and len(y_true) == len(y_pred):
                y_true = y_true[0]
            return sum(self(y_true, output, sample_weight) for output in y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        space = tuple(y_pred.shape[1:-1])
        level = self._level(tuple(y_true.shape[1 : 1 + len(space)]), space)
        weight = 2.0**-level if self.weights is None else self.weights[level]
        if level:
            y_true = resize_labels(y_true, 2**level, max(y_pred.shape[-1], 2), len(space))
            if sample_weight is not None:
                sample_weight = _resize_weights(ops.convert_to_tensor(sample_weight), 2**level, len(space))
        return weight * self.loss(y_true, y_pred, sample_weight)

    @property
    def variables(self):
        """Keras variables of the loss that change while training."""
        return getattr(self.loss, "variables", [])

    def _level(self, full, space):
        factors = {a // b if a and b and a % b == 0 else None for a, b in zip(full, space, strict=True)}
        factor = factors.pop() if len(factors) == 1 else (None if factors else 1)
        if factor is None or factor & (factor - 1):
            raise ValueError(
                "The sides of an output must be those of the labels divided by one power of two; received an output "
                f"of {space} for labels of {full}."
            )
        level = factor.bit_length() - 1
        if self.weights is not None and level >= len(self.weights):
            raise ValueError(
                f"There are {len(self.weights)} weights; an output of {space} for labels of {full} needs one more."
            )
        return level

    def get_config(self):
        return {
            "loss": keras.saving.serialize_keras_object(self.loss),
            "weights": self.weights,
            "name": self.name,
            "reduction": self.reduction,
            "dtype": self.dtype,
        }


def resize_labels(labels, factor, num_classes, rank):
    """Labels at `1 / factor` of the resolution, by the nearest neighbour, without deleting small structures.

    Every block of `factor` voxels along each axis takes the label of its middle. Where that leaves a class that occurs
    in a block without a voxel in this block and all around it, the block takes the class; of several such, the rarest
    in the batch. Large structures keep their shape, and what falls between the middles does not vanish.

    Args:
        labels: integers `(B, *space)` or `(B, *space, 1)`; values outside `0..K-1` are moved like any other but never
            restored. Or soft or one-hot labels `(B, *space, K)`, which are averaged.
        factor: whole number that divides every side.
        num_classes: K.
        rank: number of spatial axes.

    Returns:
        `(B, *space / factor)`, or `(B, *space / factor, K)` for soft labels.

    Example:

    >>> import numpy as np
    >>> from imbclf.losses.deep_supervision import resize_labels
    >>> resize_labels(np.array([[1, 0, 0, 0, 2, 2, 2, 2]]), 2, num_classes=3, rank=1).__array__().tolist()
    [[1, 0, 2, 2]]
    """
    labels = ops.convert_to_tensor(labels)
    if len(labels.shape) == rank + 2 and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, axis=-1)
    if len(labels.shape) == rank + 2:
        return _pool(ops.average_pool, ops.cast(labels, "float32"), factor)
    labels = ops.cast(ops.round(ops.cast(labels, "float32")), "int32")
    middle = labels[(slice(None), *(slice(factor // 2, None, factor),) * rank)]

    one_hot = _one_hot(labels, num_classes)
    occurs = _pool(ops.max_pool, one_hot, factor)
    around = _pool(ops.max_pool, _one_hot(middle, num_classes), 3, stride=1, padding="same")
    lost = occurs * (1 - around)
    rarity = 1 / (1 + sum_over_replicas(ops.sum(one_hot, axis=tuple(range(rank + 1)))))
    rarest = ops.cast(ops.argmax(lost * rarity, axis=-1), "int32")
    return ops.where(ops.max(lost, axis=-1) > 0, rarest, middle)


def _pool(pool, x, size, stride=None, padding="valid"):
    """Pool over all spatial axes of `(B, *space, K)`. JAX takes neither a single number nor its own default stride."""
    rank = len(x.shape) - 2
    strides = (stride or size,) * rank
    return pool(x, (size,) * rank, strides=strides, padding=padding, data_format="channels_last")


def _one_hot(labels, num_classes):
    """One-hot labels; rows of 0 for values outside `0..K-1`, which not every backend takes."""
    inside = (labels >= 0) & (labels < num_classes)
    one_hot = ops.one_hot(ops.where(inside, labels, ops.zeros_like(labels)), num_classes)
    return one_hot * ops.expand_dims(ops.cast(inside, one_hot.dtype), -1)


def _resize_weights(weights, factor, rank):
    if len(weights.shape) < rank + 1 or rank == 0:
        return weights
    if len(weights.shape) == rank + 1:
        weights = ops.expand_dims(weights, -1)
    return _pool(ops.average_pool, ops.cast(weights, "float32"), factor)[..., 0]
