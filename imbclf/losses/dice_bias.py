from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.label_marginal import MarginalLoss


@register_keras_serializable(package="imbclf")
class DiceBias(MarginalLoss):
    r"""The bias hidden in the log-Dice loss, by itself: it rewards predicting every class small.

    $$L = \frac1B \sum_b \frac1K \sum_k \log(\hat p_{bk} + \hat y_{bk})$$

    with the proportions of `MarginalLoss`. An object of study, or a pinch of salt (`CEPlusDiceBias`), not a loss to
    train with alone: it falls without regard to where a class is. A perfect prediction scores
    \(\frac1K \sum_k \log 2 \hat y_k\), which is not the least possible. \(10^{-10}\) inside the logarithm keeps a class
    that is neither there nor predicted finite, at -23. Range \([-23, \log 2]\).

    Source: Liu et al. (2021), eq. 1 and 21.

    Args:
        temperature: multiplies the logits; see `MarginalLoss`.
        class_weight: multiplies the weight of each voxel by that of its true class; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced `(B,)`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.DiceBias(temperature=1.0)
    >>> float(loss([[0, 0, 0, 1]], [[[0.5, 0.5]] * 4]))  # (log(0.5 + 0.75) + log(0.5 + 0.25)) / 2
    -0.0323
    """

    def __init__(self, name="dice_bias", **kwargs):
        super().__init__(name=name, **kwargs)

    def from_proportions(self, actual, log_predicted):
        return ops.mean(ops.log(ops.exp(log_predicted) + actual + 1e-10), axis=-1)
