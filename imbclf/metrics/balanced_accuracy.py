"""Balanced accuracy: the mean of the recalls."""

import keras
from keras import ops

from imbclf.metrics.confusion_metric import ConfusionMetric, divide, mean_over


@keras.saving.register_keras_serializable(package="imbclf")
class BalancedAccuracy(ConfusionMetric):
    r"""Mean recall over the classes that occur in the data (Brodersen et al. 2010), in [0, 1].

    With confusion counts \(C_{kj}\) of truth k and prediction j,

    $$\frac{1}{|P|} \sum_{k \in P} \frac{C_{kk}}{\sum_j C_{kj}}, \qquad P = \{k : \sum_j C_{kj} > 0\}.$$

    A class without a sample is left out of the mean with a warning that names it. No sample at all gives 0. Equals
    `sklearn.metrics.balanced_accuracy_score` on the union of all batches.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel.
        name: defaults to `"balanced_accuracy"`.
        dtype: of the result.
        from_logits: whether predictions are logits; only matters for a sigmoid channel.
        ignore_class: label that does not count, or `None`.
        class_names: names for the warning, or `None`.

    Shapes:
        y_true `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; y_pred `(B, *space, K)` or `(B, *space, 1)`;
        sample_weight `(B,)` or `(B, *space)`; result a scalar.

    Raises:
        ValueError: shapes or labels that do not fit.

    Example:

    >>> import numpy as np
    >>> import imbclf.metrics
    >>> metric = imbclf.metrics.BalancedAccuracy(num_classes=2)
    >>> metric.update_state(np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]]))
    >>> float(metric.result())
    0.8333
    >>> metric.confusion_matrix()
    array([[2., 1.],
           [0., 1.]])
    """

    def __init__(
        self,
        num_classes,
        name="balanced_accuracy",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)

    def result(self):
        counts = self.counts.values()
        actual = ops.sum(counts, axis=1)
        self.warn_of_absent(actual, "the mean leaves it out")
        return ops.cast(mean_over(divide(ops.diagonal(counts), actual), actual), self.dtype)
