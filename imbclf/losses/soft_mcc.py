import dataclasses

from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import SetLoss, absent_class_penalty, ratio


@register_keras_serializable(package="imbclf")
class SoftMCC(SetLoss):
    r"""One minus Matthews' correlation coefficient in K classes, on soft counts.

    $$R_K = \frac{c - \sum_k p_k t_k}{\sqrt{\max(1 - \sum_k p_k^2, 0)\,\max(1 - \sum_k t_k^2, 0) + 10^{-7}}},
    \qquad L = 1 - R_K$$

    with the means \(c = \sum_{ik} w_i y_{ik} p_{ik} / n\), \(p_k = \sum_i w_i p_{ik} / n\),
    \(t_k = \sum_i w_i y_{ik} / n\), which cannot overflow. With K = 2 it is the binary formula; on hard predictions it
    is `sklearn.metrics.matthews_corrcoef`. Range \([0, 2]\): 0 perfect, 1 no better than chance. A set with one true
    class scores 1 with no gradient, since a correlation needs two: use balanced batches, `CEPlusMCC`, or
    `absent="penalize"`.

    Source: Scholz et al. (2024), eq. 4 and 5; Gorodkin (2004) for K classes.

    Args:
        over: `"batch"` or `"sample"`.
        absent: `"skip"` and `"zero"` are the formula as it stands; `"penalize"` adds the mean over classes of
            `stop_gradient(p) * p` of the classes without a true voxel.
        class_weight: multiplies the weight of each voxel by that of its true class; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Returns one value for the batch; unreduced, that value for each of its B images.

    Example:

    >>> import imbclf
    >>> float(imbclf.SoftMCC()([0, 1, 1, 0], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]))  # 1 - 1 / sqrt(3)
    0.4227
    """

    def __init__(self, absent="skip", name="soft_mcc", **kwargs):
        super().__init__(name=name, **kwargs)
        if absent not in ("skip", "zero", "penalize"):
            raise ValueError(f"absent must be 'skip', 'zero' or 'penalize'; received {absent!r}.")
        self.absent = absent

    def loss_and_weights(self, samples):
        class_weights = self.class_weights(samples)
        if class_weights is None:
            return super().loss_and_weights(samples)
        weighted = samples.weights * ops.sum(samples.labels * class_weights, axis=-1)
        return super().loss_and_weights(dataclasses.replace(samples, weights=weighted))

    def from_counts(self, counts, samples):
        loss = 1 - correlation(counts)
        # Without a voxel that counts there is nothing to correlate and nothing to pay.
        loss = loss * ops.cast(counts.total[..., 0] > 0, loss.dtype)
        if self.absent == "penalize":
            penalty = absent_class_penalty(samples, counts, self.over)
            loss = loss + ops.mean((1 - counts.present) * penalty, axis=-1)
        return loss

    def get_config(self):
        return {"absent": self.absent, **super().get_config()}


def correlation(counts):
    """Gorodkin's R_K of soft counts, `(...)` from counts `(..., K)`."""
    agreement = ops.sum(ratio(counts.true_positives, counts.total), axis=-1)
    predicted = ratio(counts.predicted, counts.total)
    actual = ratio(counts.actual, counts.total)
    chance = ops.sum(predicted * actual, axis=-1)
    spread = ops.maximum(1 - ops.sum(predicted**2, axis=-1), 0.0) * ops.maximum(1 - ops.sum(actual**2, axis=-1), 0.0)
    return (agreement - chance) / ops.sqrt(spread + 1e-7)
