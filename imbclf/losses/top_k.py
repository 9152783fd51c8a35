from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import PointwiseLoss, ratio
from imbclf.losses.cross_entropy import cross_entropy
from imbclf.losses.hardest import fraction_to_keep, hardest
from imbclf.statistics import sum_over_replicas


class MinedCrossEntropy(PointwiseLoss):
    """Cross-entropy of a part of the voxels. A subclass says in `kept` how much of each stays, from 0 to 1."""

    def kept(self, samples, costs):
        """Share of each voxel's weight that stays, `(B, N)`, without gradient."""
        raise NotImplementedError(f"{type(self).__name__} must say which voxels stay.")

    def per_voxel(self, samples):
        return cross_entropy(samples.labels, samples.log_probabilities)

    def loss_and_weights(self, samples):
        values, weights, _ = super().loss_and_weights(samples)
        kept = self.kept(samples, ops.reshape(values, ops.shape(samples.weights)))
        kept = ops.reshape(ops.stop_gradient(kept), samples.shape)
        by_weight = self.reduction == "mean_with_sample_weight"
        return (
            values * kept,
            weights,
            ops.sum(kept * (weights if by_weight else ops.reshape(samples.valid, samples.shape))),
        )


@register_keras_serializable(package="imbclf")
class TopK(MinedCrossEntropy):
    r"""Mean cross-entropy of the hardest fraction of the voxels of a batch.

    $$L = \frac{1}{m} \sum_{i \in \text{worst } m} CE_i, \qquad m = \max(1, \lfloor k n \rfloor), \quad n = \sum_i w_i$$

    Voxels that tie at the threshold share the places that are left. \(k = 1\) is `CrossEntropy`. Range \([0, \infty)\),
    0 for a perfect prediction. Where one class is rare and hard, all places may go to it, and where it is rare and
    easy, none: `GradientAwareCE` and `IntraClassBalance` mend that.

    Source: Wu et al. (2016), Bridging category-level and instance-level semantic image segmentation; the form of
    Xu et al. (2025), eq. 3, divided by the number kept.

    Args:
        k: share of the voxels that is kept, in (0, 1].
        **kwargs: `from_logits`, `ignore_class`, `class_weight`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced, voxels that are not kept are 0.

    Example:

    >>> import imbclf
    >>> float(imbclf.TopK(k=0.5)([0, 0], [[0.9, 0.1], [0.5, 0.5]]))  # log(2), the worse of the two
    0.6931
    """

    def __init__(self, k=0.1, name="top_k", **kwargs):
        super().__init__(name=name, **kwargs)
        if not 0 < k <= 1:
            raise ValueError(f"k must be a share in (0, 1]; received {k}.")
        self.k = k

    def kept(self, samples, costs):
        keep = fraction_to_keep(self.k, sum_over_replicas(ops.sum(samples.weights)))
        row = (ops.reshape(x, (1, -1)) for x in (costs, samples.weights))
        kept = hardest(*row, ops.reshape(keep, (1, 1)), across_replicas=True)
        return ratio(ops.reshape(kept, ops.shape(costs)), samples.weights)

    def get_config(self):
        return {"k": self.k, **super().get_config()}


@register_keras_serializable(package="imbclf")
class TopKThreshold(MinedCrossEntropy):
    r"""Mean cross-entropy of the voxels whose true class is not yet predicted with a given probability.

    $$L = \frac{\sum_i w_i [q_i < t] \, CE_i}{\sum_i w_i [q_i < t]}, \qquad q_i = \sum_k y_{ik} p_{ik}$$

    0 if there is no such voxel. Range \([0, \infty)\). The mean is over what is left, so it does not fall as voxels are
    learned: it jumps to 0 with the last.

    Source: Wu et al. (2016); Xu et al. (2025), eq. 2.

    Args:
        t: threshold on the probability of the true class, in (0, 1].
        **kwargs: `from_logits`, `ignore_class`, `class_weight`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced, voxels that are not kept are 0.

    Example:

    >>> import imbclf
    >>> float(imbclf.TopKThreshold(t=0.7)([0, 0], [[0.9, 0.1], [0.5, 0.5]]))  # log(2)
    0.6931
    """

    def __init__(self, t=0.7, name="top_k_threshold", **kwargs):
        super().__init__(name=name, **kwargs)
        if not 0 < t <= 1:
            raise ValueError(f"t must be a probability in (0, 1]; received {t}.")
        self.t = t

    def kept(self, samples, costs):
        probability = ops.sum(samples.labels * samples.probabilities, axis=-1)
        # Written so that a NaN, which stands for a label out of range, is kept and reaches the loss.
        return 1 - ops.cast(probability >= self.t, costs.dtype)

    def get_config(self):
        return {"t": self.t, **super().get_config()}
