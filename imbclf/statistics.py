"""Soft confusion statistics over (batch, space): what every set-level loss stands on.

Weights are inside the sums, so a voxel of weight 0 is a voxel that is not there and a sample of weight 2 is that sample
twice. Sums are in float32 or wider and run over all replicas of a distributed batch.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from imbclf.samples import Samples


@dataclass(frozen=True)
class Confusion:
    r"""Soft counts per class, each `(K,)` over a whole batch or `(B, K)` per image.

    With probability \(p_{ik}\), label \(y_{ik}\) and weight \(w_i\):
    \(TP_k = \sum_i w_i y_{ik} p_{ik}\), \(\hat n_k = \sum_i w_i p_{ik}\), \(n_k = \sum_i w_i y_{ik}\) and
    \(n = \sum_i w_i\).
    `total` keeps the class axis, with size 1, so that it broadcasts.
    """

    true_positives: Any
    predicted: Any
    actual: Any
    total: Any

    @property
    def false_positives(self):
        """Sum of w (1 - y) p."""
        return self.predicted - self.true_positives

    @property
    def false_negatives(self):
        """Sum of w y (1 - p)."""
        return self.actual - self.true_positives

    @property
    def true_negatives(self):
        """Sum of w (1 - y) (1 - p)."""
        return self.total - self.predicted - self.actual + self.true_positives

    @property
    def present(self):
        """1 where a class has at least one true voxel of positive weight, else 0."""
        # Not `> 0`: a NaN, which stands for a label out of range, must reach the loss.
        return ops.cast(self.actual != 0, self.actual.dtype)


def soft_confusion(samples: Samples, over="batch", squared=False) -> Confusion:
    """Sum a batch into soft counts per class.

    Args:
        samples: what `prepare` returned.
        over: `"batch"` sums over batch and space, and over the replicas of a `tf.distribute` strategy; `"sample"` sums
            over the space of each image.
        squared: whether `predicted` and `actual` are sums of squares, as below the line of the squared Dice.

    Returns:
        A `Confusion` with entries `(K,)` for `"batch"`, `(B, K)` for `"sample"`.

    Example:

    >>> import numpy as np
    >>> from imbclf.samples import prepare
    >>> from imbclf.statistics import soft_confusion
    >>> counts = soft_confusion(prepare(np.array([0, 1]), np.array([[0.75, 0.25], [0.5, 0.5]])))
    >>> [float(v) for v in counts.true_positives], [float(v) for v in counts.false_positives]
    ([0.75, 0.5], [0.5, 0.25])
    """
    weights = ops.expand_dims(samples.weights, -1)
    labels, probabilities = samples.labels, samples.probabilities
    power = 2 if squared else 1
    axes = (0, 1) if over == "batch" else 1
    sums = [
        ops.sum(weights * labels * probabilities, axis=axes),
        ops.sum(weights * probabilities**power, axis=axes),
        ops.sum(weights * labels**power, axis=axes),
        ops.sum(weights, axis=axes),
    ]
    if over == "batch":
        sums = [sum_over_replicas(value) for value in sums]
    return Confusion(*sums)


def num_replicas():
    """Number of replicas that share a batch under `tf.distribute`; 1 elsewhere.

    JAX under `keras.distribution` counts as one: its arrays, and so its sums, are global already.
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return 1 if tf.distribute.in_cross_replica_context() else tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(x):
    """Add up `x` over the replicas that share a batch, with gradient; the identity on one device."""
    if num_replicas() == 1:
        return x
    import tensorflow as tf

    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x)
