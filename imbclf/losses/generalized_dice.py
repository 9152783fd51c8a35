from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import SetLoss, absent_class_penalty, ratio


@register_keras_serializable(package="imbclf")
class GeneralizedDice(SetLoss):
    r"""One Dice coefficient over all classes, each weighted by the inverse of its squared size.

    $$L = 1 - \frac{2 \sum_k v_k \sum_i w_i y_{ik} p_{ik}}
    {\sum_k v_k \left(\sum_i w_i p_{ik} + \sum_i w_i y_{ik}\right)}, \qquad v_k = \left(\sum_i w_i y_{ik}\right)^{-2}$$

    A class without a true voxel in the set has \(v_k = 0\). Range \([0, 1]\), 0 for a perfect prediction.

    Source: Sudre et al. (2017), Generalised Dice overlap as a deep learning loss function.

    Args:
        over: `"batch"` or `"sample"`.
        absent: `"skip"` and `"zero"` are the formula as it stands; `"penalize"` adds the mean over classes of
            `stop_gradient(p) * p` of the classes without a true voxel.
        include_background: False leaves class 0 out of the sums.
        class_weight: multiplies \(v_k\); a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Returns one value for the batch; unreduced, that value for each of its B images.

    Example:

    >>> import imbclf
    >>> float(imbclf.GeneralizedDice()([[0, 0, 0, 1]], [[[0.75, 0.25]] * 4]))
    0.6250
    """

    def __init__(self, absent="skip", include_background=True, name="generalized_dice", **kwargs):
        super().__init__(name=name, **kwargs)
        if absent not in ("skip", "zero", "penalize"):
            raise ValueError(f"absent must be 'skip', 'zero' or 'penalize'; received {absent!r}.")
        self.absent = absent
        self.include_background = include_background

    def from_counts(self, counts, samples):
        # Shares of the set instead of counts: the same quotient, and nothing to overflow.
        size = ratio(counts.actual, counts.total)
        class_size = ratio(counts.present, size**2)
        class_weights = self.class_weights(samples)
        if class_weights is not None:
            class_size = class_size * class_weights
        overlap = class_size * ratio(counts.true_positives, counts.total)
        both = class_size * ratio(counts.predicted + counts.actual, counts.total)
        penalty = (1 - counts.present) * absent_class_penalty(samples, counts, self.over)
        if not self.include_background:
            overlap, both, penalty = overlap[..., 1:], both[..., 1:], penalty[..., 1:]
        both = ops.sum(both, axis=-1)
        loss = ops.cast(both != 0, both.dtype) - ratio(2 * ops.sum(overlap, axis=-1), both)
        return loss + ops.mean(penalty, axis=-1) if self.absent == "penalize" else loss

    def get_config(self):
        return {"absent": self.absent, "include_background": self.include_background, **super().get_config()}
