"""The intersection over union of a segmentation."""

import keras

from imbclf.metrics.confusion_metric import divide
from imbclf.metrics.overlap_metric import OverlapMetric


@keras.saving.register_keras_serializable(package="imbclf")
class IoU(OverlapMetric):
    r"""Intersection over union (Jaccard 1901) from voxel counts over all batches, in [0, 1].

    $$J_k = \frac{|T_k \cap P_k|}{|T_k \cup P_k|} = \frac{TP_k}{TP_k + FP_k + FN_k}$$

    with the voxels \(T_k\) of class k in the truth and \(P_k\) in the prediction. With the Dice score D of the same
    class, \(J = D / (2 - D)\). Averages and absent classes are those of `DiceScore`; equals
    `sklearn.metrics.jaccard_score` on flattened labels in the same way.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel, whose two classes are background and foreground.
        average: `None`, `"macro"` or `"micro"`.
        absent: `"skip"` or `"count"`, as in `DiceScore`.
        include_background: whether class 0 is scored; without it K - 1 classes are.
        name: defaults to `"iou"`.
        dtype: of the result.
        from_logits: whether predictions are logits; only matters for a sigmoid channel.
        ignore_class: label that does not count, or `None`.
        class_names: names for the warning, or `None`.

    Shapes:
        y_true `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; y_pred `(B, *space, K)` or `(B, *space, 1)`;
        sample_weight `(B,)` or `(B, *space)`; result a scalar, or for `average=None` `(K,)`, `(K - 1,)` without
        background.

    Raises:
        InputError: an unknown `average` or `absent`.
        ValueError: shapes or labels that do not fit.

    Example:

    >>> import numpy as np
    >>> import imbclf.metrics
    >>> y_true = np.array([[[0, 0, 0], [0, 1, 1]]])
    >>> y_pred = np.eye(2)[[[[0, 0, 0], [1, 1, 1]]]]
    >>> [round(float(value), 4) for value in imbclf.metrics.IoU(num_classes=2, average=None)(y_true, y_pred)]
    [0.75, 0.6667]
    """

    def __init__(
        self,
        num_classes,
        average="macro",
        absent="skip",
        include_background=True,
        name="iou",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(
            num_classes, average, absent, include_background, name, dtype, from_logits, ignore_class, class_names
        )

    def overlap(self, true_positives, actual, predicted):
        """The intersection over the union."""
        return divide(true_positives, actual + predicted - true_positives)
