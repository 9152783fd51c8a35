"""Matthews' correlation coefficient for K classes."""

import keras
from keras import ops

from imbclf.metrics.confusion_metric import ConfusionMetric, divide


@keras.saving.register_keras_serializable(package="imbclf")
class MatthewsCorrelationCoefficient(ConfusionMetric):
    r"""Correlation of truth and prediction (Matthews 1975; K classes: Gorodkin 2004), in [-1, 1].

    With \(t_k\) true and \(p_k\) predicted samples of class k out of s, c of them right,

    $$R_K = \frac{c\,s - \sum_k p_k t_k}{\sqrt{s^2 - \sum_k p_k^2}\,\sqrt{s^2 - \sum_k t_k^2}}
          = \frac{\sum_k (TP_k TN_k - FP_k FN_k)}{\sqrt{\sum_k p_k (s - p_k)}\,\sqrt{\sum_k t_k (s - t_k)}}.$$

    The second form is computed, in proportions: its differences lose nothing, so that 50 errors among 40 million voxels
    still show. 0 where truth or prediction is constant, and before the first sample. Takes the arguments of
    `tfa.metrics.MatthewsCorrelationCoefficient`; equals `sklearn.metrics.matthews_corrcoef`.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel.
        name: defaults to `"MatthewsCorrelationCoefficient"`, as in TensorFlow Addons.
        dtype: of the result.
        from_logits: whether predictions are logits; only matters for a sigmoid channel.
        ignore_class: label that does not count, or `None`.
        class_names: one per class, or `None`; kept for symmetry with the other metrics.

    Shapes:
        y_true `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; y_pred `(B, *space, K)` or `(B, *space, 1)`;
        sample_weight `(B,)` or `(B, *space)`; result a scalar.

    Raises:
        ValueError: shapes or labels that do not fit.

    Example:

    >>> import numpy as np
    >>> import imbclf.metrics
    >>> y_true = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> y_pred = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> metric = imbclf.metrics.MatthewsCorrelationCoefficient(num_classes=2)
    >>> float(metric(y_true, y_pred))
    -0.3333
    """

    def __init__(
        self,
        num_classes,
        name="MatthewsCorrelationCoefficient",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)

    def result(self):
        c = self.proportions()
        elsewhere = 1 - ops.eye(self.num_rows, dtype=c.dtype)
        false_negatives, false_positives = ops.sum(c * elsewhere, axis=1), ops.sum(c * elsewhere, axis=0)
        true_negatives = ops.sum(_sum_of_others(c) * elsewhere, axis=1)
        covariance = ops.sum(ops.diagonal(c) * true_negatives - false_positives * false_negatives)
        actual, predicted = ops.sum(c, axis=1), ops.sum(c, axis=0)
        spread = ops.sqrt(ops.sum(actual * _sum_of_others(actual)))
        spread_predicted = ops.sqrt(ops.sum(predicted * _sum_of_others(predicted)))
        return ops.cast(divide(covariance, spread * spread_predicted), self.dtype)


def _sum_of_others(x):
    """For each k the sum of all `x[i]` with i other than k, over the first axis, by additions alone.

    `sum(x) - x[k]` would be rounding noise where `x[k]` is nearly the whole sum.
    """
    nothing = ops.zeros_like(x[:1])
    before = ops.concatenate([nothing, ops.cumsum(x[:-1], axis=0)], axis=0)
    after = ops.flip(ops.concatenate([nothing, ops.cumsum(ops.flip(x[1:], axis=0), axis=0)], axis=0), axis=0)
    return before + after
