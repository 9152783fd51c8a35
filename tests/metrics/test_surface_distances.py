"""Surface distances against brute force over all pairs of surface voxels, and SciPy's directed Hausdorff distance."""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, gaussian_filter, generate_binary_structure
from scipy.spatial.distance import cdist, directed_hausdorff

from imbclf.errors import InputError
from imbclf.metrics import (
    average_surface_distance,
    hausdorff,
    hausdorff95,
    normalized_surface_distance,
    surface_distances,
)

DISTANCES = (hausdorff, hausdorff95, average_surface_distance)
SPACINGS = {2: (0.7, 3.0), 3: (1.0, 0.5, 4.0)}
TOLERANCE = 1.2


def blobs(ndim, seed):
    """Two boolean arrays of a few overlapping lumps."""
    shape = (31, 24) if ndim == 2 else (14, 11, 9)
    rng = np.random.default_rng(seed)
    base = gaussian_filter(rng.normal(size=shape), 2)
    return tuple(gaussian_filter(rng.normal(size=shape), 1.5) * 0.3 + base > 0.05 for _ in range(2))


def surface_points(mask, spacing):
    """Surface voxels in mm, by SciPy's erosion with face neighbours."""
    eroded = binary_erosion(mask, generate_binary_structure(mask.ndim, 1), border_value=0)
    return np.argwhere(mask & ~eroded) * spacing


def brute_force(y_true, y_pred, spacing, tolerance=TOLERANCE):
    pairs = cdist(surface_points(y_true, spacing), surface_points(y_pred, spacing))
    from_true, from_pred = pairs.min(axis=1), pairs.min(axis=0)
    each = np.concatenate([from_true, from_pred])
    return [
        each.max(),
        max(np.percentile(from_true, 95), np.percentile(from_pred, 95)),
        each.mean(),
        (each <= tolerance).mean(),
    ]


def all_scores(y_true, y_pred, spacing=None, tolerance=TOLERANCE):
    return [
        *(distance(y_true, y_pred, spacing) for distance in DISTANCES),
        normalized_surface_distance(y_true, y_pred, tolerance, spacing),
    ]


def cube(at, size=5, shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(place, place + size) for place in at)] = True
    return mask


@pytest.mark.parametrize("way", ["transform", "tree"])
@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_scores_equal_brute_force_over_all_pairs(way, ndim, seed, monkeypatch):
    monkeypatch.setattr("imbclf.metrics.surfaces.TREE_COST", 0 if way == "tree" else np.inf)
    y_true, y_pred = blobs(ndim, seed)
    for spacing in (np.ones(ndim), SPACINGS[ndim]):
        np.testing.assert_allclose(
            all_scores(y_true, y_pred, spacing), brute_force(y_true, y_pred, spacing), rtol=1e-12
        )


@pytest.mark.parametrize("ndim", [2, 3])
def test_hausdorff_is_the_larger_directed_distance_of_scipy(ndim):
    y_true, y_pred = blobs(ndim, seed=2)
    spacing = SPACINGS[ndim]
    true_points, pred_points = (surface_points(mask, spacing) for mask in (y_true, y_pred))
    expected = max(directed_hausdorff(true_points, pred_points)[0], directed_hausdorff(pred_points, true_points)[0])
    assert hausdorff(y_true, y_pred, spacing) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shift", [(3, 0, 0), (0, 4, 0), (2, 3, 6)])
def test_a_shifted_cube_is_as_far_as_the_shift(shift):
    spacing = np.array([1.0, 0.5, 2.0])
    expected = np.linalg.norm(np.array(shift) * spacing)
    assert hausdorff(cube((1, 1, 1)), cube(np.add(1, shift)), spacing) == pytest.approx(expected)


def test_the_average_over_two_parallel_planes_is_their_gap():
    y_true, y_pred = np.zeros((2, 6, 7, 8), bool)
    y_true[1], y_pred[4] = True, True
    np.testing.assert_allclose(all_scores(y_true, y_pred, (2.0, 1.0, 1.0), tolerance=5.9), [6, 6, 6, 0])
    assert normalized_surface_distance(y_true, y_pred, 6.0, (2.0, 1.0, 1.0)) == 1


def test_a_distance_at_the_tolerance_is_within_it_whatever_the_rounding():
    for step in (0.1, 0.3, 0.7, 1.1):
        y_true, y_pred = np.zeros((2, 1, 9), bool)
        y_true[0, 1], y_pred[0, 4] = True, True
        assert normalized_surface_distance(y_true, y_pred, 3 * step, (1, step)) == 1
        assert normalized_surface_distance(y_true, y_pred, 2.999 * step, (1, step)) == 0


@pytest.mark.parametrize("ndim", [2, 3])
def test_truth_and_prediction_may_be_exchanged(ndim):
    y_true, y_pred = blobs(ndim, seed=3)
    np.testing.assert_allclose(all_scores(y_true, y_pred), all_scores(y_pred, y_true), rtol=1e-12)


def test_equal_structures_are_at_distance_zero():
    y_true, _ = blobs(3, seed=4)
    assert all_scores(y_true, y_true, tolerance=0) == [0, 0, 0, 1]


def test_space_around_the_structures_changes_nothing():
    y_true, y_pred = blobs(3, seed=5)
    wide_true, wide_pred = (np.pad(mask, ((9, 2), (0, 7), (30, 1))) for mask in (y_true, y_pred))
    assert all_scores(wide_true, wide_pred, SPACINGS[3]) == all_scores(y_true, y_pred, SPACINGS[3])


def test_the_border_of_the_image_is_a_surface():
    full = np.ones((5, 5), bool)
    inner = np.zeros((5, 5), bool)
    inner[2, 2] = True
    assert len(surface_distances(full, inner).from_true) == 16
    assert hausdorff(full, inner) == pytest.approx(np.sqrt(8))


def test_single_voxels_are_as_far_as_their_centres():
    y_true, y_pred = np.zeros((2, 9, 9), bool)
    y_true[1, 2], y_pred[4, 6] = True, True
    np.testing.assert_allclose(all_scores(y_true, y_pred, (2.0, 0.5)), [np.hypot(6, 2)] * 3 + [0])


def test_a_diagonal_neighbour_does_not_hide_a_surface_voxel():
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    assert len(surface_distances(cross, cross).from_true) == 4


def test_hausdorff95_is_the_larger_directed_percentile_not_the_pooled_one():
    y_true, y_pred = np.zeros((2, 2, 60), bool)
    y_true[:, :40], y_pred[1, :40], y_pred[1, 50:53] = True, True, True
    assert hausdorff95(y_true, y_pred) == pytest.approx(np.percentile([0] * 40 + [11, 12, 13], 95))
    distances = surface_distances(y_true, y_pred)
    assert np.percentile(np.concatenate([distances.from_true, distances.from_pred]), 95) == 1


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 8)])
def test_two_empty_structures_agree_and_one_empty_is_infinitely_far(shape):
    empty, full = np.zeros(shape, bool), np.ones(shape, bool)
    assert all_scores(empty, empty) == [0, 0, 0, 1]
    for y_true, y_pred in ((empty, full), (full, empty)):
        assert all_scores(y_true, y_pred) == [np.inf, np.inf, np.inf, 0]
        assert normalized_surface_distance(y_true, y_pred, np.inf) == 0


def test_integers_and_floats_of_zero_and_one_are_structures():
    y_true, y_pred = blobs(2, seed=6)
    expected = all_scores(y_true, y_pred)
    assert all_scores(y_true.astype("uint8"), y_pred.astype("float32")) == expected
    assert all_scores(y_true.tolist(), y_pred) == expected


def test_the_inputs_stay_as_they_are():
    y_true, y_pred = blobs(3, seed=7)
    copies = y_true.copy(), y_pred.copy()
    surface_distances(y_true, y_pred)
    np.testing.assert_array_equal(y_true, copies[0])
    np.testing.assert_array_equal(y_pred, copies[1])


SQUARE = np.ones((4, 4), bool)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((SQUARE, SQUARE[:3]), r"one shape; received y_true \(4, 4\) and y_pred \(3, 4\)"),
        ((2 * SQUARE, SQUARE), r"y_true must be boolean or hold only 0 and 1; received 2"),
        ((SQUARE, SQUARE * np.nan), r"y_pred must be boolean or hold only 0 and 1; received nan"),
        ((np.ones(4), np.ones(4)), r"2D or 3D, without batch and class axes; received shape \(4,\)"),
        (
            (np.ones((1, 4, 4, 1)), np.ones((1, 4, 4, 1))),
            r"without batch and class axes; received shape \(1, 4, 4, 1\)",
        ),
        ((SQUARE, SQUARE, (1, 1, 1)), r"spacing must be 2 sizes of a voxel in mm, .*; received \(1, 1, 1\)"),
        ((SQUARE, SQUARE, (1, 0)), r"spacing must be .* all above 0.*; received \(1, 0\)"),
        ((SQUARE, SQUARE, (1, np.nan)), r"spacing must be .* all above 0"),
        ((SQUARE, SQUARE, 1.0), r"spacing must be 2 sizes .*; received 1\.0"),
    ],
)
def test_input_that_cannot_be_used_is_named(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        surface_distances(*arguments)


@pytest.mark.parametrize("tolerance", [-0.1, np.nan])
def test_a_negative_tolerance_is_refused(tolerance):
    with pytest.raises(InputError, match="tolerance must be a distance in mm of 0 or more; received"):
        normalized_surface_distance(SQUARE, SQUARE, tolerance)
