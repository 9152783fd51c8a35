from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.label_marginal import MarginalLoss


@register_keras_serializable(package="imbclf")
class MarginalL1(MarginalLoss):
    r"""Mean absolute difference between predicted and true class proportions of an image.

    $$L = \frac1B \sum_b \frac1K \sum_k \left| \hat p_{bk} - \hat y_{bk} \right|$$

    with the proportions of `MarginalLoss`. It says nothing about where a class is: add it to a pointwise loss
    (`CEPlusMarginalL1`). Range \([0, 2/K]\), 0 for a perfect prediction and for any other of the right proportions.

    Source: Liu et al. (2021), Do we really need Dice? The hidden region-size biases of segmentation losses, table 1
    and eq. 22; printed there as a sum over k, the mean is that of its code.

    Args:
        temperature: multiplies the logits; see `MarginalLoss`.
        class_weight: multiplies the weight of each voxel by that of its true class; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced `(B,)`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.MarginalL1(temperature=1.0)
    >>> float(loss([[0, 0, 0, 1]], [[[0.5, 0.5]] * 4]))  # (|0.5 - 0.75| + |0.5 - 0.25|) / 2
    0.25
    """

    def __init__(self, name="marginal_l1", **kwargs):
        super().__init__(name=name, **kwargs)

    def from_proportions(self, actual, log_predicted):
        return ops.mean(ops.abs(ops.exp(log_predicted) - actual), axis=-1)
