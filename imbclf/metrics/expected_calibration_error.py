"""Expected calibration error of the winning class."""

import keras
from keras import ops

from imbclf.errors import InputError
from imbclf.metrics.classification_metric import ClassificationMetric
from imbclf.metrics.confusion_metric import divide
from imbclf.metrics.exact_counts import ExactCounts


@keras.saving.register_keras_serializable(package="imbclf")
class ExpectedCalibrationError(ClassificationMetric):
    r"""Mean gap between confidence and accuracy (Naeini et al. 2015; bins as in Guo et al. 2017), in [0, 1]; 0 is best.

    The confidence of a sample is its largest probability. It falls into bin b of M, \(((b-1)/M, b/M]\). With \(n_b\)
    the weight in the bin, \(acc_b\) its accuracy and \(conf_b\) its mean confidence,

    $$ECE = \sum_b \frac{n_b}{n} \left| acc_b - conf_b \right|.$$

    No sample at all gives 0. No class enters by itself, so one that is missing from the data changes nothing.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel.
        num_bins: M, 15 by default.
        name: defaults to `"expected_calibration_error"`.
        dtype: of the result.
        from_logits: whether predictions are logits.
        ignore_class: label that does not count, or `None`.
        class_names: one per class, or `None`; kept for symmetry with the other metrics.

    Shapes:
        y_true `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; y_pred `(B, *space, K)` or `(B, *space, 1)`;
        sample_weight `(B,)` or `(B, *space)`; result a scalar.

    Raises:
        InputError: `num_bins` below 1.
        ValueError: shapes or labels that do not fit.

    Example:

    >>> import numpy as np
    >>> import imbclf.metrics
    >>> metric = imbclf.metrics.ExpectedCalibrationError(num_classes=2)
    >>> metric.update_state(np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.3, 0.7]]))
    >>> float(metric.result())
    0.15
    """

    _direction = "down"

    def __init__(
        self,
        num_classes,
        num_bins=15,
        name="expected_calibration_error",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)
        if num_bins != int(num_bins) or num_bins < 1:
            raise InputError(f"num_bins must be a whole number of at least 1; received {num_bins!r}.")
        self.num_bins = int(num_bins)
        # Rows: weight, weight of the samples that are right, weight x confidence.
        self.bins = ExactCounts(self, (3, self.num_bins), "bins")

    def update_state(self, y_true, y_pred, sample_weight=None):
        samples, weights = self.prepare(y_true, y_pred, sample_weight)
        weights = ops.reshape(weights, (-1,))
        confidence = ops.reshape(ops.max(samples.probabilities, axis=-1), (-1,))
        prediction = ops.argmax(samples.probabilities, axis=-1)
        right = ops.reshape(prediction == ops.argmax(samples.labels, axis=-1), (-1,))
        position = ops.ceil(confidence * self.num_bins) - 1
        position = ops.cast(ops.clip(position, 0, self.num_bins - 1), "int32")
        cells = [position, position + self.num_bins, position + 2 * self.num_bins]
        values = [weights, weights * ops.cast(right, weights.dtype), weights * confidence]
        self.bins.add(ops.concatenate(cells), ops.concatenate(values))

    def result(self):
        weight, right, confidence = ops.unstack(self.bins.values(), 3, axis=0)
        gap = ops.sum(ops.abs(right - confidence))
        return ops.cast(divide(gap, ops.sum(weight)), self.dtype)

    def reliability(self):
        """Float64 NumPy arrays (M,) of the weight, accuracy and mean confidence of each bin; 0 in empty bins."""
        weight, right, confidence = self.bins.numpy()
        filled = weight + (weight == 0)
        return weight, right / filled, confidence / filled

    def get_config(self):
        return {**super().get_config(), "num_bins": self.num_bins}
