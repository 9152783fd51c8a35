"""What all streaming metrics of a classifier share: their arguments, their input, their warnings."""

import warnings

import keras
from keras import ops

from imbclf.errors import InputError
from imbclf.samples import is_concrete, mask_of, prepare


class ClassificationMetric(keras.metrics.Metric):
    """Base of the metrics over labels of K classes, for classification and for dense outputs alike.

    `update_state(y_true, y_pred, sample_weight=None)` takes what the losses take: integers `(B, *space)` or
    `(B, *space, 1)`, or one-hot or soft labels `(B, *space, K)`, whose largest entry is the label; predictions
    `(B, *space, K)`, or one sigmoid channel where there are two classes; weights `(B,)` or `(B, *space)`. What a Keras
    mask on `y_pred` leaves out counts as weight 0.

    Args:
        num_classes: K. With one sigmoid channel, 1 or 2.
        name, dtype: as in Keras; `dtype` is that of the result, counts do not depend on it.
        from_logits: whether `y_pred` holds logits.
        ignore_class: label that does not count, inside or outside `0..K-1`, or `None`.
        class_names: names for warnings, one per class, or `None` to speak of classes by their index.

    Raises:
        InputError: arguments that do not fit each other, or a `y_pred` whose last axis is not `num_classes`.
        ValueError: labels or weights that fit no form above, as `imbclf.samples.prepare` says.
    """

    _direction = "up"

    def __init__(self, num_classes, name=None, dtype=None, from_logits=False, ignore_class=None, class_names=None):
        super().__init__(name=name, dtype=dtype)
        if num_classes != int(num_classes) or num_classes < 1:
            raise InputError(f"num_classes must be a whole number of at least 1; received {num_classes!r}.")
        self.num_classes = int(num_classes)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.class_names = None if class_names is None else tuple(class_names)
        if self.class_names is not None and len(self.class_names) != self.num_rows:
            raise InputError(
                f"class_names must hold {self.num_rows} names for num_classes={num_classes}; "
                f"received {len(self.class_names)}."
            )
        self._said = set()

    @property
    def num_rows(self):
        """Number of classes told apart: K, and 2 for a sigmoid channel."""
        return max(self.num_classes, 2)

    def prepare(self, y_true, y_pred, sample_weight=None, mask=None):
        """One batch as `imbclf.samples.Samples`, and `(B, N)` weights that are NaN where a label is out of range."""
        mask = mask_of(y_pred) if mask is None else mask
        y_pred = ops.convert_to_tensor(y_pred)
        channels = y_pred.shape[-1] if len(y_pred.shape) else None
        if channels != self.num_classes and not (channels == 1 and self.num_classes == 2):
            raise InputError(
                f"{self.name} has num_classes={self.num_classes} and expects y_pred of shape "
                f"(batch, *space, {self.num_classes}); received {tuple(y_pred.shape)}."
            )
        samples = prepare(y_true, y_pred, sample_weight, mask, self.from_logits, self.ignore_class)
        return samples, ops.where(ops.isnan(samples.labels[..., 0]), samples.labels[..., 0], samples.weights)

    def warn_of_absent(self, actual, consequence, classes=None):
        """Say once per class that the data do not hold it, where values can be seen (not inside a compiled step).

        Args:
            actual: `(num_rows,)` weight of the true samples of each class. Silent while there is none at all.
            consequence: what becomes of the class, the end of a sentence.
            classes: the classes that are scored; all by default.
        """
        if not is_concrete(actual):
            return
        actual = ops.convert_to_numpy(actual)
        classes = range(self.num_rows) if classes is None else classes
        absent = [k for k in classes if actual[k] == 0 and k not in self._said]
        if absent and actual.any():
            self._said.update(absent)
            names = ", ".join(str(k) if self.class_names is None else f"{k} ({self.class_names[k]})" for k in absent)
            classes = f"class {names}" if len(absent) == 1 else f"classes {names}"
            warnings.warn(f"{self.name}: no sample of {classes} has been seen; {consequence}.", stacklevel=3)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "class_names": None if self.class_names is None else list(self.class_names),
        }
