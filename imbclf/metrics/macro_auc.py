"""Macro one-vs-rest area under the ROC curve, exact over a window of samples."""

import functools
import warnings

import keras
from keras import ops

from imbclf.errors import InputError
from imbclf.metrics.classification_metric import ClassificationMetric, mask_of
from imbclf.metrics.confusion_metric import divide, mean_over
from imbclf.samples import is_concrete


@keras.saving.register_keras_serializable(package="imbclf")
class MacroAUC(ClassificationMetric):
    r"""Mean over classes of the one-vs-rest ROC AUC, in [0, 1], by sorting, without thresholds.

    With \(w\) the weights and \(s_{ik}\) the score of sample i for class k,

    $$AUC_k = \frac{\sum_{i: y_i = k} \sum_{j: y_j \ne k} w_i w_j
    \left([s_{ik} > s_{jk}] + \tfrac12 [s_{ik} = s_{jk}]\right)}
    {\sum_{i: y_i = k} w_i \; \sum_{j: y_j \ne k} w_j}.$$

    The metric keeps the last `capacity` samples (or voxels) and is exact while there are no more than that; beyond, it
    is the AUC of those and says so once. A class without a sample, or that is all there is, has no AUC: it is left out
    of the mean, with a warning that names an absent class. 0 where no class has one. Equals
    `sklearn.metrics.roc_auc_score(average="macro", multi_class="ovr")` over the classes that occur.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel.
        capacity: number of samples kept; memory is `4 (K + 2) capacity` bytes.
        name: defaults to `"macro_auc"`.
        dtype: of the result.
        from_logits: whether predictions are logits. It matters: softmax changes the order of samples within a class.
        ignore_class: label that does not count, or `None`.
        class_names: names for the warning, or `None`.

    Shapes:
        y_true `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; y_pred `(B, *space, K)` or `(B, *space, 1)`;
        sample_weight `(B,)` or `(B, *space)`; result a scalar.

    Raises:
        InputError: a capacity that is not a whole number from 2 to 2^24.
        ValueError: shapes or labels that do not fit.

    Example:

    >>> import numpy as np
    >>> import imbclf.metrics
    >>> metric = imbclf.metrics.MacroAUC(num_classes=2)
    >>> metric.update_state(np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.5, 0.5]]))
    >>> float(metric.result())
    0.6667
    """

    def __init__(
        self,
        num_classes,
        capacity=32768,
        name="macro_auc",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)
        if capacity != int(capacity) or not 2 <= capacity <= 2**24:
            raise InputError(f"capacity must be a whole number from 2 to {2**24}; received {capacity!r}.")
        self.capacity = int(capacity)
        self._said_full = False
        # Columns: K scores, label, weight; weight 0 marks a free slot. The last row takes what is not to be kept.
        # Counters are float32, exact below 2^24, since not every device sums integers over replicas.
        self.window = self.add_variable((self.capacity + 1, self.num_rows + 2), "zeros", dtype="float32", name="window")
        self.cursor = self.add_variable((), "zeros", dtype="float32", name="cursor")
        self.seen = self.add_variable((), "zeros", dtype="float32", name="seen")

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = mask_of(y_pred)
        y_pred = ops.convert_to_tensor(y_pred)
        samples, weights = self.prepare(y_true, y_pred, sample_weight, mask)
        weights = ops.cast(ops.reshape(weights, (-1,)), "float32")
        labels = ops.cast(ops.reshape(ops.argmax(samples.labels, axis=-1), (-1,)), "float32")
        scores = samples.log_probabilities if self.from_logits else samples.probabilities
        scores = ops.cast(ops.reshape(scores, (-1, self.num_rows)), "float32")
        if y_pred.shape[-1] == 1:
            # 1 - p rounds small p away; -p keeps their order.
            scores = ops.concatenate([-scores[:, 1:], scores[:, 1:]], axis=-1)

        # Replica r of R writes to the slots r, r + R, ...; the sum over replicas then merges their windows.
        replicas, replica = _replicas()
        share = self.capacity // replicas
        keep = ops.cast(weights != 0, "int32")
        rank, total = ops.cumsum(keep) - 1, ops.sum(keep)
        cursor = ops.cast(ops.convert_to_tensor(self.cursor), "int32")
        slot = ((cursor + rank) % share) * replicas + replica
        # Each slot once per batch, or the order of writing would decide.
        last = ops.logical_and(keep == 1, rank >= total - share)
        slot = ops.where(last, slot, ops.full_like(slot, self.capacity))
        rows = ops.concatenate([scores, ops.stack([labels, weights], axis=-1)], axis=-1)
        self.window.assign(ops.scatter_update(self.window, ops.expand_dims(slot, -1), rows))
        self.cursor.assign(ops.cast((cursor + total) % share, "float32"))
        self.seen.assign(self.seen + ops.cast(total, "float32"))

    def result(self):
        window = ops.convert_to_tensor(self.window)[:-1]
        used = ops.cast(window[:, -1] != 0, "int32") * ops.arange(1, self.capacity + 1, dtype="int32")
        # Sorting costs far more than the rest, and most windows are nearly empty: sort no more than what is filled.
        sizes = _sizes(self.capacity)
        level = ops.sum(ops.cast(ops.max(used) > ops.convert_to_tensor(sizes[:-1], dtype="int32"), "int32"))
        branches = _branches(sizes)
        if is_concrete(level):
            auc, positive, negative = branches[int(ops.convert_to_numpy(level))](window)
        else:
            auc, positive, negative = ops.switch(level, branches, window)
        self._warn(positive)
        return ops.cast(mean_over(auc, positive * negative), self.dtype)

    def _warn(self, actual):
        self.warn_of_absent(actual, "the mean leaves it out")
        seen = ops.convert_to_tensor(self.seen)
        if not self._said_full and is_concrete(seen) and float(ops.convert_to_numpy(seen)) > self.capacity:
            self._said_full = True
            warnings.warn(
                f"{self.name}: more samples than capacity={self.capacity}; the value is that of the last ones.",
                stacklevel=3,
            )

    def get_config(self):
        return {**super().get_config(), "capacity": self.capacity}


def one_vs_rest_auc(scores, labels, weights):
    """ROC AUC of each class against the rest, ties counted half.

    Args:
        scores: `(n, K)`.
        labels: `(n,)` class indices, of any dtype.
        weights: `(n,)`; 0 is a sample that is not there.

    Returns:
        `(auc, positive, negative)`, each `(K,)`: the AUC, 0 where a side is empty, and the weight of either side.
    """
    n, num_classes = scores.shape
    # One row per class: sums along a row are taken pairwise, sums along a column one by one, with more rounding.
    scores = ops.transpose(scores)
    order = ops.argsort(scores, axis=1)
    scores = ops.take_along_axis(scores, order, axis=1)
    weights = ops.take(weights, order)
    classes = ops.expand_dims(ops.arange(num_classes, dtype="int32"), 1)
    mine = ops.take(ops.cast(labels, "int32"), order) == classes
    # Equal scores form one group, numbered from 0 upwards within a class.
    first = ops.zeros((num_classes, 1), dtype="int32")
    starts = ops.concatenate([first, ops.cast(scores[:, 1:] != scores[:, :-1], "int32")], axis=1)
    group = ops.reshape(ops.cumsum(starts, axis=1) + classes * n, (-1,))

    def per_group(values):
        sums = ops.segment_sum(ops.reshape(values, (-1,)), group, num_segments=num_classes * n)
        return ops.reshape(sums, (num_classes, n))

    nothing = ops.zeros_like(weights)
    positives = per_group(ops.where(mine, weights, nothing))
    negatives = per_group(ops.where(mine, nothing, weights))
    positive, running = ops.sum(positives, axis=1), _running_sum(negatives)
    # Share of the other classes below each group, half of the group itself included. Dividing by the last running sum
    # cancels what rounding there is.
    below = divide(running - 0.5 * negatives, running[:, -1:])
    return divide(ops.sum(positives * below, axis=1), positive), positive, running[:, -1]


def _running_sum(x, block=128):
    """Cumulative sum along each row, in blocks: a float32 sum of tens of thousands of weights would drift by 1e-6."""
    rows, n = x.shape
    inner = ops.cumsum(ops.reshape(ops.pad(x, ((0, 0), (0, -n % block))), (rows, -1, block)), axis=2)
    before = ops.cumsum(inner[:, :-1, -1:], axis=1)
    outer = ops.concatenate([ops.zeros((rows, 1, 1), dtype=x.dtype), before], axis=1)
    return ops.reshape(inner + outer, (rows, -1))[:, :n]


def _auc_of_first(size, window):
    window = window[:size]
    return one_vs_rest_auc(window[:, :-2], window[:, -2], window[:, -1])


def _sizes(capacity):
    """Window sizes worth a branch of their own: the capacity and its quarters, not below 256; ascending."""
    sizes = [capacity]
    while sizes[0] // 4 >= 256:
        sizes.insert(0, sizes[0] // 4)
    return tuple(sizes)


@functools.cache
def _branches(sizes):
    """One function per size, the same objects for each call, so that a compiled switch is found again."""
    return tuple(functools.partial(_auc_of_first, size) for size in sizes)


def _replicas():
    """Number of replicas and the index of this one under `tf.distribute`; (1, 0) elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return 1, 0
    import tensorflow as tf

    if tf.distribute.in_cross_replica_context():
        return 1, 0
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync, context.replica_id_in_sync_group
