"""Every loss once more, in float64 NumPy, written from the formulas alone.

Each takes labels `(B, N, K)`, probabilities `(B, N, K)` and weights `(B, N)`. What a loss sums over a whole batch is
flattened by `of_batch`; what it computes image by image is by `of_images`.
"""

from functools import wraps

import numpy as np


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def images(y, p, w, num_classes):
    """One-hot labels `(B, N, K)`, probabilities `(B, N, K)` and weights `(B, N)` of a batch of any rank."""
    y = np.asarray(y)
    if y.ndim < p.ndim:
        y = np.eye(num_classes)[y]
    w = np.ones(p.shape[:-1]) if w is None else np.asarray(w, dtype="float64")
    w = w.reshape(w.shape + (1,) * (p.ndim - 1 - w.ndim)) * np.ones(p.shape[:-1])
    batch = p.shape[0]
    return (
        y.reshape(batch, -1, num_classes).astype("float64"),
        np.asarray(p, dtype="float64").reshape(batch, -1, num_classes),
        w.reshape(batch, -1),
    )


def of_batch(oracle):
    @wraps(oracle)
    def flattened(y, p, w, **options):
        return oracle(y.reshape(-1, y.shape[-1]), p.reshape(-1, p.shape[-1]), w.reshape(-1), **options)

    return flattened


def of_images(oracle):
    """The mean over images, each weighing what its voxels weigh on average."""

    @wraps(oracle)
    def averaged(y, p, w, **options):
        values = np.array([oracle(*image, **options) for image in zip(y, p, w, strict=True)])
        return float(np.average(values, weights=w.mean(axis=1)))

    return averaged


def plogq(y, p):
    """-y log p, 0 where y is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(y > 0, -y * np.log(p), 0.0)


def costs(y, p):
    return plogq(y, p).sum(axis=-1)


def mean(values):
    """Mean of what is there, 0 of nothing."""
    return float(np.mean(values)) if len(values) else 0.0


@of_batch
def cross_entropy(y, p, w):
    return float((w * costs(y, p)).sum() / len(w))


@of_batch
def focal(y, p, w, gamma=2.0):
    q = (y * p).sum(axis=-1)
    return float((w * (1 - q) ** gamma * costs(y, p)).sum() / len(w))


def worst(values, w, mass):
    """Weights that stay when the costliest voxels are taken, one after the other, until they weigh `mass`."""
    order = np.argsort(-values, kind="stable")
    before = np.cumsum(w[order]) - w[order]
    kept = np.zeros(len(w))
    kept[order] = np.clip(mass - before, 0, w[order])
    return kept


@of_batch
def top_k(y, p, w, k):
    kept = worst(costs(y, p), w, max(1, np.floor(k * w.sum())))
    return float((kept * costs(y, p)).sum() / (kept / w).sum())


@of_batch
def top_k_threshold(y, p, w, t=0.7):
    hard = (y * p).sum(axis=-1) < t
    return float((w * costs(y, p))[hard].sum() / hard.sum()) if hard.any() else 0.0


def overlap(w, y, p, of_counts, absent="skip", squared=False):
    """Mean over classes of a loss of (tp, predicted, actual), in which absent classes follow the policy."""
    losses = []
    for k in range(p.shape[-1]):
        yk, pk = y[:, k], p[:, k]
        power = 2 if squared else 1
        if (w * yk).sum() > 0:
            losses.append(of_counts((w * yk * pk).sum(), (w * pk**power).sum(), (w * yk**power).sum()))
        elif absent == "zero":
            losses.append(1.0)
        elif absent == "penalize":
            losses.append((w * pk**2).sum() / w.sum())
    return float(np.mean(losses))


@of_batch
def soft_f1(y, p, w, absent="skip"):
    return overlap(w, y, p, lambda tp, pred, true: 1 - 2 * tp / (2 * tp + (pred - tp) + (true - tp)), absent)


@of_batch
def dice(y, p, w, absent="skip", squared=False):
    return overlap(w, y, p, lambda tp, pred, true: 1 - 2 * tp / (pred + true), absent, squared)


@of_batch
def log_dice(y, p, w):
    return overlap(w, y, p, lambda tp, pred, true: -np.log(2 * tp / (pred + true)))


@of_batch
def generalized_dice(y, p, w):
    above = below = 0.0
    for k in range(p.shape[-1]):
        size = (w * y[:, k]).sum()
        if size > 0:
            above += 2 * (w * y[:, k] * p[:, k]).sum() / size**2
            below += ((w * p[:, k]).sum() + size) / size**2
    return 1 - above / below


@of_batch
def tversky(y, p, w, alpha=0.3, beta=0.7, exponent=1.0):
    def error(tp, pred, true):
        return (1 - tp / (tp + alpha * (pred - tp) + beta * (true - tp))) ** exponent

    return overlap(w, y, p, error)


def focal_tversky(y, p, w):
    return tversky(y, p, w, exponent=3 / 4)


@of_batch
def soft_mcc(y, p, w):
    n = w.sum()
    c = (w[:, None] * y * p).sum() / n
    pk = (w[:, None] * p).sum(axis=0) / n
    tk = (w[:, None] * y).sum(axis=0) / n
    spread = max(1 - (pk**2).sum(), 0) * max(1 - (tk**2).sum(), 0)
    return 1 - (c - (pk * tk).sum()) / np.sqrt(spread + 1e-7)


def proportions(y, p, w, temperature):
    with np.errstate(divide="ignore"):
        sharp = softmax(temperature * np.maximum(np.log(p), -1e4))
    return (w[:, None] * sharp).sum(axis=0) / w.sum(), (w[:, None] * y).sum(axis=0) / w.sum()


@of_images
def marginal_l1(y, p, w, temperature=10.0):
    predicted, actual = proportions(y, p, w, temperature)
    return np.abs(predicted - actual).mean()


@of_images
def marginal_kl(y, p, w, temperature=10.0):
    predicted, actual = proportions(y, p, w, temperature)
    return sum(a * np.log(a / b) for a, b in zip(actual, predicted, strict=True) if a > 0)


@of_images
def dice_bias(y, p, w, temperature=10.0):
    predicted, actual = proportions(y, p, w, temperature)
    return np.log(predicted + actual + 1e-10).mean()


@of_images
def inter_class_balance(y, p, w):
    total = w.sum()
    loss = 0.0
    for k in range(y.shape[-1]):
        weights, cost = w * y[:, k], plogq(np.ones(len(w)), p[:, k])
        size = weights.sum()
        here = weights > 0
        weights, cost = weights[here], cost[here]
        if size == 0:
            continue
        if size <= total / 2:
            loss += (weights * cost).sum() / size
            continue
        others = total - size
        kept = worst(cost, weights, others) if others > 1e-9 else np.zeros(len(cost))
        loss += ((kept * cost).sum() / others if others > 1e-9 else 0.0) + ((weights - kept) * cost).sum() / total
    return loss


@of_images
def intra_class_balance(y, p, w, t=0.9):
    loss = 0.0
    for k in range(y.shape[-1]):
        weights = w * y[:, k]
        for chosen in (weights * (p[:, k] <= t), weights * (p[:, k] > t)):
            there = chosen > 0
            if there.any():
                loss += (chosen[there] * -np.log(p[there, k])).sum() / chosen.sum()
    return loss


def balance(y, p, w, alpha=0.5):
    """The second stage."""
    return alpha * intra_class_balance(y, p, w) + (1 - alpha) * inter_class_balance(y, p, w)


def readiness(y, p, w, t=0.9):
    """Mean over images with foreground: share of easy foreground x what hard background leaves of the foreground."""
    values = []
    for yi, pi, wi in zip(y, p, w, strict=True):
        q, foreground, background = (yi * pi).sum(-1), wi * (1 - yi[:, 0]), wi * yi[:, 0]
        if foreground.sum() > 0:
            easy = foreground[q >= t].sum() / foreground.sum()
            values.append(easy * max(0.0, 1 - background[q < t].sum() / foreground.sum()))
    return mean(values)


def fading_balance(y, p, w):
    share = 0.5 * readiness(y, p, w)
    return (1 - share) * intra_class_balance(y, p, w) + share * inter_class_balance(y, p, w)


def gradient_aware_dice(y, p, w):
    return dice(y, p, w, absent="penalize", squared=True)


@of_batch
def gradient_aware_ce(y, p, w, k=0.1, gamma=0.5):
    kept = worst(costs(y, p), w, max(1, np.floor(k * w.sum())))
    loss = 0.0
    for c in range(y.shape[-1]):
        size = (kept * y[:, c]).sum()
        if size > 0:
            loss += (size / kept.sum()) ** gamma * (kept * plogq(y[:, c], p[:, c])).sum() / size
    return loss


def gradient_aware(y, p, w):
    return gradient_aware_dice(y, p, w) + gradient_aware_ce(y, p, w)


@of_batch
def two_sided_ce(y, p, w, beta=0.5):
    others = np.stack([np.delete(p, k, axis=-1).sum(axis=-1) for k in range(p.shape[-1])], axis=-1)
    return float((w[:, None] * (beta * plogq(y, p) + (1 - beta) * plogq(1 - y, others))).mean(axis=-1).sum() / len(w))


def combo(y, p, w, alpha=0.5, beta=0.5):
    return alpha * two_sided_ce(y, p, w, beta=beta) + (1 - alpha) * dice(y, p, w)


@of_batch
def modified_focal(y, p, w, delta=0.6, gamma=0.5, asymmetric=True):
    others = np.stack([np.delete(p, k, axis=-1).sum(axis=-1) for k in range(p.shape[-1])], axis=-1)
    total = 0.0
    for k in range(p.shape[-1]):
        price = 1 - delta if k == 0 else delta
        focus = others[:, k] ** gamma if k == 0 or not asymmetric else 1.0
        total += (w * price * focus * plogq(y[:, k], p[:, k])).sum()
    return total / len(w)


@of_batch
def modified_focal_tversky(y, p, w, delta=0.6, gamma=0.5, asymmetric=True):
    losses = []
    for k in range(p.shape[-1]):
        tp, fp, fn = (
            (w * a * b).sum() for a, b in zip((y[:, k], 1 - y[:, k], y[:, k]), (p[:, k], p[:, k], 1 - p[:, k]))
        )
        if (w * y[:, k]).sum() > 0:
            error = 1 - tp / (tp + delta * fn + (1 - delta) * fp)
            losses.append(error if k == 0 and asymmetric else max(error, 0) ** (1 - gamma))
    return float(np.mean(losses))


def unified_focal(y, p, w, asymmetric=True):
    return 0.5 * (
        modified_focal(y, p, w, asymmetric=asymmetric) + modified_focal_tversky(y, p, w, asymmetric=asymmetric)
    )


def sum_of(*parts):
    """The oracle of a weighted sum: pairs of weight and oracle."""
    return lambda y, p, w: sum(weight * oracle(y, p, w) for weight, oracle in parts)
