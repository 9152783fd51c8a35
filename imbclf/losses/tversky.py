from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import OverlapLoss, ratio
from imbclf.samples import TINY


@register_keras_serializable(package="imbclf")
class Tversky(OverlapLoss):
    r"""One minus the mean Tversky index: the Dice loss with a price of its own for each kind of error.

    $$L = 1 - \frac1K \sum_k \frac{TP_k}{TP_k + \alpha FP_k + \beta FN_k}$$

    on soft counts per class. \(\alpha = \beta = 0.5\) is `Dice`; \(\beta > \alpha\) prefers a false positive to a miss.
    The class axis stays out of the sums: pooled over classes, false positives and false negatives are equal in number
    and the two prices would do nothing. Range \([0, 1]\) for prices up to 1, 0 for a perfect prediction.

    Source: Salehi et al. (2017), Tversky loss function for image segmentation.

    Args:
        alpha: price of a false positive.
        beta: price of a false negative.
        over: `"batch"` or `"sample"`.
        absent: `"skip"`, `"zero"` or `"penalize"`; see `OverlapLoss`.
        include_background: False leaves class 0 out of the mean.
        class_weight: weighs the classes in the mean; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Returns one value for the batch; unreduced, that value for each of its B images.

    Example:

    >>> import imbclf
    >>> loss = imbclf.Tversky(alpha=0.25, beta=0.75, include_background=False)
    >>> float(loss([[0, 1]], [[[0.5, 0.5], [0.5, 0.5]]]))  # 1 - 0.5 / (0.5 + 0.25 * 0.5 + 0.75 * 0.5)
    0.5
    """

    def __init__(self, alpha=0.3, beta=0.7, name="tversky", **kwargs):
        super().__init__(name=name, **kwargs)
        if not (alpha >= 0 and beta >= 0 and alpha + beta > 0):
            raise ValueError(f"alpha and beta must not be negative, nor both 0; received {alpha} and {beta}.")
        self.alpha = alpha
        self.beta = beta

    def per_class(self, counts):
        return tversky_error(counts, self.alpha, self.beta)

    def get_config(self):
        return {"alpha": self.alpha, "beta": self.beta, **super().get_config()}


@register_keras_serializable(package="imbclf")
class FocalTversky(Tversky):
    r"""The Tversky loss of each class to a power, so that classes not yet found weigh more than those nearly right.

    $$L = \frac1K \sum_k (1 - T_k)^{1/\gamma}, \qquad T_k = \frac{TP_k}{TP_k + \alpha FP_k + \beta FN_k}$$

    \(\gamma = 1\) is `Tversky`. With \(\gamma > 1\) the exponent is below 1 and the slope grows without bound towards a
    perfect prediction, where it is set to 0. Range \([0, 1]\), 0 for a perfect prediction.

    Source: Abraham and Khan (2019), A novel focal Tversky loss function with improved attention U-Net, eq. 4.

    Args:
        gamma: the exponent is `1 / gamma`; 4/3 in the paper, from 1 to 3.
        alpha, beta, over, absent, include_background, class_weight: see `Tversky`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: as `Tversky`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.FocalTversky(gamma=0.5, alpha=0.5, beta=0.5, include_background=False)
    >>> float(loss([[0, 1]], [[[0.5, 0.5], [0.5, 0.5]]]))  # 0.5 ** 2
    0.25
    """

    def __init__(self, gamma=4 / 3, name="focal_tversky", **kwargs):
        super().__init__(name=name, **kwargs)
        if not gamma > 0:
            raise ValueError(f"gamma must be positive; received {gamma}.")
        self.gamma = gamma

    def per_class(self, counts):
        return power(tversky_error(counts, self.alpha, self.beta), 1 / self.gamma)

    def get_config(self):
        return {"gamma": self.gamma, **super().get_config()}


def tversky_error(counts, alpha, beta):
    """`1 - TP / (TP + alpha FP + beta FN)` per class, as a quotient of errors, which keeps its digits near 0."""
    errors = alpha * counts.false_positives + beta * counts.false_negatives
    return ratio(errors, counts.true_positives + errors)


def power(base, exponent):
    """`base ** exponent` for a base from 0, with a gradient of 0 at 0, where that of a power below 1 is infinite."""
    return ops.power(ops.maximum(base, TINY), exponent) if exponent != 1 else base
