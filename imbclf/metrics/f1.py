"""The F1 score, per class or averaged."""

import keras
from keras import ops

from imbclf.errors import InputError
from imbclf.metrics.classification_metric import mask_of
from imbclf.metrics.confusion_metric import ConfusionMetric, divide, mean_over
from imbclf.metrics.exact_counts import ExactCounts

AVERAGES = (None, "micro", "macro", "weighted")


@keras.saving.register_keras_serializable(package="imbclf")
class F1(ConfusionMetric):
    r"""F1 score from counts over all batches, in [0, 1]; takes the arguments of `tfa.metrics.F1Score`.

    $$F_{1,k} = \frac{2\,TP_k}{2\,TP_k + FP_k + FN_k}$$

    `average=None` returns the K values; `"macro"` their mean over the classes that occur in the data; `"weighted"`
    their mean weighted by the number of true samples; `"micro"` the same formula on counts summed over classes. The
    default is that of TensorFlow Addons, per class; ask for `"macro"` where one number is wanted, as for a checkpoint.

    A class without a true sample has the value 0 in the K values and is left out of `"macro"` with a warning that names
    it. No sample at all gives 0. Equals `sklearn.metrics.f1_score(labels=<classes that occur>, zero_division=0)`.

    With a `threshold`, class k is predicted wherever its probability is above the threshold, none or several classes at
    once, and `y_true` `(B, *space, K)` may mark several classes (multi-label). Without one, the largest probability
    wins.

    `num_classes=1` scores the positive class of a sigmoid channel alone; `num_classes=2` scores both of its classes.

    Args:
        num_classes: K.
        average: `None`, `"micro"`, `"macro"` or `"weighted"`.
        threshold: a number in (0, 1], or `None`.
        name: defaults to `"f1_score"`.
        dtype: of the result.
        from_logits: whether predictions are logits (softmax, or sigmoid for one channel).
        ignore_class: label that does not count, or `None`.
        class_names: names for the warning, or `None`.

    Shapes:
        y_true `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; y_pred `(B, *space, K)` or `(B, *space, 1)`;
        sample_weight `(B,)` or `(B, *space)`; result `(K,)` for `average=None`, else a scalar.

    Raises:
        InputError: an unknown `average` or a `threshold` outside (0, 1].
        ValueError: shapes or labels that do not fit.

    Example:

    >>> import numpy as np
    >>> import imbclf.metrics
    >>> y_true = np.array([0, 0, 0, 1])
    >>> y_pred = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    >>> metric = imbclf.metrics.F1(num_classes=2)
    >>> [round(float(value), 4) for value in metric(y_true, y_pred)]
    [0.8, 0.6667]
    >>> float(imbclf.metrics.F1(num_classes=2, average="macro")(y_true, y_pred))
    0.7333
    """

    def __init__(
        self,
        num_classes,
        average=None,
        threshold=None,
        name="f1_score",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)
        if average not in AVERAGES:
            raise InputError(f'average must be None, "micro", "macro" or "weighted"; received {average!r}.')
        if threshold is not None and not 0 < threshold <= 1:
            raise InputError(f"threshold must be a number above 0 and at most 1, or None; received {threshold!r}.")
        self.average = average
        self.threshold = threshold
        if threshold is not None:
            # Per class: truth no / yes x prediction no / yes. Several classes can be predicted at once, so one matrix
            # over all classes cannot hold it.
            self.one_vs_rest = ExactCounts(self, (self.num_rows, 2, 2), "one_vs_rest")

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.threshold is None:
            super().update_state(y_true, y_pred, sample_weight)
            return
        mask = mask_of(y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        several = None
        if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == self.num_classes > 1:
            several = ops.cast(y_true, "float32") > 0.5
            y_true = ops.argmax(y_true, axis=-1)
        samples, weights = self.prepare(y_true, y_pred, sample_weight, mask)
        truth = samples.labels > 0.5 if several is None else ops.reshape(several, ops.shape(samples.labels))
        prediction = samples.probabilities > self.threshold
        cell = ops.arange(self.num_rows) * 4 + ops.cast(truth, "int32") * 2 + ops.cast(prediction, "int32")
        weights = ops.broadcast_to(ops.expand_dims(weights, -1), ops.shape(cell))
        self.one_vs_rest.add(ops.reshape(cell, (-1,)), ops.reshape(weights, (-1,)))

    def result(self):
        if self.threshold is None:
            counts = self.counts.values()
            true_positives = ops.diagonal(counts)
            actual, predicted = ops.sum(counts, axis=1), ops.sum(counts, axis=0)
        else:
            counts = self.one_vs_rest.values()
            true_positives = counts[:, 1, 1]
            actual, predicted = ops.sum(counts[:, 1, :], axis=1), ops.sum(counts[:, :, 1], axis=1)
        if self.average in (None, "macro"):
            consequence = "its F1 is 0" if self.average is None else "the mean leaves it out"
            self.warn_of_absent(actual, consequence, classes=(1,) if self.num_classes == 1 else None)
        if self.num_classes == 1:
            true_positives, actual, predicted = true_positives[1:], actual[1:], predicted[1:]
        if self.average == "micro":
            true_positives, actual, predicted = ops.sum(true_positives), ops.sum(actual), ops.sum(predicted)
        score = divide(2 * true_positives, actual + predicted)
        if self.average == "macro":
            score = mean_over(score, actual)
        elif self.average == "weighted":
            score = divide(ops.sum(score * actual), ops.sum(actual))
        return ops.cast(score, self.dtype)

    def get_config(self):
        return {**super().get_config(), "average": self.average, "threshold": self.threshold}
