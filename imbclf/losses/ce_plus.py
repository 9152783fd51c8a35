"""Cross-entropy plus a loss of sets or proportions: a gradient everywhere, and a say for the rare class."""

from keras.saving import register_keras_serializable

from imbclf.losses.compound import Compound
from imbclf.losses.cross_entropy import CrossEntropy
from imbclf.losses.dice import Dice
from imbclf.losses.dice_bias import DiceBias
from imbclf.losses.log_dice import LogDice
from imbclf.losses.marginal_kl import MarginalKL
from imbclf.losses.marginal_l1 import MarginalL1
from imbclf.losses.soft_f1 import SoftF1
from imbclf.losses.soft_mcc import SoftMCC


class CEPlus(Compound):
    """Base of the sums with `CrossEntropy`. A subclass names the second part."""

    first = CrossEntropy
    first_options = ("label_smoothing",)


@register_keras_serializable(package="imbclf")
class CEPlusF1(CEPlus):
    r"""Cross-entropy plus the soft F1 loss: a gradient everywhere, and a say for every class.

    $$L = CE + L_{F1}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Scholz et al. (2024), Imbalance-aware loss functions improve medical image classification, section 3.1.4.

    Args:
        weights: weight of the cross-entropy and weight of `SoftF1`.
        label_smoothing: of the cross-entropy.
        over, absent, include_background: of `SoftF1`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusF1()
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # -log(0.75) + 0.25
    0.5377
    >>> list(loss.parts)
    ['cross_entropy', 'soft_f1']
    """

    second = SoftF1
    default_name = "ce_plus_f1"


@register_keras_serializable(package="imbclf")
class CEPlusMCC(CEPlus):
    r"""Cross-entropy plus the soft MCC loss: a gradient everywhere, and a score that no majority can buy.

    $$L = CE + L_{MCC}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Scholz et al. (2024), section 3.1.4.

    Args:
        weights: weight of the cross-entropy and weight of `SoftMCC`.
        label_smoothing: of the cross-entropy.
        over, absent: of `SoftMCC`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusMCC()
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # -log(0.75) + 0.5
    0.7877
    """

    second = SoftMCC
    default_name = "ce_plus_mcc"


@register_keras_serializable(package="imbclf")
class CEPlusDice(CEPlus):
    r"""Cross-entropy plus the Dice loss, the workhorse of medical segmentation.

    $$L = CE + L_{Dice}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Taghanaki et al. (2019); Isensee et al. (2021), nnU-Net. Liu et al. (2021) find a weight of 0.1 best.

    Args:
        weights: weight of the cross-entropy and weight of `Dice`.
        label_smoothing: of the cross-entropy.
        squared, over, absent, include_background: of `Dice`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusDice(weights=(1.0, 2.0))
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # -log(0.75) + 2 * 0.25
    0.7877
    """

    second = Dice
    default_name = "ce_plus_dice"


@register_keras_serializable(package="imbclf")
class CEPlusLogDice(CEPlus):
    r"""Cross-entropy plus a tenth of the log-Dice loss.

    $$L = CE + 0.1\, L_{LogDice}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Liu et al. (2021), section 4, with the weight found best there.

    Args:
        weights: weight of the cross-entropy and weight of `LogDice`.
        label_smoothing: of the cross-entropy.
        over, absent, include_background: of `LogDice`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusLogDice()
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # -1.1 * log(0.75)
    0.3165
    """

    second = LogDice
    default_name = "ce_plus_log_dice"
    default_weights = (1.0, 0.1)


@register_keras_serializable(package="imbclf")
class CEPlusDiceBias(CEPlus):
    r"""Cross-entropy plus a hundredth of the bias hidden in Dice: what Dice adds to it beyond matching voxels.

    $$L = CE + 0.01\, L_{DB}$$

    A perfect prediction scores \(\frac{0.01}{K} \sum_k \log 2 \hat y_k\), which is negative.

    Source: Liu et al. (2021), section 4; from a weight of 0.1 on it does harm there.

    Args:
        weights: weight of the cross-entropy and weight of `DiceBias`.
        label_smoothing: of the cross-entropy.
        temperature: of `DiceBias`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusDiceBias()
    >>> list(loss.parts)
    ['cross_entropy', 'dice_bias']
    """

    second = DiceBias
    default_name = "ce_plus_dice_bias"
    default_weights = (1.0, 0.01)


@register_keras_serializable(package="imbclf")
class CEPlusMarginalL1(CEPlus):
    r"""Cross-entropy plus the distance between predicted and true class proportions of each image.

    $$L = CE + L_{L1}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Liu et al. (2021), section 3.3, with the weight found best there for the mean over classes.

    Args:
        weights: weight of the cross-entropy and weight of `MarginalL1`.
        label_smoothing: of the cross-entropy.
        temperature: of `MarginalL1`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusMarginalL1(temperature=1.0)
    >>> float(loss([[0, 0, 0, 1]], [[[0.5, 0.5]] * 4]))  # log(2) + 0.25
    0.9431
    """

    second = MarginalL1
    default_name = "ce_plus_marginal_l1"


@register_keras_serializable(package="imbclf")
class CEPlusMarginalKL(CEPlus):
    r"""Cross-entropy plus a tenth of the divergence between predicted and true class proportions of each image.

    $$L = CE + 0.1\, L_{KL}$$

    Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Liu et al. (2021), section 3.3, with the weight found best there.

    Args:
        weights: weight of the cross-entropy and weight of `MarginalKL`.
        label_smoothing: of the cross-entropy.
        temperature: of `MarginalKL`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusMarginalKL(temperature=1.0)
    >>> float(loss([[0, 0, 0, 1]], [[[0.5, 0.5]] * 4]))  # log(2) + 0.1 * 0.1308
    0.7062
    """

    second = MarginalKL
    default_name = "ce_plus_marginal_kl"
    default_weights = (1.0, 0.1)
