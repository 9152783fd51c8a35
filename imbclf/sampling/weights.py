"""What each sample weighs, by its class."""

from collections.abc import Mapping

import numpy as np

from imbclf.errors import InputError
from imbclf.sampling.labels import class_indices

SCHEMES = ("inverse", "idf", "sqrt", "effective", "none")


def class_weights(y, scheme="inverse", class_names=None, num_classes=None, beta=0.999):
    r"""Weight of one sample of each class.

    With $N$ samples, $n_c$ of them in class c, and K classes the weights are proportional to

    $$ \text{inverse: } \frac{1}{n_c} \qquad \text{idf: } \log \frac{N}{n_c} \qquad \text{sqrt: } \frac{1}{\sqrt{n_c}}
       \qquad \text{effective: } \frac{1 - \beta}{1 - \beta^{n_c}} \qquad \text{none: } 1 $$

    and scaled so that their mean over the N samples is 1, which leaves the learning rate its meaning. So the weight of
    `"inverse"` is $N / (K n_c)$.

    Args:
        y: Labels of the training samples: whole numbers `(n,)` or `(n, 1)`, or one-hot `(n, K)`.
        scheme: One of the names above; or K numbers; or a mapping from class name or index to a number. Numbers are
            scaled like the rest.
        class_names: The K names, for a mapping and for errors.
        num_classes: K, where the largest label does not tell it.
        beta: Of `"effective"`, in [0, 1): 0 gives equal weights, values towards 1 give `"inverse"`. Cui et al. try 0.9,
            0.99, 0.999 and 0.9999.

    Returns:
        float64 `(K,)`, positive (`"idf"` and given numbers may hold zeros).

    Raises:
        InputError: Labels that are no labels, a class without a sample, an unknown scheme, numbers that are negative,
            not finite, all zero or not K, `"idf"` with a single class, `beta` outside [0, 1).

    Source: `"effective"`: Y. Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, equation
        2.

    Example:

    >>> from imbclf.sampling import class_weights
    >>> class_weights([0, 0, 0, 1])
    array([0.66666667, 2.        ])
    >>> class_weights([0, 0, 0, 1], "sqrt").round(3)
    array([0.845, 1.464])
    """
    y, names = class_indices(y, class_names, num_classes)
    counts = np.bincount(y, minlength=len(names)).astype(np.float64)
    if isinstance(scheme, str):
        weights = _by_name(scheme, counts, beta)
    else:
        weights = _given(scheme, names)
    return weights / (weights @ counts / counts.sum())


def _by_name(scheme, counts, beta):
    if scheme == "inverse":
        return 1 / counts
    if scheme == "idf":
        if len(counts) == 1:
            raise InputError("The scheme idf gives a single class the weight 0: use another scheme, or add classes.")
        return np.log(counts.sum() / counts)
    if scheme == "sqrt":
        return 1 / np.sqrt(counts)
    if scheme == "effective":
        if not 0 <= beta < 1:
            raise InputError(f"beta must lie in [0, 1), but it is {beta!r}.")
        # 1 - beta^n without cancellation for beta close to 1; beta = 0 has the limit 1.
        return np.ones_like(counts) if beta == 0 else (1 - beta) / -np.expm1(counts * np.log(beta))
    if scheme == "none":
        return np.ones_like(counts)
    raise InputError(f"The scheme of class weights must be one of {', '.join(SCHEMES)}, not {scheme!r}.")


def _given(numbers, names):
    if isinstance(numbers, Mapping):
        by_name = {str(name): number for name, number in numbers.items()}
        keys = names if set(by_name) == set(names) else tuple(map(str, range(len(names))))
        if set(by_name) != set(keys):
            raise InputError(
                f"Class weights are given for {', '.join(by_name)}, but the classes are {', '.join(names)}."
            )
        numbers = [by_name[key] for key in keys]
    try:
        weights = np.asarray(numbers, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Class weights must be numbers, not {numbers!r}.") from None
    if weights.shape != (len(names),):
        raise InputError(f"There are {len(names)} classes, but the class weights have shape {weights.shape}.")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise InputError(
            f"Class weights must be finite, not negative and not all zero, but they are {weights.tolist()}."
        )
    return weights
