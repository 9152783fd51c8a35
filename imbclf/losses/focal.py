from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import PointwiseLoss
from imbclf.losses.cross_entropy import cross_entropy
from imbclf.samples import TINY


@register_keras_serializable(package="imbclf")
class Focal(PointwiseLoss):
    r"""Focal loss in K classes: cross-entropy that turns away from what is already right.

    $$FL_i = \alpha_{c(i)} (1 - q_i)^\gamma \, CE_i, \qquad q_i = \sum_k y_{ik} p_{ik}$$

    \(q_i\) is the probability of the true class \(c(i)\). \(\gamma = 0\) is `CrossEntropy`. Computed in log space from
    logits, the gradient of a confidently wrong voxel tends to that of cross-entropy instead of vanishing. Range
    \([0, \infty)\), 0 for a perfect prediction.

    Source: Lin et al. (2017), Focal Loss for Dense Object Detection, eq. 4 and 5, in softmax form.

    Args:
        gamma: focusing exponent, not negative; 2 in the paper.
        alpha: one weight per class, or `None`. The paper's binary `alpha = 0.25` is `[0.75, 0.25]` here.
        **kwargs: `from_logits`, `ignore_class`, `class_weight`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head.

    Example:

    >>> import imbclf
    >>> float(imbclf.Focal(gamma=2.0)([1], [[0.5, 0.5]]))  # 0.25 * log(2)
    0.1733
    """

    def __init__(self, gamma=2.0, alpha=None, name="focal", **kwargs):
        super().__init__(name=name, **kwargs)
        if not gamma >= 0:
            raise ValueError(f"gamma must not be negative; received {gamma}.")
        if alpha is not None and (isinstance(alpha, (int, float, str)) or any(not a >= 0 for a in alpha)):
            raise ValueError(f"alpha must be a list of one non-negative weight per class, or None; received {alpha!r}.")
        self.gamma = gamma
        self.alpha = None if alpha is None else [float(a) for a in alpha]

    def per_voxel(self, samples):
        losses = cross_entropy(samples.labels, samples.log_probabilities)
        if self.gamma:
            # 1 - q as the sum of the other probabilities keeps its digits where q is close to 1; the floor keeps the
            # derivative of a power below 1 finite.
            others = ops.sum((1 - samples.labels) * samples.probabilities, axis=-1)
            losses = ops.power(ops.maximum(others, TINY), self.gamma) * losses
        if self.alpha is not None:
            if len(self.alpha) != samples.num_classes:
                raise ValueError(
                    f"alpha of {self.name} has {len(self.alpha)} entries; the predictions have {samples.num_classes} "
                    "classes."
                )
            losses = losses * ops.sum(samples.labels * ops.convert_to_tensor(self.alpha, dtype=losses.dtype), axis=-1)
        return losses

    def get_config(self):
        return {"gamma": self.gamma, "alpha": self.alpha, **super().get_config()}
