"""Run by `test_replicas.py` in a process of its own with two devices: value and gradient of losses on one and two.

`python tests/losses/replicas.py kinds` takes one loss of each kind, `all` every loss.

The samples are dealt so that the devices see different classes and, on TensorFlow, different numbers of samples that
count; a statistic taken per device would give other numbers.
"""

import os
import sys
from contextlib import nullcontext

if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import keras
import numpy as np

from tests.losses.cases import CASES

random = np.random.default_rng(0)
X = random.normal(size=(8, 5)).astype("float32")
Y = np.array([0, 0, 0, 1, 2, 2, 255, 255])
W = random.uniform(0.2, 3, 8).astype("float32")
KERNEL = random.normal(size=(5, 3)).astype("float32")


def model_for(loss):
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, use_bias=False, name="dense")])
    model.get_layer("dense").set_weights([KERNEL])
    # On JAX a loss with a variable trains only where the model knows it.
    metrics = loss.part_metrics() if getattr(loss, "variables", []) else None
    model.compile(keras.optimizers.SGD(1.0), loss=loss, metrics=metrics)
    return model


def one_step(loss):
    """Reported loss and the step that SGD with learning rate 1 takes, which is the gradient."""
    model = model_for(loss)
    logs = model.fit(X, Y, sample_weight=W, batch_size=8, shuffle=False, verbose=0).history
    return logs["loss"][0], KERNEL - model.get_layer("dense").get_weights()[0]


def on_two_devices():
    if keras.backend.backend() == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        return None
    import tensorflow as tf

    return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices("CPU")])


def main():
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

    # Reductions and class weights live in the bases of the losses: one loss of each kind tells.
    variants = [{"reduction": "mean_with_sample_weight"}, {"class_weight": "balanced"}]
    of_each_kind = list({case.kind: case for case in reversed(CASES)}.values())
    runs = [(case, {}) for case in (CASES if sys.argv[1] == "all" else of_each_kind)]
    runs += [(case, extra) for case in of_each_kind for extra in variants]
    runs += [(case, {"over": "sample"}) for case, extra in runs if case.kind == "set" and not extra]
    runs = [(case, {**options, "from_logits": True, "ignore_class": 255}) for case, options in runs]
    alone = [one_step(case.loss(**options)) for case, options in runs]
    strategy = on_two_devices()
    for (case, options), (value, gradient) in zip(runs, alone, strict=True):
        with nullcontext() if strategy is None else strategy.scope():
            two_value, two_gradient = one_step(case.loss(**options))
        np.testing.assert_allclose(two_gradient, gradient, rtol=1e-4, atol=1e-5, err_msg=f"{case} {options}")
        np.testing.assert_allclose(two_value, value, rtol=1e-4, err_msg=f"{case} {options}")
    print(f"{len(runs)} losses agree")


if __name__ == "__main__":
    main()
