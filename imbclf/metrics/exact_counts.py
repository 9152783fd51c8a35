"""Streaming sums that do not saturate in float32."""

import math

import numpy as np
from keras import ops

# A sum is kept as WORD * high + low. Both words stay integers below 2^24, hence exact in float32, up to 2^35.
WORD = 2048.0
# How many values are added to a cell before words are carried, then how many runs. Long float32 sums of fractional
# weights drift; short ones hardly do.
RUN = 256


class ExactCounts:
    r"""An array of running sums in two float32 words, held as variables of a metric.

    A float32 counter stops at \(2^{24}\): adding 1 changes nothing any more. JAX has neither int64 nor float64 by
    default, so the count is written in base 2048 with two digits, \(c = 2048\,h + l\), and carried after each addition.
    Integer counts are exact up to \(2^{35}\); fractional ones are as accurate as float32 sums of a few hundred terms.
    The words add up over the replicas of `tf.distribute`.

    Args:
        metric: the `keras.metrics.Metric` that owns the variables.
        shape: shape of the array of sums.
        name: prefix of the variables' names.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> from imbclf.metrics.exact_counts import ExactCounts
    >>> counts = ExactCounts(keras.metrics.Mean(), (2,), "counts")
    >>> counts.add(np.array([0, 1]), np.array([2.0**24, 2.0**24], "float32"))
    >>> counts.add(np.array([0, 0, 0]), np.ones(3, "float32"))
    >>> counts.numpy() - 2.0**24
    array([3., 0.])
    """

    def __init__(self, metric, shape, name):
        self.shape = tuple(shape)
        self.high = metric.add_variable(self.shape, "zeros", dtype="float32", name=f"{name}_high")
        self.low = metric.add_variable(self.shape, "zeros", dtype="float32", name=f"{name}_low")

    def add(self, cell, value):
        """Add `value` (n,), not negative, to the cells `cell` (n,), flat indices into `shape`."""
        cell = ops.cast(cell, "int32")
        value = ops.cast(value, "float32")
        size = math.prod(self.shape)
        high, low = _carry(ops.zeros_like(value), value)
        # With at least `size` values in a run, the sums of all runs take no more room than the input.
        cell, high, low = _sum_runs(cell, high, low, size, max(RUN, size))
        cell, high, low = _sum_runs(cell, high, low, size, RUN * size)
        high, low = (ops.sum(ops.reshape(word, (-1, *self.shape)), axis=0) for word in (high, low))
        high, low = _carry(self.high + high, self.low + low)
        self.high.assign(high)
        self.low.assign(low)

    def values(self):
        """The sums as a float32 tensor, each rounded once."""
        return ops.convert_to_tensor(self.high) * WORD + ops.convert_to_tensor(self.low)

    def numpy(self):
        """The sums as a float64 NumPy array, exact for integer counts."""
        high, low = (ops.convert_to_numpy(ops.convert_to_tensor(word)) for word in (self.high, self.low))
        return high.astype(np.float64) * WORD + low.astype(np.float64)


def _sum_runs(cell, high, low, size, length):
    """Sum each run of `length` consecutive entries by cell; what comes out is again entries of (cell, high, low)."""
    count = ops.shape(cell)[0]
    runs = count // length + 1
    place = cell + size * (ops.arange(count, dtype="int32") // length)
    high, low = (ops.segment_sum(word, place, num_segments=runs * size) for word in (high, low))
    return ops.arange(runs * size, dtype="int32") % size, *_carry(high, low)


def _carry(high, low):
    carried = ops.floor(low / WORD)
    return high + carried, low - WORD * carried
