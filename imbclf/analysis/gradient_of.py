"""The gradient of a scalar function on whichever backend Keras runs on."""

import keras
import numpy as np
from keras import ops


def gradient_of(function, x, dtype="float32"):
    """Gradient of a scalar function of one array, by the automatic differentiation of the active backend.

    Args:
        function: takes a tensor of the shape of `x` and returns a scalar tensor.
        x: array at which to differentiate.
        dtype: dtype in which `x` is handed over; JAX makes float32 of float64 unless told otherwise for the process.

    Returns:
        float64 NumPy array of the shape of `x`; zeros where `function` does not depend on it.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> from imbclf.analysis.gradient_of import gradient_of
    >>> gradient_of(lambda x: keras.ops.sum(x**2), np.array([1.0, -3.0]))
    array([ 2., -6.])
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        gradient = jax.grad(function)(ops.convert_to_tensor(x, dtype=dtype))
    elif backend == "tensorflow":
        import tensorflow as tf

        x = tf.convert_to_tensor(x, dtype=dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        gradient = tape.gradient(value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    elif backend == "torch":
        import torch

        # Inside a Keras call gradients may be switched off; here one is asked for.
        with torch.enable_grad():
            x = ops.convert_to_tensor(x, dtype=dtype).detach().clone().requires_grad_(True)
            value = function(x)
        gradient = torch.autograd.grad(value, x, allow_unused=True)[0] if value.requires_grad else None
        gradient = torch.zeros_like(x) if gradient is None else gradient
    else:
        raise NotImplementedError(f"Gradients are known on tensorflow, jax and torch; the backend is {backend}.")
    return np.asarray(ops.convert_to_numpy(gradient), dtype=np.float64)
