from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import OverlapLoss
from imbclf.losses.dice import dice_coefficient
from imbclf.samples import TINY


@register_keras_serializable(package="imbclf")
class LogDice(OverlapLoss):
    r"""Mean negative logarithm of the Dice coefficient: a class that is nearly lost pulls hardest.

    $$L = \frac1K \sum_k -\log \frac{2 \sum_i w_i y_{ik} p_{ik}}{\sum_i w_i p_{ik} + \sum_i w_i y_{ik}}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Wong et al. (2018); Liu et al. (2021), table 1.

    Args:
        over: `"batch"` or `"sample"`.
        absent: `"skip"` or `"penalize"`; see `OverlapLoss`. `"zero"` would cost infinitely much.
        include_background: False leaves class 0 out of the mean.
        class_weight: weighs the classes in the mean; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Returns one value for the batch; unreduced, that value for each of its B images.

    Example:

    >>> import imbclf
    >>> float(imbclf.LogDice()([[0, 0, 0, 1]], [[[0.75, 0.25]] * 4]))  # -(log(0.75) + log(0.25)) / 2
    0.8370
    """

    def __init__(self, name="log_dice", **kwargs):
        super().__init__(name=name, **kwargs)
        if self.absent == "zero":
            raise ValueError("absent must be 'skip' or 'penalize': the logarithm of an overlap of 0 is infinite.")

    def per_class(self, counts):
        return -ops.log(ops.maximum(dice_coefficient(counts), TINY))
