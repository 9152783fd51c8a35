"""The k-th largest of a batch of costs: 31 counting passes beside the top-k of the backend, in the same run.

KERAS_BACKEND=tensorflow python benchmarks/hard_mining.py
"""

import argparse
import time

import keras
import numpy as np

from imbclf.losses.hardest import hardest


def compiled_pair(keep):
    """Both ways to the threshold, compiled, and how to wait for their results."""
    keep_row = np.array([[keep]])
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        counting = tf.function(lambda costs, weights: hardest(costs, weights, keep_row))
        peer = tf.function(lambda costs, weights: tf.math.top_k(costs, keep).values[:, -1])
        return counting, peer, lambda result: result.numpy()
    import jax

    counting = jax.jit(lambda costs, weights: hardest(costs, weights, keep_row))
    peer = jax.jit(lambda costs, weights: jax.lax.top_k(costs, keep)[0][:, -1])
    return counting, peer, lambda result: result.block_until_ready()


def median_seconds(function, wait, repeats):
    wait(function())
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        wait(function())
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voxels", type=int, default=1_770_000)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    costs = np.random.default_rng(0).exponential(size=(1, options.voxels)).astype("float32")
    costs, weights = keras.ops.convert_to_tensor(costs), keras.ops.ones((1, options.voxels))
    counting, peer, wait = compiled_pair(int(options.share * options.voxels))
    ours = median_seconds(lambda: counting(costs, weights), wait, options.repeats)
    theirs = median_seconds(lambda: peer(costs, weights), wait, options.repeats)
    print(
        f"{keras.backend.backend()}, {options.voxels} costs: counting {1e3 * ours:.0f} ms, "
        f"top-k {1e3 * theirs:.0f} ms, ratio {theirs / ours:.1f}"
    )


if __name__ == "__main__":
    main()
