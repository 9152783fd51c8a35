"""Hard mining without a sort: the weight that the costliest voxels keep."""

import functools

import keras
from keras import ops

from imbclf.statistics import num_replicas, sum_over_replicas

# A non-negative float32 and its bits read as an integer are in the same order; bit 31 is the sign.
HIGHEST_BIT = 30


def hardest(costs, weights, keep, across_replicas=False):
    r"""Weights of the costliest voxels of each row that add up to a given weight; 0 for the others.

    The cost \(c^*\) at which the sum of the weights of all voxels with \(c_i \ge c^*\) reaches `keep` is built bit by
    bit, from the highest to the lowest, in 31 counting passes: exact, without a sort, and cheap to add up over devices.
    Voxels that cost more than \(c^*\) keep their weight; those that cost just \(c^*\) share what is left, each in
    proportion to its weight.

    Args:
        costs: `(R, N)` non-negative costs, compared in float32.
        weights: `(R, N)` weights; a voxel of weight 0 is not there.
        keep: `(R, 1)` weight to be kept in each row. More than there is keeps everything.
        across_replicas: whether a row goes on over the replicas of `tf.distribute`.

    Returns:
        `(R, N)` kept weights, without gradient.

    Example:

    >>> import numpy as np
    >>> from imbclf.losses.hardest import hardest
    >>> hardest(np.array([[3.0, 1.0, 2.0, 2.0]]), np.ones((1, 4), "float32"), np.array([[2.0]])).__array__()
    array([[1. , 0. , 0.5, 0.5]], dtype=float32)
    """
    weights = ops.convert_to_tensor(weights)
    keep = ops.cast(keep, weights.dtype)
    costs = ops.cast(ops.stop_gradient(ops.convert_to_tensor(costs)), "float32")
    # `abs` turns a negative zero into a zero, whose bits are the smallest.
    order = _bits(ops.abs(ops.maximum(costs, 0.0)))

    across_replicas = across_replicas and num_replicas() > 1
    if keras.backend.backend() == "jax":
        threshold = _compiled_threshold()(order, weights, keep)
    else:
        threshold = _threshold(order, weights, keep, across_replicas)

    def weight_of(chosen):
        return _weight_of(chosen, weights, across_replicas)

    above, level = order > threshold, order == threshold
    left, there = keep - weight_of(above), weight_of(level)
    share = ops.clip(left / ops.where(there > 0, there, ops.ones_like(there)), 0.0, 1.0)
    kept = ops.cast(above, weights.dtype) + share * ops.cast(level, weights.dtype)
    return ops.stop_gradient(kept * weights)


def fraction_to_keep(k, total):
    """The weight of the hardest fraction `k` of a set that weighs `total`: `max(1, floor(k * total))`, all for 1."""
    if k == 1:
        return total
    # A product such as 0.29 * 100 falls just short of the whole number that it stands for.
    return ops.maximum(ops.floor(k * total * (1 + 1e-6)), 1.0)


def _threshold(order, weights, keep, across_replicas=False):
    """The greatest number at or above which the voxels of a row weigh `keep`, `(R, 1)` int32."""

    def with_bit(place, threshold):
        candidate = threshold + ops.left_shift(ops.ones_like(threshold), HIGHEST_BIT - place)
        return ops.where(_weight_of(order >= candidate, weights, across_replicas) >= keep, candidate, threshold)

    threshold = ops.zeros_like(order[:, :1])
    if not across_replicas:
        return ops.fori_loop(0, HIGHEST_BIT + 1, with_bit, threshold)
    # Devices meet in each pass, which they cannot inside a loop of the graph.
    for place in range(HIGHEST_BIT + 1):
        threshold = with_bit(place, threshold)
    return threshold


@functools.cache
def _compiled_threshold():
    """`_threshold` compiled by JAX once per shape; a bare loop would be compiled anew by every call outside a step."""
    import jax

    return jax.jit(_threshold)


def _weight_of(chosen, weights, across_replicas):
    total = ops.sum(ops.where(chosen, weights, ops.zeros_like(weights)), axis=1, keepdims=True)
    return sum_over_replicas(total) if across_replicas else total


def _bits(x):
    """The bits of a float32 tensor as int32. `ops.view` does not take a batch of unknown size on TensorFlow."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.bitcast(x, tf.int32)
    if backend == "jax":
        import jax

        return jax.lax.bitcast_convert_type(x, "int32")
    return ops.view(x, "int32")
