"""What a loss wants of the size of a class, whatever its place: label-marginal penalties of two classes."""

import numpy as np
from scipy.special import rel_entr, xlogy

from imbclf.errors import InputError


def marginal_penalties(predicted, true_proportion):
    r"""Label-marginal penalties of an image with a true foreground proportion, as functions of the predicted one.

    With \(\hat p\) predicted and \(\hat y\) true, and \(1 - \hat p\), \(1 - \hat y\) for the background:

    | key | formula | least at |
    |---|---|---|
    | `marginal_l1` | \(\frac12 \sum_k \lvert \hat p_k - \hat y_k \rvert\) | \(\hat y\) |
    | `marginal_kl` | \(\sum_k \hat y_k \log(\hat y_k / \hat p_k)\) | \(\hat y\) |
    | `cross_entropy` | \(-\sum_k \hat y_k \log \hat p_k\), KL and the entropy of \(\hat y\) | \(\hat y\) |
    | `dice_bias` | \(\frac12 \sum_k \log(\hat p_k + \hat y_k)\) | 0; 1 where \(\hat y > 1/2\) |
    | `dice_bias_foreground` | \(\log(\hat p + \hat y)\), rising | 0 |

    `marginal_l1`, `marginal_kl` and `dice_bias` are the losses `imbclf.losses.MarginalL1`, `MarginalKL` and `DiceBias`
    of that image. `cross_entropy` is what is left of cross-entropy when every voxel is given the same probability: its
    hidden bias is the KL divergence. `dice_bias` is hidden in a log-Dice loss over both classes, `dice_bias_foreground`
    in one over the foreground alone, as is usual with two classes. A bias is known up to a constant: compare slopes and
    minima, not values.

    Args:
        predicted: proportions \(\hat p\) in [0, 1], any shape.
        true_proportion: \(\hat y\) in [0, 1]. The two broadcast.

    Returns:
        {key: float64 array}. KL and cross-entropy are infinite where a class that is there is predicted nowhere, the
        Dice biases minus infinite where a class is neither there nor predicted.

    Raises:
        InputError: a proportion outside [0, 1].

    Source: Liu et al. (2021), The Hidden Label-marginal Biases of Segmentation Losses, eq. 1, 4, 17 and 21, figure 2.
    The paper prints the L1 distance and the Dice bias as sums over the classes, which is twice the mean here.

    Example:

    >>> penalties = marginal_penalties([0.0, 0.1, 0.5], true_proportion=0.1)
    >>> penalties["marginal_l1"]
    array([0.1, 0. , 0.4])
    >>> penalties["dice_bias_foreground"].round(2)
    array([-2.3 , -1.61, -0.51])
    """
    predicted, true = _proportions(predicted, "predicted"), _proportions(true_proportion, "true_proportion")
    predicted, true = np.broadcast_arrays(predicted, true)
    p, y = np.stack([1 - predicted, predicted]), np.stack([1 - true, true])
    with np.errstate(divide="ignore"):
        biases = np.log(p + y)
    return {
        "marginal_l1": np.abs(p - y).mean(axis=0),
        "marginal_kl": rel_entr(y, p).sum(axis=0),
        "cross_entropy": -xlogy(y, p).sum(axis=0),
        "dice_bias": biases.mean(axis=0),
        "dice_bias_foreground": biases[1],
    }


def _proportions(values, name):
    values = np.asarray(values, dtype=np.float64)
    inside = (values >= 0) & (values <= 1)
    if not inside.all():
        raise InputError(f"{name} must hold proportions in [0, 1]; received {values[~inside][0].item()!r}.")
    return values
