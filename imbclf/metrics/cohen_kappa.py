"""Cohen's kappa, plain or weighted."""

import keras
from keras import ops

from imbclf.errors import InputError
from imbclf.metrics.classification_metric import mask_of
from imbclf.metrics.confusion_metric import ConfusionMetric, divide


@keras.saving.register_keras_serializable(package="imbclf")
class CohenKappa(ConfusionMetric):
    r"""Agreement of truth and prediction beyond chance (Cohen 1960, weighted: Cohen 1968), in [-1, 1].

    With proportions \(c_{ij}\), their row sums \(t_i\) and column sums \(p_j\), and a cost \(v_{ij}\),

    $$\kappa = 1 - \frac{\sum_{ij} v_{ij} c_{ij}}{\sum_{ij} v_{ij} t_i p_j}, \qquad
    v_{ij} = [i \ne j], \quad |i - j| \text{ (linear)}, \quad (i - j)^2 \text{ (quadratic)}.$$

    0 where chance cannot disagree (truth and prediction are the same constant), and before the first sample. Takes the
    arguments of `tfa.metrics.CohenKappa`, in its order; equals `sklearn.metrics.cohen_kappa_score`.

    Besides probabilities, `y_pred` may be `(B,)`: class indices, or for two classes the probability of class 1.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel.
        name: defaults to `"cohen_kappa"`.
        weightage: `None`, `"linear"` or `"quadratic"`.
        sparse_labels: accepted for TensorFlow Addons' sake; integer and one-hot labels are told apart by their shape.
        regression: True if `y_pred` `(B, *space, 1)` is a grade; with K > 2 it is rounded to the nearest class.
        dtype: of the result.
        from_logits: whether predictions are logits; only matters for a sigmoid channel.
        ignore_class: label that does not count, or `None`.
        class_names: one per class, or `None`; kept for symmetry with the other metrics.

    Shapes:
        y_true `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; y_pred `(B, *space, K)`, `(B, *space, 1)` or `(B,)`;
        sample_weight `(B,)` or `(B, *space)`; result a scalar.

    Raises:
        InputError: an unknown `weightage`.
        ValueError: shapes or labels that do not fit.

    Example:

    >>> import numpy as np
    >>> import imbclf.metrics
    >>> y_true = np.array([4, 4, 3, 4, 2, 4, 1, 1])
    >>> y_pred = np.array([4, 4, 3, 4, 4, 2, 1, 1])
    >>> metric = imbclf.metrics.CohenKappa(num_classes=5, sparse_labels=True)
    >>> float(metric(y_true, y_pred))
    0.6190
    """

    def __init__(
        self,
        num_classes,
        name="cohen_kappa",
        weightage=None,
        sparse_labels=False,
        regression=False,
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)
        if weightage not in (None, "linear", "quadratic"):
            raise InputError(f'weightage must be None, "linear" or "quadratic"; received {weightage!r}.')
        self.weightage = weightage
        self.sparse_labels = sparse_labels
        self.regression = regression

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = mask_of(y_pred)
        y_pred = ops.convert_to_tensor(y_pred)
        if len(y_pred.shape) == 1:
            y_pred = ops.expand_dims(y_pred, -1)
            graded = self.num_classes > 2
        else:
            graded = self.regression and self.num_classes > 2
        if graded:
            if y_pred.shape[-1] != 1:
                raise InputError(f"regression=True expects one output per sample; received {tuple(y_pred.shape)}.")
            grade = ops.round(ops.cast(y_pred[..., 0], "float32"))
            y_pred = ops.one_hot(ops.cast(ops.clip(grade, 0, self.num_classes - 1), "int32"), self.num_classes)
        self.count(*self.prepare(y_true, y_pred, sample_weight, mask))

    def result(self):
        c = self.proportions()
        index = ops.arange(self.num_rows, dtype=c.dtype)
        distance = ops.abs(ops.expand_dims(index, 1) - ops.expand_dims(index, 0))
        if self.weightage is None:
            cost = ops.cast(distance > 0, c.dtype)
        else:
            cost = distance if self.weightage == "linear" else ops.square(distance)
        actual, predicted = ops.sum(c, axis=1), ops.sum(c, axis=0)
        by_chance = ops.sum(cost * ops.expand_dims(actual, 1) * ops.expand_dims(predicted, 0))
        kappa = divide(by_chance - ops.sum(cost * c), by_chance)
        return ops.cast(kappa, self.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "weightage": self.weightage,
            "sparse_labels": self.sparse_labels,
            "regression": self.regression,
        }
