"""Let TensorFlow Addons 0.23.0 (TensorFlow 2.15.1) compute its values on random and edge inputs, for a parity test.

Run by the interpreter of an environment built from `requirements.txt`:

    python tests/addons/oracle.py oracle.npz

Each case is written as arrays `<case>/y_true`, `<case>/y_pred`, `<case>/batches`, perhaps `<case>/sample_weight`, and
one array `<case>/value/<metric>` per metric, `<metric>` being a JSON list of the class and its arguments.
"""

import json
import sys

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

AVERAGES = (None, "micro", "macro", "weighted")
WEIGHTAGES = (None, "linear", "quadratic")


def softmax(logits):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return (p / p.sum(-1, keepdims=True)).astype("float32")


def one_hot(classes, k):
    return np.eye(k, dtype="float32")[classes]


def multi_class_cases(rng):
    """name -> (labels, predictions, batch sizes, sample weights or None)"""
    for k in (2, 3, 5):
        y = np.concatenate([np.arange(k), rng.choice(k, 60 - k, p=softmax(-np.arange(k) * 1.0))])
        p = softmax(rng.normal(size=(60, k)) + 1.5 * one_hot(y, k))
        yield f"random_{k}", (y, p, (60,), None)
        yield f"streamed_{k}", (y, p, (7, 32, 1, 20), None)
        yield f"single_{k}", (y[:20], p[:20], (1,) * 20, None)
        yield f"weighted_{k}", (y, p, (25, 35), rng.uniform(0.1, 3, 60).astype("float32"))
        yield f"perfect_{k}", (y, softmax(9 * one_hot(y, k)), (60,), None)
        yield f"all_wrong_{k}", (y, softmax(9 * one_hot((y + 1) % k, k)), (60,), None)
        yield f"constant_{k}", (y, softmax(9 * one_hot(np.zeros_like(y), k)), (60,), None)
    some = y != 2
    yield "missing_class_5", (y[some], p[some], (int(some.sum()),), None)
    only = softmax(np.where(np.arange(5) == 2, -9.0, np.log(p)))
    yield "missing_and_never_predicted_5", (y[some], only[some], (int(some.sum()),), None)
    yield "one_class_right_3", (np.zeros(12, int), softmax(9 * one_hot(np.zeros(12, int), 3)), (12,), None)


def stream(metric, y_true, y_pred, batches, weight):
    start = 0
    for size in batches:
        part = slice(start, start + size)
        if weight is None:
            metric.update_state(y_true[part], y_pred[part])
        else:
            metric.update_state(y_true[part], y_pred[part], sample_weight=weight[part])
        start += size
    return np.asarray(metric.result())


def add(arrays, case, y_true, y_pred, batches, weight, metrics):
    arrays[f"{case}/y_true"], arrays[f"{case}/y_pred"] = y_true, y_pred
    arrays[f"{case}/batches"] = np.array(batches)
    if weight is not None:
        arrays[f"{case}/sample_weight"] = weight
    for name, arguments in metrics:
        metric = getattr(tfa.metrics, name)(**arguments)
        value = stream(metric, y_true, y_pred, batches, weight)
        arrays[f"{case}/value/{json.dumps([name, arguments])}"] = value


def classification(arrays, rng):
    for case, (y, p, batches, weight) in multi_class_cases(rng):
        k = p.shape[-1]
        metrics = [("F1Score", {"num_classes": k, "average": a, "threshold": t}) for a in AVERAGES for t in (None, 0.4)]
        metrics.append(("MatthewsCorrelationCoefficient", {"num_classes": k}))
        if k > 2:
            metrics += [("CohenKappa", {"num_classes": k, "weightage": w}) for w in WEIGHTAGES]
        add(arrays, f"one_hot/{case}", one_hot(y, k), p, batches, weight, metrics)
        if k > 2:
            sparse = [("CohenKappa", {"num_classes": k, "weightage": w, "sparse_labels": True}) for w in WEIGHTAGES]
            add(arrays, f"sparse/{case}", y, p, batches, weight, sparse)
            add(arrays, f"indices/{case}", y, p.argmax(-1), batches, weight, sparse)
            grades = np.clip(y + rng.normal(size=len(y)) * 0.8, 0, k - 1).astype("float32")[:, None]
            regression = [(name, {**arguments, "regression": True}) for name, arguments in sparse]
            add(arrays, f"grades/{case}", y, grades, batches, weight, regression)
        else:
            binary = [("CohenKappa", {"num_classes": 2, "weightage": w}) for w in WEIGHTAGES]
            add(arrays, f"vector/{case}", y, p[:, 1], batches, weight, binary)
            add(arrays, f"sigmoid/{case}", y[:, None], p[:, 1:], batches, weight, binary)
            positive = [("F1Score", {"num_classes": 1, "average": a, "threshold": 0.5}) for a in AVERAGES]
            add(arrays, f"positive/{case}", y[:, None].astype("float32"), p[:, 1:], batches, weight, positive)


def multi_label(arrays, rng):
    marks = rng.integers(0, 2, (60, 4)).astype("float32")
    p = rng.random((60, 4)).astype("float32")
    metrics = [("F1Score", {"num_classes": 4, "average": a, "threshold": 0.5}) for a in AVERAGES]
    add(arrays, "multi_label/random_4", marks, p, (7, 53), None, metrics)
    weight = rng.uniform(0.1, 3, 60).astype("float32")
    for average in (None, "macro", "weighted"):
        metrics = [("F1Score", {"num_classes": 4, "average": average, "threshold": 0.5})]
        add(arrays, f"multi_label/weighted_{average}", marks, p, (7, 53), weight, metrics)


def large_counts(arrays):
    """As many true positives, false positives and false negatives, few among forty million true negatives."""
    y, predicted = np.array([1, 0, 1, 0]), np.array([1, 1, 0, 0])
    metrics = [("MatthewsCorrelationCoefficient", {"num_classes": 2})]
    for few in (20, 30, 50, 70, 110):
        weight = np.array([few, few, few, 4e7 - 3 * few], "float32")
        add(arrays, f"large/{few}", one_hot(y, 2), one_hot(predicted, 2), (4,), weight, metrics)


def ties(arrays):
    """Several largest probabilities in a row, and a row of zeros."""
    y = one_hot(np.array([0, 1, 2, 1, 0, 2]), 3)
    p = np.array([[4, 4, 2], [3, 3, 3], [0, 5, 5], [1, 8, 1], [0, 0, 0], [1, 1, 8]], "float32") / 10
    add(arrays, "ties/3", y, p, (6,), None, [("F1Score", {"num_classes": 3, "average": None})])


def focal(arrays, rng):
    y = rng.integers(0, 2, (200, 1)).astype("float32")
    logits = np.concatenate([rng.normal(size=(180, 1)) * 3, np.linspace(-30, 30, 20)[:, None]]).astype("float32")
    loss = tfa.losses.SigmoidFocalCrossEntropy(from_logits=True)
    arrays["focal/y_true"], arrays["focal/logits"] = y, logits
    arrays["focal/from_logits"] = np.asarray(loss(y, logits))
    p = np.asarray(tf.sigmoid(logits))
    arrays["focal/probabilities"] = p
    arrays["focal/from_probabilities"] = np.asarray(tfa.losses.SigmoidFocalCrossEntropy()(y, p))


def main(path):
    rng = np.random.default_rng(2024)
    arrays = {"versions": np.array([tf.__version__, tfa.__version__])}
    classification(arrays, rng)
    multi_label(arrays, rng)
    large_counts(arrays)
    ties(arrays)
    focal(arrays, rng)
    np.savez(path, **arrays)
    print(f"{path}: {sum('/value/' in name for name in arrays)} values of TensorFlow Addons {tfa.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
