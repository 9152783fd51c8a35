from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import ImageLoss, class_shares, ratio


@register_keras_serializable(package="imbclf")
class IntraClassBalance(ImageLoss):
    r"""Cross-entropy in which hard and easy voxels of every class have the same say.

    $$L = \sum_c \left( \operatorname{mean}_{y_i = c,\, q_i \le t} CE_i + \operatorname{mean}_{y_i = c,\, q_i > t} CE_i
    \right)$$

    per image, where \(q_i\) is the probability of the true class; the mean of an empty set is 0. As more voxels become
    easy, each hard one weighs more. With \(t = 0\) it is the sum of the class means. Range \([0, \infty)\), 0 for a
    perfect prediction.

    Source: Xu et al. (2025), eq. 12.

    Args:
        t: probability of the true class above which a voxel is easy, in [0, 1].
        class_weight: weighs the classes in the sum, scaled to a mean of 1 over the classes of an image; a list,
            `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced `(B,)`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.IntraClassBalance(t=0.9)
    >>> float(loss([[0, 0, 0]], [[[0.5, 0.5], [0.25, 0.75], [0.95, 0.05]]]))  # 1.5 log(2) - log(0.95)
    1.0910
    """

    def __init__(self, t=0.9, name="intra_class_balance", **kwargs):
        super().__init__(name=name, **kwargs)
        if not 0 <= t <= 1:
            raise ValueError(f"t must be a probability in [0, 1]; received {t}.")
        self.t = t

    def per_image(self, samples):
        return intra_class(samples, self.t, self.class_weights(samples))

    def get_config(self):
        return {"t": self.t, **super().get_config()}


def intra_class(samples, t, class_weights=None):
    """The intra-class balance loss of each image, `(B,)`."""
    weights = ops.expand_dims(samples.weights, -1) * samples.labels
    is_easy = ops.cast(samples.probabilities > t, weights.dtype)
    shares = class_shares(ops.cast(ops.sum(weights, axis=1) != 0, weights.dtype), class_weights)
    total = 0.0
    for chosen in (weights * is_easy, weights * (1 - is_easy)):
        total = total + ratio(-ops.sum(chosen * samples.log_probabilities, axis=1), ops.sum(chosen, axis=1))
    return ops.sum(shares * total, axis=-1)
