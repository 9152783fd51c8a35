from keras.saving import register_keras_serializable

from imbclf.losses.cross_entropy import CrossEntropy
from imbclf.losses.soft_mcc import SoftMCC
from imbclf.losses.weighted_sum import WeightedSum


@register_keras_serializable(package="imbclf")
class CEPlusMCC(WeightedSum):
    r"""Cross-entropy plus the soft MCC loss: a gradient everywhere, and a say for every class.

    $$L = CE + L_{MCC}$$

    `CrossEntropy` plus `SoftMCC`, both with weight 1. Range \([0, \infty)\), 0 for a
    perfect prediction of two classes or more.

    Source: Scholz et al. (2024), Imbalance-aware loss functions improve medical image classification, section 3.1.4.

    Args:
        weights: weight of the cross-entropy and weight of the MCC loss.
        from_logits: whether `y_pred` holds logits.
        ignore_class: label that does not count, or `None`.
        class_weight: a list of one weight per class, `"balanced"` or `None`; goes to both parts.
        label_smoothing: of the cross-entropy.
        over: `"batch"` or `"sample"`, of `SoftMCC`.
        absent: `"skip"`, `"zero"` or `"penalize"`, of `SoftMCC`.
        reduction: as in Keras; see `ImbalanceLoss`.
        name: name of the loss.
        dtype: `"float64"` computes in float64; anything else in float32.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head.

    Example:

    >>> import imbclf
    >>> loss = imbclf.CEPlusMCC()
    >>> float(loss([0, 1], [[0.75, 0.25], [0.25, 0.75]]))  # -log(0.75) + 0.5
    0.7877
    >>> list(loss.parts)
    ['cross_entropy', 'soft_mcc']
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
        reduction="sum_over_batch_size",
        name="ce_plus_mcc",
        dtype=None,
    ):
        shared = {
            "from_logits": from_logits,
            "ignore_class": ignore_class,
            "class_weight": class_weight,
            "dtype": dtype,
        }
        cross_entropy = CrossEntropy(label_smoothing=label_smoothing, reduction=reduction, **shared)
        soft_mcc = SoftMCC(over=over, absent=absent, reduction=reduction, **shared)
        super().__init__([cross_entropy, soft_mcc], weights, reduction=reduction, name=name, dtype=dtype)

    def get_config(self):
        cross_entropy, soft_mcc = self.losses
        return {
            **soft_mcc.get_config(),
            "label_smoothing": cross_entropy.label_smoothing,
            "weights": self.weights,
            "reduction": self.reduction,
            "name": self.name,
            "dtype": self.dtype,
        }
