from keras.saving import register_keras_serializable

from imbclf.losses.base import OverlapLoss, ratio


@register_keras_serializable(package="imbclf")
class SoftF1(OverlapLoss):
    r"""One minus the macro F1 score on soft counts: every class has the same say, however rare.

    $$L = 1 - \frac1K \sum_k \frac{2 TP_k}{2 TP_k + FP_k + FN_k}, \qquad
    TP_k = \sum_i w_i y_{ik} p_{ik},\; FP_k = \sum_i w_i (1 - y_{ik}) p_{ik},\; FN_k = \sum_i w_i y_{ik} (1 - p_{ik})$$

    Range \([0, 1]\), 0 for a perfect prediction. A class without a true voxel in the set follows `absent`; small
    batches lack rare classes often, so use balanced batches, or `CEPlusF1`, which has a gradient there.

    Source: Scholz et al. (2024), Imbalance-aware loss functions improve medical image classification, eq. 2 and 3;
    `absent="zero"` counts an absent class as published.

    Args:
        over: `"batch"` or `"sample"`.
        absent: `"skip"`, `"zero"` or `"penalize"`; see `OverlapLoss`.
        include_background: False leaves class 0 out of the mean.
        class_weight: weighs the classes in the mean; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Returns one value for the batch; unreduced, that value for each of its B images.

    Example:

    >>> import imbclf
    >>> float(imbclf.SoftF1()([0, 1], [[0.75, 0.25], [0.25, 0.75]]))
    0.25
    """

    def __init__(self, name="soft_f1", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_class(self, counts):
        return 1 - ratio(2 * counts.true_positives, counts.predicted + counts.actual)
