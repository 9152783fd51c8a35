"""How much of the gradient of a loss comes from the voxels of each class."""

import keras
import numpy as np
from keras import ops

from imbclf.analysis.gradient_of import gradient_of
from imbclf.errors import InputError
from imbclf.samples import one_hot_labels

# A probability of 0 has no logit. Well above the floor of the losses, below which they no longer pull.
SMALLEST = 1e-20


def gradient_mass(loss, y_true, y_pred, sample_weight=None, from_logits=False, only_true_class=False):
    r"""Sum over the voxels of each class of how hard a loss pulls at their logits.

    $$m_c = \sum_i y_{ic} \sum_k \left| \frac{\partial L}{\partial z_{ik}} \right|$$

    The gradient is with respect to the logits \(z\), also for a loss of probabilities: then \(z = \log p\) and
    \(p = \mathrm{softmax}(z)\), since that is what reaches the weights of a network. For cross-entropy it is
    \((p - y) / n\), so a class pulls in proportion to its voxels and to how wrong they are.

    Args:
        loss: a Keras loss, of this package or not, or a function of `(y_true, y_pred)`; it gets probabilities or
            logits, whichever its `from_logits` says (a function gets probabilities). A loss of many values is summed.
            A loss that switches while it trains is left in the state it had.
        y_true: labels in any form the loss takes: integers `(B, *space)` or `(B, *space, 1)`, one-hot or soft labels
            `(B, *space, K)`. With soft labels a voxel counts for its classes in proportion.
        y_pred: probabilities `(B, *space, K)`, or logits with `from_logits=True`; `K = 1` for a sigmoid head, whose one
            logit stands for two classes.
        sample_weight: handed to the loss, or `None`.
        from_logits: whether `y_pred` holds logits, whatever the loss takes.
        only_true_class: whether to look at \(\vert \partial L / \partial z_{ic} \vert\) alone, the pull towards the
            true class.

    Returns:
        float64 `(K,)`, in units of the loss; 0 for a class that is not there. Labels of the loss's `ignore_class` count
        for no class.

    Raises:
        InputError: predictions that are no probabilities, or a sum of losses whose parts take different predictions.
        ValueError: shapes or labels that fit no form above.

    Source: the quantity behind the gradient bias of Qi et al. (2024), Gradient-Aware for Class-Imbalanced
    Semi-supervised Medical Image Segmentation, eq. 2 to 6, there with respect to probabilities.

    Example:

    >>> import imbclf
    >>> from imbclf.analysis import gradient_mass
    >>> y, p = [0, 0, 0, 1], [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5]]
    >>> gradient_mass(imbclf.CrossEntropy(), y, p).round(4)  # 3 x (0.1 + 0.1) / 4 and (0.5 + 0.5) / 4
    array([0.15, 0.25])
    """
    gradient = np.abs(logit_gradient(loss, y_true, y_pred, sample_weight, from_logits))
    labels = _labels(loss, y_true, gradient.shape)
    # The one logit of a sigmoid head stands for both classes.
    pull = labels * (gradient if only_true_class else gradient.sum(axis=-1, keepdims=True))
    return pull.reshape(-1, labels.shape[-1]).sum(axis=0)


def gradient_shares(mass):
    """Masses as shares of their sum, which is 1; NaN where nothing pulls.

    Example:

    >>> gradient_shares([1.0, 3.0])
    array([0.25, 0.75])
    """
    mass = np.asarray(mass, dtype=np.float64)
    total = mass.sum()
    return np.divide(mass, total, out=np.full(mass.shape, np.nan), where=total > 0)


def voxel_shares(loss, y_true, shape):
    """Share of the voxels of predictions of this shape that belong to each class, among those the loss looks at."""
    counts = _labels(loss, y_true, shape).reshape(-1, max(shape[-1], 2)).sum(axis=0)
    return gradient_shares(counts)


def logit_gradient(loss, y_true, y_pred, sample_weight=None, from_logits=False):
    """Derivative of the loss with respect to each logit, float64 of the shape of `y_pred`; see `gradient_mass`."""
    y_pred = np.asarray(ops.convert_to_numpy(y_pred), dtype=np.float64)
    if y_pred.ndim < 2:
        raise InputError(f"y_pred must be (batch, *space, classes); received shape {y_pred.shape}.")
    logits = y_pred if from_logits else _logits(y_pred)
    takes_logits = bool(_option(loss, "from_logits"))

    def total(z):
        predicted = z if takes_logits else ops.softmax(z, axis=-1) if y_pred.shape[-1] > 1 else ops.sigmoid(z)
        weights = () if sample_weight is None else (sample_weight,)
        return ops.sum(loss(y_true, predicted, *weights))

    variables = _variables(loss)
    before = [ops.convert_to_numpy(ops.copy(variable)) for variable in variables]
    gradient = gradient_of(total, logits, dtype="float64" if getattr(loss, "dtype", None) == "float64" else "float32")
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return gradient


def _logits(probabilities):
    wrong = ~((probabilities >= 0) & (probabilities <= 1))
    if wrong.any():
        raise InputError(
            f"y_pred must hold probabilities in [0, 1]; received {probabilities[wrong][0].item()!r}; for logits pass "
            "from_logits=True."
        )
    logits = np.log(np.maximum(probabilities, SMALLEST))
    return logits if probabilities.shape[-1] > 1 else logits - np.log(np.maximum(1 - probabilities, SMALLEST))


def _labels(loss, y_true, shape):
    """One-hot or soft labels `(B, *space, K)`, zeros where the loss ignores the label."""
    labels, valid = one_hot_labels(y_true, shape[:-1], shape[-1], _option(loss, "ignore_class"))
    labels, valid = (np.asarray(ops.convert_to_numpy(x), dtype=np.float64) for x in (labels, valid))
    return np.where(valid[..., None] > 0, labels, 0.0)


def _option(loss, name):
    """An option of a loss, or the one that all parts of a sum share."""
    parts = getattr(loss, "losses", None)
    if parts:
        values = {_option(part, name) for part in parts}
        if len(values) > 1:
            raise InputError(
                f"The parts of {loss.name} must have the same {name}; received {sorted(map(str, values))}: take the "
                "parts one by one."
            )
        return values.pop()
    if hasattr(loss, name):
        return getattr(loss, name)
    return loss.get_config().get(name) if isinstance(loss, keras.losses.Loss) else None


def _variables(loss):
    parts = getattr(loss, "losses", ())
    return [*getattr(loss, "variables", ()), *(variable for part in parts for variable in _variables(part))]
