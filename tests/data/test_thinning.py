from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.data import assign_splits, segmentation_shapes, thin_class
from imbclf.errors import InputError


@pytest.fixture(scope="module")
def shapes():
    return assign_splits(segmentation_shapes(count=24, size=24, rank=2, ignore_class=255))


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(["organ", "lesion"]), share=st.floats(0.01, 1), seed=st.integers(0, 99))
def test_the_share_of_training_cases_keeps_its_labels_and_nothing_else_changes(shapes, name, share, seed):
    label = shapes.class_names.index(name)
    thinned = thin_class(shapes, name, share, seed)
    kept = 0
    for position in range(len(shapes)):
        before, after = shapes.case(position), thinned.case(position)
        np.testing.assert_array_equal(after.image, before.image)
        if (after.mask == before.mask).all():
            kept += int(shapes.split[position] == "train" and (before.mask == label).any())
        else:
            assert shapes.split[position] == "train"
            np.testing.assert_array_equal(after.mask, np.where(before.mask == label, 255, before.mask))
    holding = shapes.counts("train")[label]
    assert kept == max(1, round(share * holding)) == thinned.counts("train")[label]
    for split in ("val", "test"):
        np.testing.assert_array_equal(thinned.voxel_counts(split), shapes.voxel_counts(split))


def test_the_seed_chooses_the_cases(shapes):
    first, again, other = (thin_class(shapes, "organ", 0.5, seed).voxel_counts() for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_classes_are_thinned_one_after_the_other_and_selections_stay_thinned(shapes):
    both = thin_class(thin_class(shapes, "organ", 0.2), "lesion", 0.3, seed=1)
    train = both.select(both.indices("train"))
    np.testing.assert_array_equal(train.voxel_counts(), both.voxel_counts("train"))
    np.testing.assert_array_equal(train.counts()[1:], np.maximum(1, np.rint(shapes.counts("train")[1:] * [0.2, 0.3])))
    assert train.masks.path(0) is None


@pytest.mark.parametrize(
    ("name", "share", "change", "message"),
    [
        ("vessel", 0.5, {}, "one of organ, lesion, not 'vessel'"),
        ("background", 0.5, {}, "one of organ, lesion, not 'background'"),
        ("organ", 0, {}, r"must lie in \(0, 1\], but it is 0"),
        ("organ", 1.5, {}, r"must lie in \(0, 1\]"),
        ("organ", 0.5, {"ignore_class": None}, "must become ignore_class"),
        ("organ", 0.5, {"split": ["test"] * 24}, "No training case holds the class organ"),
    ],
)
def test_impossible_thinning_is_refused(shapes, name, share, change, message):
    with pytest.raises(InputError, match=message):
        thin_class(replace(shapes, **change), name, share)
