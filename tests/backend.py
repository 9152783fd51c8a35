"""What tests need of the active backend: gradients, compiled functions, arrays."""

import keras
import numpy as np

BACKEND = keras.backend.backend()
# JAX computes in float32 unless told otherwise for the whole process.
WIDEST = "float32" if BACKEND == "jax" else "float64"


def to_numpy(x):
    return np.asarray(keras.ops.convert_to_numpy(x), dtype="float64")


def value_and_gradient(function, x, dtype="float32"):
    """Value of a scalar function at `x` and its gradient there, as float64 NumPy."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        x = tf.Variable(x, dtype=dtype)
        with tf.GradientTape() as tape:
            value = function(x)
        return to_numpy(value), to_numpy(tape.gradient(value, x))
    if BACKEND == "torch":
        import torch

        x = torch.tensor(np.asarray(x), dtype=getattr(torch, dtype), requires_grad=True)
        value = function(x)
        value.backward()
        return to_numpy(value), to_numpy(x.grad)
    import jax

    value, gradient = jax.value_and_grad(function)(jax.numpy.asarray(x, dtype=dtype))
    return to_numpy(value), to_numpy(gradient)


def compiled(function):
    """The function compiled by the backend, so that it sees no values while it is traced. PyTorch always sees them."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    if BACKEND == "torch":
        return function
    import jax

    return jax.jit(function)


def numerical_gradient(function, x, step=1e-5):
    """Central differences of a scalar NumPy function in float64."""
    x = np.array(x, dtype="float64")
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            gradient[index] += sign * function(moved) / (2 * step)
    return gradient
