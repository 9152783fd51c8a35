from keras.saving import register_keras_serializable

from imbclf.losses.compound import Compound
from imbclf.losses.focal import Focal
from imbclf.losses.marginal_l1 import MarginalL1


@register_keras_serializable(package="imbclf")
class FocalPlusMarginalL1(Compound):
    r"""Focal loss plus the distance between predicted and true class proportions of each image.

    $$L = FL + L_{L1}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Liu et al. (2021), section 4, where focal loss replaces cross-entropy.

    Args:
        weights: weight of the focal loss and weight of `MarginalL1`.
        gamma, alpha: of `Focal`.
        temperature: of `MarginalL1`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.FocalPlusMarginalL1(temperature=1.0)
    >>> float(loss([[0, 0, 0, 1]], [[[0.5, 0.5]] * 4]))  # 0.25 * log(2) + 0.25
    0.4233
    """

    first, second = Focal, MarginalL1
    first_options = ("gamma", "alpha")
    default_name = "focal_plus_marginal_l1"
