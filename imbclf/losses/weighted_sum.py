import keras
from keras import ops
from keras.saving import register_keras_serializable

from imbclf.statistics import num_replicas


@register_keras_serializable(package="imbclf")
class WeightedSum(keras.losses.Loss):
    r"""A weighted sum of losses that can be saved, and that can show each part.

    $$L = \sum_j \lambda_j L_j$$

    Each part is called with the labels, predictions, weights and mask as they come and keeps its own options, so a sum
    of a pointwise and a set-level loss weighs samples as each of them does.

    Args:
        losses: Keras losses, each an instance, a serialised config or a name such as `"imbclf>SoftF1"`.
        weights: one number per loss; all 1 by default.
        reduction: the reduction of every part; a part made with another one is made again with this.
        name: name of the sum.
        dtype: as in every Keras loss; the parts keep their own.

    `loss.parts` maps names to the losses; `compile(metrics=loss.part_metrics())` shows each while training.

    Example:

    >>> import imbclf
    >>> loss = imbclf.WeightedSum([imbclf.CrossEntropy(), imbclf.SoftF1()], weights=[1.0, 0.5])
    >>> list(loss.parts)
    ['cross_entropy', 'soft_f1']
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # -log(0.75) + 0.5 * 0.25
    0.4127
    """

    def __init__(self, losses, weights=None, reduction="sum_over_batch_size", name="weighted_sum", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.losses = [_with_reduction(keras.losses.get(loss), self.reduction) for loss in losses]
        if not self.losses:
            raise ValueError("losses must be a non-empty list of keras.losses.Loss; received an empty one.")
        weights = [1.0] * len(self.losses) if weights is None else [float(w) for w in weights]
        if len(weights) != len(self.losses):
            raise ValueError(f"Expected {len(self.losses)} weights, one per loss; received {len(weights)}.")
        self.weights = weights

    @property
    def parts(self):
        """The parts by name, in order; a repeated name gets a number."""
        named = {}
        for loss in self.losses:
            name, count = loss.name, 2
            while name in named:
                name, count = f"{loss.name}_{count}", count + 1
            named[name] = loss
        return named

    @property
    def variables(self):
        """Keras variables of the parts that change while training."""
        return [variable for loss in self.losses for variable in getattr(loss, "variables", [])]

    def part_metrics(self):
        """One metric per part, unweighted, and those of parts that keep a state, to pass to `compile(metrics=...)`."""
        return [*(LossPart(loss, name=name) for name, loss in self.parts.items()), *self.state_metrics()]

    def state_metrics(self):
        """The metrics that hold the state of the parts, such as the switch of a `Balance`."""
        return [metric for loss in self.losses if hasattr(loss, "state_metrics") for metric in loss.state_metrics()]

    def __call__(self, y_true, y_pred, sample_weight=None):
        values = [loss(y_true, y_pred, sample_weight) for loss in self.losses]
        return self._add(values)

    def call(self, y_true, y_pred):
        """The unreduced sum; a set-level part counts for every voxel."""
        return self._add([loss.call(y_true, y_pred) for loss in self.losses])

    def _add(self, values):
        rank = max(len(value.shape) for value in values)
        total = 0.0
        for weight, value in zip(self.weights, values, strict=True):
            value = ops.reshape(value, (*ops.shape(value), *(1,) * (rank - len(value.shape))))
            total = total + weight * value
        return total

    def get_config(self):
        return {
            "losses": [keras.saving.serialize_keras_object(loss) for loss in self.losses],
            "weights": self.weights,
            **super().get_config(),
            "dtype": self.dtype,
        }


@register_keras_serializable(package="imbclf")
class LossPart(keras.metrics.Mean):
    """The mean of a loss over batches, each counted by its number of samples, as Keras tracks the loss itself.

    Args:
        loss: the loss to track.
        name: name of the metric.
        dtype: dtype of the metric.
    """

    def __init__(self, loss, name=None, dtype=None):
        super().__init__(name=name or keras.losses.get(loss).name, dtype=dtype)
        self.loss = keras.losses.get(loss)
        self._direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):
        # Under `tf.distribute` a loss is a replica's share of the mean; the tracked number is the mean.
        value = self.loss(y_true, y_pred, sample_weight) * num_replicas()
        super().update_state(value, sample_weight=ops.cast(ops.shape(y_pred)[0], value.dtype))

    def get_config(self):
        return {"loss": keras.saving.serialize_keras_object(self.loss), "name": self.name, "dtype": self.dtype}


def _with_reduction(loss, reduction):
    if not isinstance(loss, keras.losses.Loss):
        raise ValueError(f"Each of the losses must be a keras.losses.Loss; received {loss!r}.")
    if loss.reduction == reduction:
        return loss
    return type(loss).from_config({**loss.get_config(), "reduction": reduction})
