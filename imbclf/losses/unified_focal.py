from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import OverlapLoss, PointwiseLoss
from imbclf.losses.compound import Compound
from imbclf.losses.tversky import power, tversky_error


class AsymmetricOptions:
    """The options that both parts of the unified focal loss have."""

    def __init__(self, delta=0.6, gamma=0.5, asymmetric=True, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= delta <= 1:
            raise ValueError(f"delta must be in [0, 1]; received {delta}.")
        if not 0 <= gamma < 1:
            raise ValueError(f"gamma must be in [0, 1); received {gamma}.")
        self.delta = delta
        self.gamma = gamma
        self.asymmetric = asymmetric

    def get_config(self):
        return {"delta": self.delta, "gamma": self.gamma, "asymmetric": self.asymmetric, **super().get_config()}


@register_keras_serializable(package="imbclf")
class ModifiedFocal(AsymmetricOptions, PointwiseLoss):
    """The pointwise part of `UnifiedFocal`: focal loss that turns away from easy background alone."""

    def __init__(self, name="modified_focal", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_voxel(self, samples):
        costs = -samples.labels * samples.log_probabilities
        # 1 - p as the sum of the other probabilities keeps its digits where p is close to 1.
        others = ops.matmul(samples.probabilities, 1 - ops.eye(samples.num_classes, dtype=costs.dtype))
        focused = power(others, self.gamma) * costs if self.gamma else costs
        foreground = (costs if self.asymmetric else focused)[..., 1:]
        return (1 - self.delta) * focused[..., 0] + self.delta * ops.sum(foreground, axis=-1)


@register_keras_serializable(package="imbclf")
class ModifiedFocalTversky(AsymmetricOptions, OverlapLoss):
    """The set-level part of `UnifiedFocal`: Tversky that turns towards foreground classes not yet found."""

    def __init__(self, name="modified_focal_tversky", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_class(self, counts):
        errors = tversky_error(counts, 1 - self.delta, self.delta)
        focused = power(errors, 1 - self.gamma)
        return ops.concatenate([errors[..., :1], focused[..., 1:]], axis=-1) if self.asymmetric else focused


@register_keras_serializable(package="imbclf")
class UnifiedFocal(Compound):
    r"""Focal and focal Tversky loss under one set of options; easy background is suppressed, rare classes enhanced.

    $$L = \lambda L_{mF} + (1 - \lambda) L_{mFT}$$

    with the background as class 0, all other classes as the rare ones \(r\), and \(T_k = TP_k / (TP_k + \delta FN_k +
    (1 - \delta) FP_k)\):

    $$L_{mF} = \operatorname{mean}_i \Big[ -(1 - \delta) (1 - p_{i0})^\gamma y_{i0} \log p_{i0}
    - \delta \sum_r y_{ir} \log p_{ir} \Big], \qquad
    L_{mFT} = \frac1K \Big[ (1 - T_0) + \sum_r (1 - T_r)^{1 - \gamma} \Big]$$

    With `asymmetric=False` focusing holds for all classes in both parts. Range \([0, \infty)\), 0 for a perfect
    prediction.

    Source: Yeung et al. (2022), Unified Focal loss: generalising Dice and cross entropy-based losses to handle class
    imbalanced medical image segmentation; as in its code, the exponent of the focal part is gamma.

    Args:
        weight: \(\lambda\), share of the focal part, in [0, 1].
        delta: price of a foreground voxel missed, in [0, 1].
        gamma: in [0, 1): suppresses easy background, and enhances foreground classes not yet found.
        asymmetric: whether background and foreground are treated differently.
        over, absent, include_background: of the Tversky part; see `Tversky`.
        from_logits, ignore_class, class_weight, reduction, name, dtype: of both parts; see `ImbalanceLoss`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.UnifiedFocal(weight=1.0, gamma=0.0)  # cross-entropy, background 0.4, foreground 0.6
    >>> float(loss([0, 1], [[0.5, 0.5], [0.25, 0.75]]))  # (0.4 * log(2) - 0.6 * log(0.75)) / 2
    0.2249
    """

    first, second = ModifiedFocal, ModifiedFocalTversky
    shared_options = (*Compound.shared_options, "delta", "gamma", "asymmetric")
    default_name = "unified_focal"

    def __init__(self, weight=0.5, **kwargs):
        if not 0 <= weight <= 1:
            raise ValueError(f"weight must be in [0, 1]; received {weight}.")
        super().__init__(weights=(weight, 1 - weight), **kwargs)
        self.weight = weight

    def get_config(self):
        config = super().get_config()
        del config["weights"]
        return {"weight": self.weight, **config}
