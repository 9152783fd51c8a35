from keras import ops
from keras.saving import register_keras_serializable

from imbclf.losses.base import ImageLoss, class_shares, ratio
from imbclf.losses.hardest import hardest


@register_keras_serializable(package="imbclf")
class InterClassBalance(ImageLoss):
    r"""Cross-entropy in which the majority has as many full voices as all others together: its hardest voxels.

    With \(n_c\) voxels of class c among the N of an image, a class of at most N / 2 voxels costs its mean
    cross-entropy. A class of more has \(h = N - n_c\) voxels count in full, the costliest, and the others little:

    $$L = \sum_{c:\, n_c \le N/2} \frac{1}{n_c} \sum_{i \in c} CE_i \;+\;
    \sum_{c:\, n_c > N/2} \Big( \frac1h \sum_{i \in \text{worst } h \text{ of } c} CE_i + \frac1N
    \sum_{\text{other } i \in c} CE_i \Big)$$

    For two classes this is the published loss, with a foreground majority treated as the mirror image; for two classes
    of one size it is twice the cross-entropy. At most one class holds more than half of an image, so in K classes the
    others together say how much of it is mined. An image of one class costs its mean cross-entropy. Range
    \([0, \infty)\), 0 for a perfect prediction. Unstable from a bad start, where few voxels dominate: see `Balance`.

    Source: Xu et al. (2025), A unified loss for handling inter-class and intra-class imbalance in medical image
    segmentation, eq. 11, there for two classes and images with foreground.

    Args:
        class_weight: weighs the classes in the sum, scaled to a mean of 1 over the classes of an image; a list,
            `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced `(B,)`.

    Example:

    >>> import imbclf
    >>> loss = imbclf.InterClassBalance()
    >>> p = [[[0.5, 0.5], [0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]]
    >>> float(loss([[0, 0, 0, 1]], p))  # -log(0.7) - log(0.5) - (log(0.9) + log(0.8)) / 4
    1.1320
    """

    def __init__(self, name="inter_class_balance", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_image(self, samples):
        return inter_class(samples, self.class_weights(samples))


def inter_class(samples, class_weights=None):
    """The inter-class balance loss of each image, `(B,)`."""
    # Soft labels divide a voxel among its classes; hard ones make it a voxel of one class.
    weights = ops.expand_dims(samples.weights, -1) * samples.labels
    costs = -samples.log_probabilities
    sizes = ops.sum(weights, axis=1)
    total = ops.sum(sizes, axis=-1, keepdims=True)
    shares = class_shares(ops.cast(sizes != 0, sizes.dtype), class_weights)
    is_major = ops.cast(sizes > total / 2, sizes.dtype)
    means = ratio(ops.sum(weights * costs, axis=1), sizes)
    minor = ops.sum(shares * (1 - is_major) * means, axis=-1)

    major = ops.expand_dims(is_major, 1)
    weights, costs = ops.sum(major * weights, axis=-1), ops.sum(major * costs, axis=-1)
    mined = total - ops.sum(is_major * sizes, axis=-1, keepdims=True)
    hard = hardest(costs, weights, mined)
    kept = ratio(ops.sum(hard * costs, axis=1), mined[:, 0])
    rest = ratio(ops.sum((weights - hard) * costs, axis=1), total[:, 0])
    return minor + ops.sum(shares * is_major, axis=-1) * (kept + rest)
