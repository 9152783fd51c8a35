"""Metrics that are functions of the K x K confusion matrix."""

from keras import ops

from imbclf.metrics.classification_metric import ClassificationMetric
from imbclf.metrics.exact_counts import ExactCounts


class ConfusionMetric(ClassificationMetric):
    """A streaming confusion matrix: rows truth, columns prediction, entries sums of weights.

    The prediction is the class of the largest probability or logit, the first one among equals; for a sigmoid channel
    it is class 1 where the probability is above 0.5. A subclass states its formula in `result`.

    Args:
        num_classes, name, dtype, from_logits, ignore_class, class_names: as in `ClassificationMetric`.
    """

    def __init__(self, num_classes, name=None, dtype=None, from_logits=False, ignore_class=None, class_names=None):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)
        self.counts = ExactCounts(self, (self.num_rows, self.num_rows), "confusion")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count(*self.prepare(y_true, y_pred, sample_weight))

    def count(self, samples, weights):
        """Add what `prepare` returned to the matrix."""
        truth = ops.argmax(samples.labels, axis=-1)
        # With logits, probabilities underflow and tie before their logarithms do.
        prediction = ops.argmax(samples.log_probabilities if self.from_logits else samples.probabilities, axis=-1)
        cell = ops.cast(truth, "int32") * self.num_rows + ops.cast(prediction, "int32")
        self.counts.add(ops.reshape(cell, (-1,)), ops.reshape(weights, (-1,)))

    def proportions(self):
        """The confusion matrix divided by its sum, (K, K); all 0 before the first sample."""
        counts = self.counts.values()
        return divide(counts, ops.sum(counts))

    def confusion_matrix(self):
        """The confusion matrix as a float64 NumPy array, exact for integer weights up to 2^35."""
        return self.counts.numpy()


def divide(numerator, denominator):
    """Quotient that is 0 where the denominator is 0, and NaN where either is NaN."""
    nothing = denominator == 0
    quotient = numerator / ops.where(nothing, ops.ones_like(denominator), denominator)
    return ops.where(nothing, ops.zeros_like(quotient), quotient)


def mean_over(values, counts):
    """Mean of `values` (K,) over the classes with `counts` (K,) other than 0; 0 if there are none.

    A count of NaN, the mark of a label out of range, must reach the result, hence "other than 0".
    """
    present = ops.cast(counts != 0, values.dtype)
    return divide(ops.sum(values * present), ops.sum(present))
