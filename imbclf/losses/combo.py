from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import PointwiseLoss
from imbclf.losses.compound import Compound
from imbclf.losses.dice import Dice


@register_keras_serializable(package="imbclf")
class TwoSidedCE(PointwiseLoss):
    r"""Cross-entropy with a price for each side: a class missed, and a class predicted where it is not.

    $$\frac1K \sum_k -\beta\, y_{ik} \log p_{ik} - (1 - \beta)(1 - y_{ik}) \log(1 - p_{ik})$$

    The pointwise part of `Combo`.

    Args:
        beta: price of a miss, in [0, 1]; that of a false alarm is `1 - beta`.
        **kwargs: see `ImbalanceLoss`.
    """

    def __init__(self, beta=0.5, name="two_sided_ce", **kwargs):
        super().__init__(name=name, **kwargs)
        if not 0 <= beta <= 1:
            raise ValueError(f"beta must be in [0, 1]; received {beta}.")
        self.beta = beta

    def per_voxel(self, samples):
        labels = samples.labels
        missed = labels * samples.log_probabilities
        invented = (1 - labels) * log_complements(samples.log_probabilities)
        return -ops.mean(self.beta * missed + (1 - self.beta) * invented, axis=-1)

    def get_config(self):
        return {"beta": self.beta, **super().get_config()}


@register_keras_serializable(package="imbclf")
class Combo(Compound):
    r"""Two-sided cross-entropy and Dice, each class against the rest.

    $$L = \alpha \operatorname{mean}_{ik} \left[ -\beta\, y_{ik} \log p_{ik} - (1 - \beta)(1 - y_{ik}) \log(1 - p_{ik})
    \right] + (1 - \alpha) L_{Dice}$$

    \(\beta > 0.5\) makes a miss dearer than a false alarm. Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Taghanaki et al. (2019), Combo loss: handling input and output imbalance in multi-organ segmentation, which
    subtracts the Dice coefficient: the same but for a constant.

    Args:
        alpha: share of the cross-entropy, in [0, 1].
        beta: price of a miss, in [0, 1].
        squared, over, absent, include_background: of `Dice`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.Combo(alpha=0.5, beta=0.5)
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # 0.5 * (-0.5 * log(0.75)) + 0.5 * 0.25
    0.1969
    """

    first, second = TwoSidedCE, Dice
    first_options = ("beta",)
    default_name = "combo"

    def __init__(self, alpha=0.5, **kwargs):
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be in [0, 1]; received {alpha}.")
        super().__init__(weights=(alpha, 1 - alpha), **kwargs)
        self.alpha = alpha

    def get_config(self):
        config = super().get_config()
        del config["weights"]
        return {"alpha": self.alpha, **config}


def log_complements(log_probabilities):
    """`log(1 - p_k)` over the last axis, as the logarithm of the sum of all other probabilities.

    Summed in log space from both sides, so that it neither cancels where p is close to 1 nor loses its gradient.
    """
    columns = ops.unstack(log_probabilities, axis=-1)
    before, after = [columns[0]], [columns[-1]]
    for column in columns[1:-1]:
        before.append(ops.logaddexp(before[-1], column))
    for column in columns[-2:0:-1]:
        after.append(ops.logaddexp(after[-1], column))
    after.reverse()
    inner = [ops.logaddexp(left, right) for left, right in zip(before[:-1], after[1:], strict=True)]
    return ops.stack([after[0], *inner, before[-1]], axis=-1)
