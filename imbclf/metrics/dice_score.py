"""The Dice score of a segmentation."""

import keras

from imbclf.metrics.confusion_metric import divide
from imbclf.metrics.overlap_metric import OverlapMetric


@keras.saving.register_keras_serializable(package="imbclf")
class DiceScore(OverlapMetric):
    r"""Dice score (Dice 1945; Sorensen 1948) from voxel counts over all batches, in [0, 1].

    $$D_k = \frac{2\,|T_k \cap P_k|}{|T_k| + |P_k|} = \frac{2\,TP_k}{2\,TP_k + FP_k + FN_k}$$

    with the voxels \(T_k\) of class k in the truth and \(P_k\) in the prediction, which is the class of the largest
    probability. Counts run over all images together, as if they were one; the mean of the scores of single images is
    another number (`imbclf.evaluation.score_case`). `average=None` returns the K values, `"macro"` their mean and
    `"micro"` the same formula on counts summed over the classes. The same number as the F1 score.

    A class without a true voxel has the value 0 per class and is left out of `"macro"` with a warning that names it;
    with `absent="count"` it is worth 1 where it is not predicted either, else 0, and no warning is given. `"micro"`
    counts its false positives either way. No voxel at all gives 0. Equals `sklearn.metrics.f1_score` on flattened
    labels: with `labels=<classes that occur>` for `"skip"`, with `zero_division=1` for `"count"`.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel, whose two classes are background and foreground.
        average: `None`, `"macro"` or `"micro"`.
        absent: `"skip"` or `"count"`.
        include_background: whether class 0 is scored; without it K - 1 classes are.
        name: defaults to `"dice_score"`.
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
    >>> float(imbclf.metrics.DiceScore(num_classes=2, include_background=False)(y_true, y_pred))
    0.8
    >>> [round(float(value), 4) for value in imbclf.metrics.DiceScore(num_classes=2, average=None)(y_true, y_pred)]
    [0.8571, 0.8]
    """

    def __init__(
        self,
        num_classes,
        average="macro",
        absent="skip",
        include_background=True,
        name="dice_score",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(
            num_classes, average, absent, include_background, name, dtype, from_logits, ignore_class, class_names
        )

    def overlap(self, true_positives, actual, predicted):
        """Twice the intersection over the sum of both sizes."""
        return divide(2 * true_positives, actual + predicted)
