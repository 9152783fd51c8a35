from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import SetLoss, class_shares, ratio
from imbclf.losses.compound import Compound
from imbclf.losses.dice import Dice
from imbclf.losses.hardest import fraction_to_keep, hardest
from imbclf.statistics import sum_over_replicas


@register_keras_serializable(package="imbclf")
class GradientAwareDice(Dice):
    r"""Squared Dice over the batch in which predicting an absent class has a price, and so a gradient.

    $$L = \frac1K \sum_k \begin{cases}
    1 - \dfrac{2 \sum_i w_i y_{ik} p_{ik}}{\sum_i w_i p_{ik}^2 + \sum_i w_i y_{ik}^2} & \text{k present} \\
    \frac1n \sum_i w_i \, \mathrm{stopgrad}(p_{ik}) \, p_{ik} & \text{k absent} \end{cases}$$

    `Dice` with `squared=True` and `absent="penalize"`. Range \([0, 1]\), 0 for a perfect prediction.

    Source: Qi et al. (2024), Gradient-aware loss function for imbalanced medical image segmentation, eq. 8.

    Args:
        squared, over, absent, include_background, class_weight: see `Dice`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: as `Dice`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.GradientAwareDice()
    >>> float(loss([0, 0], [[0.5, 0.5], [0.5, 0.5]]))  # (1 - 2 / 2.5 + 0.25) / 2
    0.225
    """

    def __init__(self, squared=True, absent="penalize", name="gradient_aware_dice", **kwargs):
        super().__init__(squared=squared, absent=absent, name=name, **kwargs)


@register_keras_serializable(package="imbclf")
class GradientAwareCE(SetLoss):
    r"""Cross-entropy of the hardest voxels, in which each class weighs by a power of its share among them.

    $$L = \sum_c \left(\frac{n_c}{m}\right)^{\gamma} \operatorname{mean}_{i \in c \cap \text{worst } m} CE_i,
    \qquad m = \max(1, \lfloor k n \rfloor)$$

    where \(n_c\) of the m hardest voxels are of class c. \(\gamma = 1\) is `TopK`; \(\gamma = 0\) gives each class
    among them the same say. Range \([0, \infty)\), 0 for a perfect prediction. At least one voxel is kept, so the loss
    also trains a classifier with a batch of 8. Hard mining trusts the labels: use `k=1` on pseudo-labels.

    Source: Qi et al. (2024), eq. 11.

    Args:
        k: share of the voxels that is kept, in (0, 1].
        gamma: exponent, in [0, 1].
        over: `"batch"` or `"sample"`: where the worst voxels are looked for.
        class_weight: weighs the classes in the sum, scaled to a mean of 1 over the classes among the kept; a list,
            `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Returns one value for the batch; unreduced, that value for each of its B images.

    Example:

    >>> import imbclf
    >>> loss = imbclf.GradientAwareCE(k=1.0, gamma=0.5)
    >>> p = [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.75, 0.25]]
    >>> float(loss([0, 0, 0, 1], p))  # 0.75 ** 0.5 * log(2) + 0.25 ** 0.5 * log(4)
    1.2934
    """

    def __init__(self, k=0.1, gamma=0.5, name="gradient_aware_ce", **kwargs):
        super().__init__(name=name, **kwargs)
        if not 0 < k <= 1:
            raise ValueError(f"k must be a share in (0, 1]; received {k}.")
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma must be in [0, 1]; received {gamma}.")
        self.k = k
        self.gamma = gamma

    def from_counts(self, counts, samples):
        is_batch = self.over == "batch"
        shape = (1, -1) if is_batch else (-1, ops.shape(samples.weights)[1])
        labels, costs = (
            ops.reshape(x, (*shape, samples.num_classes)) for x in (samples.labels, samples.log_probabilities)
        )
        costs = -labels * costs
        weights = ops.reshape(samples.weights, shape)
        keep = ops.reshape(fraction_to_keep(self.k, counts.total), (-1, 1))
        kept = hardest(ops.sum(costs, axis=-1), weights, keep, across_replicas=is_batch)
        kept = ops.expand_dims(kept, -1)
        sums, sizes = ops.sum(kept * costs, axis=1), ops.sum(kept * labels, axis=1)
        if is_batch:
            sums, sizes = sum_over_replicas(sums), sum_over_replicas(sizes)
        present = ops.cast(sizes != 0, sizes.dtype)
        total = ops.sum(sizes, axis=-1, keepdims=True)
        share = ratio(sizes, total) ** self.gamma if self.gamma else present
        losses = class_shares(present, self.class_weights(samples)) * share * ratio(sums, sizes)
        values = ops.sum(losses, axis=-1)
        return values[0] if is_batch else values

    def get_config(self):
        return {"k": self.k, "gamma": self.gamma, **super().get_config()}


@register_keras_serializable(package="imbclf")
class GradientAware(Compound):
    r"""Gradient-aware Dice plus gradient-aware cross-entropy.

    $$L = L_{GADice} + L_{GACE}$$

    `GradientAwareDice` plus `GradientAwareCE`, both with weight 1. Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Qi et al. (2024), eq. 12.

    Args:
        weights: weight of the Dice and of the cross-entropy.
        squared, absent, include_background: of `GradientAwareDice`.
        k, gamma: of `GradientAwareCE`.
        over, from_logits, ignore_class, class_weight: of both.
        reduction, name, dtype: see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head.

    Example:

    >>> import imbclf
    >>> loss = imbclf.GradientAware(k=0.05)
    >>> list(loss.parts)
    ['gradient_aware_dice', 'gradient_aware_ce']
    """

    first, second = GradientAwareDice, GradientAwareCE
    shared_options = (*Compound.shared_options, "over")
    first_options = ("squared", "absent", "include_background")
    default_name = "gradient_aware"
