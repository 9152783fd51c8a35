"""Every loss once more, in float64 NumPy, written from the formulas alone, voxel by voxel and class by class."""

import numpy as np


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def flat(y, p, w, num_classes):
    """Lists over all voxels of the batch: one-hot labels, probabilities, weights."""
    y = np.asarray(y)
    if y.ndim < p.ndim:
        y = np.eye(num_classes)[y]
    w = np.ones(p.shape[:-1]) if w is None else np.asarray(w, dtype="float64")
    w = w.reshape(w.shape + (1,) * (p.ndim - 1 - w.ndim)) * np.ones(p.shape[:-1])
    return y.reshape(-1, num_classes).astype("float64"), p.reshape(-1, num_classes), w.reshape(-1)


def cross_entropy(y, p, w):
    total = 0.0
    for yi, pi, wi in zip(y, p, w):
        total += wi * -sum(a * np.log(b) for a, b in zip(yi, pi) if a > 0)
    return total / len(w)


def focal(y, p, w, gamma=2.0, alpha=None):
    total = 0.0
    for yi, pi, wi in zip(y, p, w):
        q = float((yi * pi).sum())
        ce = -sum(a * np.log(b) for a, b in zip(yi, pi) if a > 0)
        a = 1.0 if alpha is None else float((yi * np.asarray(alpha)).sum())
        total += wi * a * (1 - q) ** gamma * ce
    return total / len(w)


def soft_f1(y, p, w, absent="skip"):
    scores = []
    for k in range(p.shape[1]):
        tp = (w * y[:, k] * p[:, k]).sum()
        fp = (w * (1 - y[:, k]) * p[:, k]).sum()
        fn = (w * y[:, k] * (1 - p[:, k])).sum()
        if (w * y[:, k]).sum() > 0:
            scores.append(1 - 2 * tp / (2 * tp + fp + fn))
        elif absent == "zero":
            scores.append(1.0)
        elif absent == "penalize":
            scores.append((w * p[:, k] ** 2).sum() / w.sum())
    return float(np.mean(scores))


def soft_mcc(y, p, w):
    n = w.sum()
    c = (w[:, None] * y * p).sum() / n
    pk = (w[:, None] * p).sum(axis=0) / n
    tk = (w[:, None] * y).sum(axis=0) / n
    spread = max(1 - (pk**2).sum(), 0) * max(1 - (tk**2).sum(), 0)
    return 1 - (c - (pk * tk).sum()) / np.sqrt(spread + 1e-7)


def ce_plus_f1(y, p, w):
    return cross_entropy(y, p, w) + soft_f1(y, p, w)


def ce_plus_mcc(y, p, w):
    return cross_entropy(y, p, w) + soft_mcc(y, p, w)


def weighted_sum(y, p, w):
    return 0.5 * focal(y, p, w) + 2.0 * soft_f1(y, p, w)
