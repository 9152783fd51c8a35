import numpy as np
import pytest

from imbclf.data import assign_splits, check_split, segmentation_shapes
from imbclf.errors import InputError

# Shares of voxels that the docstring promises: organ, and lesion where there is one.
PROMISED = {3: [(0.03, 0.20), (0.0008, 0.004)], 2: [(0.12, 0.41), (0.001, 0.006)]}


@pytest.fixture(scope="module", params=[2, 3], ids=["2d", "3d"])
def shapes(request):
    return segmentation_shapes(rank=request.param, seed=5)


def voxels(shapes):
    cases = [shapes.case(position) for position in range(len(shapes))]
    return np.concatenate([case.image.ravel() for case in cases]), np.concatenate([case.mask.ravel() for case in cases])


def test_shares_of_voxels_are_the_documented_ones(shapes):
    counts = shapes.voxel_counts()
    shares = counts / counts.sum(axis=1, keepdims=True)
    for label, (low, high) in enumerate(PROMISED[shapes.rank], start=1):
        held = shares[counts[:, label] > 0, label]
        assert held.min() >= low
        assert held.max() <= high


def test_every_case_has_an_organ_and_about_three_of_four_a_lesion(shapes):
    background, organ, lesion = shapes.counts()
    assert background == organ == len(shapes) == 60
    assert abs(lesion / 60 - 0.75) < 4 * np.sqrt(0.25 * 0.75 / 60)


def test_the_same_seed_gives_the_same_cases_however_many_there_are(shapes):
    again = segmentation_shapes(count=4, rank=shapes.rank, seed=5)
    other = segmentation_shapes(count=4, rank=shapes.rank, seed=6)
    for position in range(4):
        np.testing.assert_array_equal(again.case(position).image, shapes.case(position).image)
        np.testing.assert_array_equal(again.case(position).mask, shapes.case(position).mask)
        assert (other.case(position).image != again.case(position).image).any()


def test_classes_differ_in_intensity_yet_no_threshold_finds_them(shapes):
    image, mask = voxels(shapes)
    means = [image[mask == label].mean() for label in range(3)]
    assert means[2] - means[1] > 0.3
    assert means[1] - means[0] > 1.0
    for label, most in ((1, 0.8), (2, 0.2)):
        for threshold in np.linspace(image.min(), image.max(), 40):
            found, truth = image > threshold, mask == label
            assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) < most


def test_shapes_can_be_divided_and_trained_on(shapes):
    check_split(assign_splits(shapes))


@pytest.mark.parametrize("rank", [2, 3])
def test_the_side_can_be_chosen(rank):
    assert segmentation_shapes(count=1, size=40, rank=rank, normalize="minmax").case(0).image.shape == (40,) * rank + (
        1,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rank": 4}, "rank must be 2 or 3, not 4"), ({"size": 8}, "side 24"), ({"count": 0}, "At least one case")],
)
def test_impossible_shapes_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        segmentation_shapes(**options)
