"""False positives and negatives as a loss sums them and as a test counts them, and why imbalance drives them apart."""

from dataclasses import dataclass

import numpy as np

from imbclf.errors import InputError


@dataclass(frozen=True)
class SoftHardErrors:
    r"""Soft and hard errors of each class against the rest; every field but `threshold` is float64 `(K,)`.

    With the threshold \(t\), \(f\) foreground voxels (of the class) and \(b\) background voxels (of any other):

    $$FP_{soft} = \underbrace{e_{bg}^{>t} FP_{hard}}_{main} + \underbrace{e_{bg}^{\le t} (b - FP_{hard})}_{bias}, \qquad
      FN_{soft} = \underbrace{e_{fg}^{\le t} FN_{hard}}_{main} + \underbrace{e_{fg}^{>t} (f - FN_{hard})}_{bias}$$

    The main terms come from voxels on the wrong side of the threshold. The bias terms come from voxels that a test
    counts as right, and grow with the number of such voxels: with the imbalance, not with the mistakes.

    Attributes:
        threshold: \(t\).
        hard_false_positives: background voxels with \(p > t\); with weights, the sum of theirs.
        hard_true_negatives: background voxels with \(p \le t\).
        hard_false_negatives: foreground voxels with \(p \le t\).
        hard_true_positives: foreground voxels with \(p > t\).
        main_false_positives: sum of \(p\) over the hard false positives.
        bias_false_positives: sum of \(p\) over the hard true negatives.
        main_false_negatives: sum of \(1 - p\) over the hard false negatives.
        bias_false_negatives: sum of \(1 - p\) over the hard true positives.

    Source: Xu et al. (2025), eq. 4 to 7; appendix, eq. 1 to 10.
    """

    threshold: float
    hard_false_positives: np.ndarray
    hard_true_negatives: np.ndarray
    hard_false_negatives: np.ndarray
    hard_true_positives: np.ndarray
    main_false_positives: np.ndarray
    bias_false_positives: np.ndarray
    main_false_negatives: np.ndarray
    bias_false_negatives: np.ndarray

    @property
    def background(self):
        """b, the voxels of other classes."""
        return self.hard_false_positives + self.hard_true_negatives

    @property
    def foreground(self):
        """f, the voxels of the class."""
        return self.hard_false_negatives + self.hard_true_positives

    @property
    def soft_false_positives(self):
        """Sum of p over the background."""
        return self.main_false_positives + self.bias_false_positives

    @property
    def soft_false_negatives(self):
        """Sum of 1 - p over the foreground."""
        return self.main_false_negatives + self.bias_false_negatives

    @property
    def difference(self):
        """Soft false positives minus soft false negatives."""
        return self.soft_false_positives - self.soft_false_negatives

    @property
    def bias_difference(self):
        """Bias of the false positives minus bias of the false negatives: the part that no hard error explains."""
        return self.bias_false_positives - self.bias_false_negatives

    @property
    def background_error_above(self):
        """e_bg^{>t}, in (t, 1]: mean error of the hard false positives; NaN where there are none."""
        return _rate(self.main_false_positives, self.hard_false_positives)

    @property
    def background_error_below(self):
        """e_bg^{<=t}, in [0, t]: mean error of the background on the right side; NaN where there is none."""
        return _rate(self.bias_false_positives, self.hard_true_negatives)

    @property
    def foreground_error_below(self):
        """e_fg^{<=t}, in [1 - t, 1]: mean error of the hard false negatives; NaN where there are none."""
        return _rate(self.main_false_negatives, self.hard_false_negatives)

    @property
    def foreground_error_above(self):
        """e_fg^{>t}, in [0, 1 - t): mean error of the foreground on the right side; NaN where there is none."""
        return _rate(self.bias_false_negatives, self.hard_true_positives)


def soft_and_hard_errors(y_true, y_pred, threshold=0.5, sample_weight=None, ignore_class=None):
    r"""Soft and hard false positives and negatives of each class against the rest.

    A voxel is called foreground where \(p > t\), so a hard false negative is a foreground voxel with \(p \le t\). For
    \(t = 0.5\) this is the paper's \(1 - p \ge t\); for another threshold the paper's sign would count voxels that were
    found. With three or more classes a voxel may pass the threshold in no class.

    Args:
        y_true: whole numbers `(*)` or `(*, 1)`.
        y_pred: probabilities `(*, K)`, or of the foreground `(*)` or `(*, 1)` with labels 0 and 1; then K = 1 and the
            one class is the foreground.
        threshold: \(t\), in (0, 1).
        sample_weight: `(B,)` for the first axis or `(*)`, not negative, or `None`.
        ignore_class: label that does not count, inside or outside the classes, or `None`.

    Returns:
        `SoftHardErrors`.

    Raises:
        InputError: shapes that do not fit, labels outside the classes, predictions outside [0, 1], negative weights.

    Source: Xu et al. (2025), A Unified Loss for Handling Inter-Class and Intra-Class Imbalance in Medical Image
    Segmentation, eq. 4 to 10, and its appendix, eq. 1 to 10.

    Example:

    >>> from imbclf.analysis import soft_and_hard_errors
    >>> errors = soft_and_hard_errors([0, 0, 0, 0, 1, 1], [0.1, 0.1, 0.1, 0.9, 0.9, 0.1])
    >>> errors.hard_false_positives, errors.hard_false_negatives  # as many of one as of the other,
    (array([1.]), array([1.]))
    >>> errors.soft_false_positives, errors.soft_false_negatives  # but 0.1 * (4 - 2) more in the sums
    (array([1.2]), array([1.]))
    """
    if not 0 < threshold < 1:
        raise InputError(f"threshold must lie between 0 and 1; received {threshold!r}.")
    classes, probabilities = _classes_and_probabilities(y_true, y_pred, ignore_class)
    weights = _weights(sample_weight, classes.shape) * (True if ignore_class is None else classes != ignore_class)
    classes, weights = classes.ravel(), weights.ravel()
    probabilities = probabilities.reshape(len(classes), -1)
    names = range(probabilities.shape[1]) if probabilities.shape[1] > 1 else (1,)
    columns = [_one_class(classes == k, p, weights, threshold) for k, p in zip(names, probabilities.T, strict=True)]
    return SoftHardErrors(float(threshold), *np.array(columns).T)


def constant_confidence_bias(confidence, background, foreground):
    r"""Soft false positives minus soft false negatives of a model that is equally sure of every voxel.

    $$FP_{soft} - FN_{soft} = (1 - p)(b - f)$$

    for a model that gives probability \(p\) to the class it chooses at every voxel and makes as many hard false
    positives as false negatives. It depends on the difference between the classes, not on their ratio.

    Args:
        confidence: \(p\), in [0.5, 1].
        background: \(b\), voxels.
        foreground: \(f\), voxels. All three broadcast.

    Returns:
        Voxels, float64; negative where the foreground is the larger class.

    Source: Xu et al. (2025), eq. 10.

    Example:

    >>> float(constant_confidence_bias(0.9, background=950, foreground=50))
    90.0
    """
    confidence, background, foreground = (np.asarray(x, dtype=float) for x in (confidence, background, foreground))
    return (1 - confidence) * (background - foreground)


def _one_class(foreground, p, weights, threshold):
    called = p > threshold
    false_positives, true_negatives = weights * (called & ~foreground), weights * (~called & ~foreground)
    false_negatives, true_positives = weights * (~called & foreground), weights * (called & foreground)
    counts = [group.sum() for group in (false_positives, true_negatives, false_negatives, true_positives)]
    sums = [group @ p for group in (false_positives, true_negatives)]
    return counts + sums + [group @ (1 - p) for group in (false_negatives, true_positives)]


def _classes_and_probabilities(y_true, y_pred, ignore_class):
    classes, probabilities = np.asarray(y_true), np.asarray(y_pred, dtype=np.float64)
    if classes.shape[-1:] == (1,) and classes.ndim == probabilities.ndim and classes.shape != probabilities.shape:
        classes = classes[..., 0]
    if probabilities.shape == classes.shape:
        probabilities = probabilities[..., None]
    if probabilities.shape[:-1] != classes.shape or classes.size == 0:
        raise InputError(
            f"y_true of shape {np.shape(y_true)} does not fit y_pred of shape {np.shape(y_pred)}: expected labels (*) "
            "and probabilities (*, K), or a foreground probability (*), of at least one voxel."
        )
    num_classes = max(probabilities.shape[-1], 2)
    counts = np.ones(classes.shape, bool) if ignore_class is None else classes != ignore_class
    outside = counts & ~np.isin(classes, np.arange(num_classes))
    if outside.any():
        raise InputError(f"y_true must hold labels 0..{num_classes - 1}; received {classes[outside][0].item()!r}.")
    # Where a voxel does not count, its prediction must not reach a sum even as 0 x NaN.
    probabilities = np.where(counts[..., None], probabilities, 0.0)
    wrong = ~((probabilities >= 0) & (probabilities <= 1))
    if wrong.any():
        raise InputError(
            f"y_pred must hold probabilities in [0, 1], not logits; received {probabilities[wrong][0].item()!r}."
        )
    return classes, probabilities


def _weights(sample_weight, shape):
    if sample_weight is None:
        return np.ones(shape)
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape not in (shape, shape[:1]):
        raise InputError(f"sample_weight must be {shape[:1]} or {shape}; received shape {weights.shape}.")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError("sample_weight must be finite and not negative.")
    return np.broadcast_to(weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim)), shape)


def _rate(total, count):
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
