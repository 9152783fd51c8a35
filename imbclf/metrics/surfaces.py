"""Distances between the surfaces of a true and a predicted structure, in millimetres."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import KDTree

from imbclf.errors import InputError

# A distance transform passes over every voxel of the box, a search tree over every surface voxel, at about this many
# times the cost. Stray voxels far away make the box large and leave the surfaces small.
TREE_COST = 20
# So that rounding does not decide whether a distance is within a tolerance.
SLACK = 1e-9


@dataclass(frozen=True)
class SurfaceDistances:
    """The distances between two surfaces, from which every score below follows.

    Both structures empty: the distances are 0 and the normalized surface distance is 1. Exactly one empty: the
    distances are infinite and the normalized surface distance is 0.

    Attributes:
        from_true: distance of each surface voxel of `y_true` to the nearest one of `y_pred`, mm; infinite without one.
        from_pred: distance of each surface voxel of `y_pred` to the nearest one of `y_true`, mm; infinite without one.
    """

    from_true: np.ndarray
    from_pred: np.ndarray

    @property
    def hausdorff(self):
        """Largest distance from either surface to the other, in mm; a single stray voxel decides it."""
        return float(max(self.from_true.max(initial=0), self.from_pred.max(initial=0)))

    @property
    def hausdorff95(self):
        """The larger of the two directed 95th percentiles, in mm.

        The alternative in use is one percentile over both directions pooled, in which a large surface that is near
        hides a small one that is far. Percentiles are interpolated linearly.
        """
        return float(max(_percentile95(self.from_true), _percentile95(self.from_pred)))

    @property
    def average_surface_distance(self):
        """Mean distance over the voxels of both surfaces, in mm; the larger surface has the larger say."""
        count = len(self.from_true) + len(self.from_pred)
        return float((self.from_true.sum() + self.from_pred.sum()) / count) if count else 0.0

    def normalized_surface_distance(self, tolerance):
        """Share of the voxels of both surfaces that lie within `tolerance` mm of the other surface, in [0, 1]."""
        if not tolerance >= 0:
            raise InputError(f"tolerance must be a distance in mm of 0 or more; received {tolerance!r}.")
        count = len(self.from_true) + len(self.from_pred)
        if not count:
            return 1.0
        # An infinite tolerance still does not make up for a structure that is not there.
        limit = min(tolerance * (1 + SLACK) + SLACK, np.finfo(float).max)
        near = np.count_nonzero(self.from_true <= limit) + np.count_nonzero(self.from_pred <= limit)
        return float(near / count)


def surface_distances(y_true, y_pred, spacing=None):
    """Distances between the surfaces of one structure in the truth and in the prediction, computed once for all scores.

    The surface of a structure is its voxels with a face neighbour (4 in 2D, 6 in 3D) that is outside it; beyond the
    border of the image counts as outside. Distances are Euclidean between voxel centres, exact.

    Args:
        y_true, y_pred: boolean or 0 / 1 arrays of one shape, 2D or 3D: one structure, without batch and class axes.
        spacing: size of a voxel along each axis in mm, 1 each without it.

    Returns:
        `SurfaceDistances`.

    Raises:
        InputError: shapes that differ or are not 2D or 3D, values other than 0 and 1, a spacing of another length or
            not positive.

    Example:

    >>> y_true, y_pred = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    >>> y_true[2:5, 2:5], y_pred[2:5, 4:7] = True, True
    >>> distances = surface_distances(y_true, y_pred, spacing=(1.0, 0.5))
    >>> distances.hausdorff, distances.average_surface_distance, distances.normalized_surface_distance(0.5)
    (1.0, 0.5, 0.625)
    """
    y_true, y_pred = _structure(y_true, "y_true"), _structure(y_pred, "y_pred")
    if y_true.shape != y_pred.shape:
        raise InputError(
            f"y_true and y_pred must be of one shape; received y_true {y_true.shape} and y_pred {y_pred.shape}."
        )
    spacing = _spacing(spacing, y_true.ndim)
    # Outside the box of both structures there is neither a surface nor a nearer way to one.
    box = _bounding_box(y_true | y_pred)
    true_surface, pred_surface = surface(y_true[box]), surface(y_pred[box])
    return SurfaceDistances(
        _nearest(true_surface, pred_surface, spacing), _nearest(pred_surface, true_surface, spacing)
    )


def hausdorff(y_true, y_pred, spacing=None):
    r"""Hausdorff distance (Huttenlocher et al. 1993) in mm: the largest distance from either surface to the other.

    $$\max\left(\max_{t \in \partial T} d(t, \partial P), \max_{p \in \partial P} d(p, \partial T)\right)$$

    0 where both structures are empty, infinite where exactly one is. Arguments and errors as `surface_distances`.

    Example:

    >>> hausdorff(np.eye(4, k=0) > 0, np.eye(4, k=1) > 0)
    1.0
    """
    return surface_distances(y_true, y_pred, spacing).hausdorff


def hausdorff95(y_true, y_pred, spacing=None):
    """The larger of the two directed 95th percentiles of the surface distances, in mm; few stray voxels do not matter.

    The alternative in use is one percentile over both directions pooled, in which a large surface that is near hides a
    small one that is far. 0 where both structures are empty, infinite where exactly one is. Arguments and errors as
    `surface_distances`.

    Example:

    >>> y_true = np.zeros((9, 9), bool)
    >>> y_true[1:8, 1:8] = True
    >>> y_pred = y_true.copy()
    >>> y_pred[0, 0] = True
    >>> hausdorff(y_true, y_pred), hausdorff95(y_true, y_pred)
    (1.4142, 0.0)
    """
    return surface_distances(y_true, y_pred, spacing).hausdorff95


def average_surface_distance(y_true, y_pred, spacing=None):
    r"""Average symmetric surface distance in mm: the mean over the voxels of both surfaces.

    $$\frac{\sum_{t \in \partial T} d(t, \partial P) + \sum_{p \in \partial P} d(p, \partial T)}
      {|\partial T| + |\partial P|}$$

    0 where both structures are empty, infinite where exactly one is. Arguments and errors as `surface_distances`.

    Example:

    >>> average_surface_distance([[1, 0, 0]], [[0, 0, 1]], spacing=(1, 2.5))
    5.0
    """
    return surface_distances(y_true, y_pred, spacing).average_surface_distance


def normalized_surface_distance(y_true, y_pred, tolerance, spacing=None):
    r"""Share of both surfaces within `tolerance` mm of the other, in [0, 1] (Nikolov et al. 2021, surface Dice).

    $$\frac{|\{t \in \partial T : d(t, \partial P) \le \tau\}| + |\{p \in \partial P : d(p, \partial T) \le \tau\}|}
      {|\partial T| + |\partial P|}$$

    Surfaces are counted in voxels; the original weighs the elements of a mesh by their area. 1 where both structures
    are empty, 0 where exactly one is.

    Args:
        y_true, y_pred, spacing: as in `surface_distances`.
        tolerance: distance in mm that is no error, 0 or more.

    Raises:
        InputError: a negative tolerance, or what `surface_distances` refuses.

    Example:

    >>> normalized_surface_distance([[1, 1, 0, 0]], [[0, 1, 1, 1]], tolerance=1)
    0.8
    """
    return surface_distances(y_true, y_pred, spacing).normalized_surface_distance(tolerance)


def surface(structure):
    """The voxels of a boolean array with a face neighbour outside the structure or beyond the border.

    Example:

    >>> surface(np.ones((3, 4), bool)).astype(int)
    array([[1, 1, 1, 1],
           [1, 0, 0, 1],
           [1, 1, 1, 1]])
    """
    inside = structure.copy()
    for axis in range(structure.ndim):
        inside_view, view = np.moveaxis(inside, axis, 0), np.moveaxis(structure, axis, 0)
        inside_view[1:] &= view[:-1]
        inside_view[:-1] &= view[1:]
        inside_view[:1] = False
        inside_view[-1:] = False
    return structure & ~inside


def _nearest(start, end, spacing):
    """Distance in mm from each voxel of the surface `start` to the nearest one of `end`."""
    start_count, end_count = np.count_nonzero(start), np.count_nonzero(end)
    if not start_count or not end_count:
        return np.full(start_count, np.inf)
    if (start_count + end_count) * TREE_COST < start.size:
        distances, _ = KDTree(np.argwhere(end) * spacing).query(np.argwhere(start) * spacing)
        return distances
    return distance_transform_edt(~end, sampling=spacing)[start]


def _percentile95(distances):
    # Interpolation between infinite values would give NaN.
    return distances.max(initial=0) if np.isinf(distances).any() or not len(distances) else np.percentile(distances, 95)


def _bounding_box(mask):
    axes = range(mask.ndim)
    filled = [np.flatnonzero(mask.any(axis=tuple(other for other in axes if other != axis))) for axis in axes]
    return tuple(slice(places[0], places[-1] + 1) if len(places) else slice(0, 0) for places in filled)


def _structure(values, name):
    values = np.asarray(values)
    if values.ndim not in (2, 3):
        raise InputError(
            f"{name} must be one structure in 2D or 3D, without batch and class axes; received shape {values.shape}."
        )
    if values.dtype != bool:
        wrong = values[(values != 0) & (values != 1)]
        if wrong.size:
            raise InputError(
                f"{name} must be boolean or hold only 0 and 1; received {wrong.ravel()[0].item()!r}: "
                "compare a label map with one class first, as in labels == 2."
            )
    return values.astype(bool)


def _spacing(spacing, ndim):
    if spacing is None:
        return np.ones(ndim)
    values = np.asarray(spacing, dtype=float)
    if values.shape != (ndim,) or not (np.isfinite(values) & (values > 0)).all():
        raise InputError(
            f"spacing must be {ndim} sizes of a voxel in mm, all above 0, one for each axis; received {spacing!r}."
        )
    return values
