from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import PointwiseLoss


@register_keras_serializable(package="imbclf")
class CrossEntropy(PointwiseLoss):
    r"""Cross-entropy for labels of any form and predictions of any rank.

    $$CE_i = -\sum_k y_{ik} \log p_{ik}$$

    averaged over all voxels \(i\) that count. With one-hot labels it is the log-loss; range \([0, \infty)\), 0 for a
    perfect prediction.

    Args:
        temperature: multiplies the logits, `p = softmax(temperature * logits)`; above 1 sharpens. From probabilities,
            `log p` serves as the logits.
        label_smoothing: share \(s\) of the label spread evenly: `(1 - s) * y + s / K`.
        **kwargs: `from_logits`, `ignore_class`, `class_weight`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CrossEntropy()
    >>> float(loss([0, 1], [[0.5, 0.5], [0.75, 0.25]]))
    1.0397
    >>> float(loss([0, 1], [[0.5, 0.5], [0.75, 0.25]], sample_weight=[1.0, 0.0]))
    0.3466
    """

    def __init__(self, temperature=1.0, label_smoothing=0.0, name="cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        if not temperature > 0:
            raise ValueError(f"temperature must be positive; received {temperature}.")
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must be in [0, 1); received {label_smoothing}.")
        self.temperature = temperature
        self.label_smoothing = label_smoothing

    def per_voxel(self, samples):
        labels, log_probabilities = samples.labels, samples.log_probabilities
        if self.label_smoothing:
            labels = (1 - self.label_smoothing) * labels + self.label_smoothing / samples.num_classes
        if self.temperature != 1:
            log_probabilities = ops.log_softmax(self.temperature * log_probabilities, axis=-1)
        return cross_entropy(labels, log_probabilities)

    def get_config(self):
        return {"temperature": self.temperature, "label_smoothing": self.label_smoothing, **super().get_config()}


def cross_entropy(labels, log_probabilities):
    """`-sum_k y_k log p_k` over the last axis."""
    return -ops.sum(labels * log_probabilities, axis=-1)
