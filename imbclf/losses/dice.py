from keras.saving import register_keras_serializable

from imbclf.losses.base import OverlapLoss, ratio
from imbclf.statistics import soft_confusion


@register_keras_serializable(package="imbclf")
class Dice(OverlapLoss):
    r"""One minus the mean Dice coefficient on soft counts: every class has the same say, however few its voxels.

    $$L = 1 - \frac1K \sum_k \frac{2 \sum_i w_i y_{ik} p_{ik}}{\sum_i w_i p_{ik} + \sum_i w_i y_{ik}}$$

    With `squared=True` the sums below the line are of \(p^2\) and \(y^2\) (Milletari et al. 2016, V-Net). Range
    \([0, 1]\), 0 for a perfect prediction. Without `squared` it equals `SoftF1`.

    Source: Sudre et al. (2017); the bias towards small structures is described by Liu et al. (2021).

    Args:
        squared: whether probabilities and labels below the line are squared.
        over: `"batch"` or `"sample"`.
        absent: `"skip"`, `"zero"` or `"penalize"`; see `OverlapLoss`.
        include_background: False leaves class 0 out of the mean.
        class_weight: weighs the classes in the mean; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Returns one value for the batch; unreduced, that value for each of its B images.

    Example:

    >>> import imbclf
    >>> float(imbclf.Dice()([[0, 0, 0, 1]], [[[0.75, 0.25]] * 4]))  # 1 - (4.5 / 6 + 0.5 / 2) / 2
    0.5
    """

    def __init__(self, squared=False, name="dice", **kwargs):
        super().__init__(name=name, **kwargs)
        self.squared = squared

    def counts(self, samples):
        return soft_confusion(samples, self.over, squared=self.squared)

    def per_class(self, counts):
        return 1 - dice_coefficient(counts)

    def get_config(self):
        return {"squared": self.squared, **super().get_config()}


def dice_coefficient(counts):
    """Twice the overlap over the sum of both sizes, per class; 0 where both are 0."""
    return ratio(2 * counts.true_positives, counts.predicted + counts.actual)
