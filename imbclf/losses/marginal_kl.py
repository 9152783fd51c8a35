from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.label_marginal import MarginalLoss
from imbclf.samples import TINY


@register_keras_serializable(package="imbclf")
class MarginalKL(MarginalLoss):
    r"""Kullback-Leibler divergence of the predicted from the true class proportions of an image.

    $$L = \frac1B \sum_b \sum_k \hat y_{bk} \log \frac{\hat y_{bk}}{\hat p_{bk}}$$

    with the proportions of `MarginalLoss`. A class absent from the image adds nothing by itself. Range \([0, \infty)\),
    0 for a perfect prediction and for any other of the right proportions.

    Source: Liu et al. (2021), table 1 and eq. 22.

    Args:
        temperature: multiplies the logits; see `MarginalLoss`.
        class_weight: multiplies the weight of each voxel by that of its true class; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced `(B,)`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.MarginalKL(temperature=1.0)
    >>> float(loss([[0, 0, 0, 1]], [[[0.5, 0.5]] * 4]))  # 0.75 log(0.75 / 0.5) + 0.25 log(0.25 / 0.5)
    0.1308
    """

    def __init__(self, name="marginal_kl", **kwargs):
        super().__init__(name=name, **kwargs)

    def from_proportions(self, actual, log_predicted):
        return ops.sum(actual * (ops.log(ops.maximum(actual, TINY)) - log_predicted), axis=-1)
