"""Metrics inside compile, fit, evaluate, save and tf.distribute."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import sklearn.metrics

import imbclf.metrics

K = 3


def every_metric():
    return [
        imbclf.metrics.BalancedAccuracy(K),
        imbclf.metrics.F1(K, average="macro"),
        imbclf.metrics.F1(K, average="macro", threshold=0.4, name="f1_above"),
        imbclf.metrics.DiceScore(K, include_background=False),
        imbclf.metrics.IoU(K),
        imbclf.metrics.MatthewsCorrelationCoefficient(K, name="mcc"),
        imbclf.metrics.CohenKappa(K, weightage="quadratic"),
        imbclf.metrics.MacroAUC(K, capacity=2048),
        imbclf.metrics.ExpectedCalibrationError(K),
    ]


def oracles(y, p):
    return {
        "balanced_accuracy": sklearn.metrics.balanced_accuracy_score(y, p.argmax(-1)),
        "f1_score": sklearn.metrics.f1_score(y, p.argmax(-1), average="macro"),
        "f1_above": sklearn.metrics.f1_score(np.eye(K)[y], p > 0.4, average="macro"),
        "dice_score": sklearn.metrics.f1_score(y, p.argmax(-1), average="macro", labels=range(1, K)),
        "iou": sklearn.metrics.jaccard_score(y, p.argmax(-1), average="macro"),
        "mcc": sklearn.metrics.matthews_corrcoef(y, p.argmax(-1)),
        "cohen_kappa": sklearn.metrics.cohen_kappa_score(y, p.argmax(-1), weights="quadratic"),
        "macro_auc": np.mean([sklearn.metrics.roc_auc_score(y == k, p[:, k]) for k in range(K)]),
    }


def model_and_data(n=64, **compile_arguments):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 5)).astype("float32")
    y = x[:, :K].argmax(-1)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(K, activation="softmax")])
    arguments = {"loss": "sparse_categorical_crossentropy", "metrics": every_metric(), **compile_arguments}
    model.compile(optimizer="sgd", **arguments)
    return model, x, y


def test_fit_and_evaluate_report_the_oracles_values_before_and_after_saving(tmp_path):
    model, x, y = model_and_data()
    history = model.fit(x, y, batch_size=32, epochs=1, validation_data=(x, y), verbose=0).history
    logs = model.evaluate(x, y, batch_size=32, verbose=0, return_dict=True)
    expected = oracles(y, model.predict(x, verbose=0))
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, abs=1e-6), name
        assert history[f"val_{name}"][-1] == pytest.approx(value, abs=1e-6), name
        assert name in history
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(x, y, batch_size=32, verbose=0, return_dict=True) == pytest.approx(logs, abs=1e-6)


def test_evaluate_names_a_missing_class_and_ends_with_numbers():
    metrics = [imbclf.metrics.BalancedAccuracy(K), imbclf.metrics.MacroAUC(K)]
    model, x, y = model_and_data(metrics=metrics)
    some = y != 1
    with pytest.warns(UserWarning, match="no sample of class 1 has been seen") as record:
        logs = model.evaluate(x[some], y[some], batch_size=16, verbose=0, return_dict=True)
    assert sum("no sample of class" in str(w.message) for w in record) == len(metrics)
    assert np.isfinite(list(logs.values())).all()


def test_sample_weights_reach_weighted_metrics():
    metric = imbclf.metrics.BalancedAccuracy(K)
    model, x, y = model_and_data(metrics=[], weighted_metrics=[metric])
    w = np.random.default_rng(1).uniform(0, 2, len(y)).astype("float32")
    logs = model.evaluate(x, y, sample_weight=w, verbose=0, return_dict=True)
    prediction = model.predict(x, verbose=0).argmax(-1)
    expected = sklearn.metrics.balanced_accuracy_score(y, prediction, sample_weight=w)
    assert logs["balanced_accuracy"] == pytest.approx(expected, abs=1e-6)


def test_padding_that_a_masking_layer_hides_is_not_counted():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 6, 4)).astype("float32")
    keep = rng.random((12, 6)) < 0.7
    x[~keep] = 0
    y = rng.integers(0, K, (12, 6))
    model = keras.Sequential([keras.Input((6, 4)), keras.layers.Masking(), keras.layers.Dense(K, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=[imbclf.metrics.BalancedAccuracy(K)])
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    expected = sklearn.metrics.balanced_accuracy_score(y[keep], p[keep].argmax(-1))
    assert logs["balanced_accuracy"] == pytest.approx(expected, abs=1e-6)


MIRRORED = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import tensorflow as tf
from test_training import model_and_data, oracles

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model, x, y = model_and_data(70)
assert strategy.num_replicas_in_sync == 2
for _ in range(2):
    logs = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
for name, value in oracles(y, model.predict(x, batch_size=70, verbose=0)).items():
    np.testing.assert_allclose(logs[name], value, atol=1e-6, err_msg=name)
print("agree")
"""


if keras.backend.backend() == "tensorflow":

    def test_two_replicas_equal_one_device():
        here = __file__.rpartition("/")[0]
        done = subprocess.run([sys.executable, "-c", MIRRORED, here], capture_output=True, text=True, check=False)
        assert done.stdout.strip().endswith("agree"), done.stderr[-2000:]
