from keras.saving import register_keras_serializable

from imbclf.losses.cross_entropy import CrossEntropy
from imbclf.losses.soft_f1 import SoftF1
from imbclf.losses.weighted_sum import WeightedSum


@register_keras_serializable(package="imbclf")
class CEPlusF1(WeightedSum):
    r"""Cross-entropy plus the soft F1 loss: a gradient everywhere, and a say for every class.

    $$L = CE + L_{F1}$$

    `CrossEntropy` plus `SoftF1`, both with weight 1. Range \([0, \infty)\), 0 for a perfect prediction.

    Source: Scholz et al. (2024), Imbalance-aware loss functions improve medical image classification, section 3.1.4.

    Args:
        weights: weight of the cross-entropy and weight of the F1 loss.
        from_logits: whether `y_pred` holds logits.
        ignore_class: label that does not count, or `None`.
        class_weight: a list of one weight per class, `"balanced"` or `None`; goes to both parts.
        label_smoothing: of the cross-entropy.
        over: `"batch"` or `"sample"`, of `SoftF1`.
        absent: `"skip"`, `"zero"` or `"penalize"`, of `SoftF1`.
        include_background: False leaves class 0 out of the mean over classes of `SoftF1`.
        reduction: as in Keras; see `ImbalanceLoss`.
        name: name of the loss.
        dtype: `"float64"` computes in float64; anything else in float32.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusF1()
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # -log(0.75) + 0.25
    0.5377
    >>> list(loss.parts)
    ['cross_entropy', 'soft_f1']
    """

    def __init__(
        self,
        weights=(1.0, 1.0),
        from_logits=False,
        ignore_class=None,
        class_weight=None,
        label_smoothing=0.0,
        over="batch",
        absent="skip",
        include_background=True,
        reduction="sum_over_batch_size",
        name="ce_plus_f1",
        dtype=None,
    ):
        shared = {
            "from_logits": from_logits,
            "ignore_class": ignore_class,
            "class_weight": class_weight,
            "dtype": dtype,
        }
        cross_entropy = CrossEntropy(label_smoothing=label_smoothing, reduction=reduction, **shared)
        soft_f1 = SoftF1(over=over, absent=absent, include_background=include_background, reduction=reduction, **shared)
        super().__init__([cross_entropy, soft_f1], weights, reduction=reduction, name=name, dtype=dtype)

    def get_config(self):
        cross_entropy, soft_f1 = self.losses
        return {
            **soft_f1.get_config(),
            "label_smoothing": cross_entropy.label_smoothing,
            "weights": self.weights,
            "reduction": self.reduction,
            "name": self.name,
            "dtype": self.dtype,
        }
