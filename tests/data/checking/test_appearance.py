import itertools

import numpy as np
import pytest

from imbclf.data.checking.appearance import describe, pairs_alike
from tests.data.checking.pictures import picture, resized


def any_pair(first, second):
    return np.ones(len(first), bool)


class TestAppearance:
    def test_different_pictures_are_not_alike(self):
        features = np.stack([describe(picture(seed, (32, 32))) for seed in range(300)])
        assert pairs_alike(features, 2, any_pair) == []

    def test_what_all_images_have_in_common_makes_no_two_alike(self):
        # As fundus photographs: one bright disc, and a tenth of the contrast for what is their own.
        rows, columns = np.mgrid[-1:1:48j, -1:1:48j]
        disc = np.exp(-3 * (rows**2 + columns**2))[..., np.newaxis]
        features = np.stack([describe(2000 * disc + picture(seed, (48, 48), 1)) for seed in range(200)])
        raw = features @ features.T
        assert np.quantile(raw[np.triu_indices(200, 1)], 0.5) > 0.95
        assert pairs_alike(features, 2, any_pair) == []

    @pytest.mark.parametrize("rank", [2, 3])
    def test_a_flip_changes_the_signs_of_odd_waves_and_nothing_else(self, rank):
        image = picture(0, (20, 24, 22)[:rank], 1)
        np.testing.assert_allclose(np.abs(describe(image[::-1])), np.abs(describe(image)), atol=1e-5)

    @pytest.mark.parametrize("rank", [2, 3])
    def test_every_turned_and_mirrored_copy_is_found_and_how_it_was_moved(self, rank):
        image = picture(0, (20, 24, 22)[:rank], 1)
        others = [describe(picture(seed, (20, 24, 22)[:rank], 1)) for seed in range(1, 5)]
        for order in itertools.permutations(range(rank)):
            for count in range(rank + 1):
                for flipped in itertools.combinations(range(rank), count):
                    moved = np.flip(image.transpose(*order, rank), flipped)
                    features = np.stack([describe(moved), *others, describe(image)])
                    ((first, second, correlation, found),) = pairs_alike(features, rank, any_pair)
                    assert (first, second, found) == (0, 5, (order, flipped))
                    assert correlation == pytest.approx(1, abs=1e-4)

    def test_only_the_symmetries_asked_for_are_looked_for(self):
        features = np.stack([describe(picture(0)), describe(picture(0)[::-1])])
        everything = [((0, 1), ()), ((0, 1), (1,))]
        assert pairs_alike(features, 2, any_pair, everything) == []

    def test_pairs_of_no_interest_are_left_out_and_constant_images_too(self):
        features = np.stack([describe(picture(0)), describe(resized(picture(0), 0.5)), describe(np.full((9, 9, 1), 7))])
        assert not features[2].any()
        found = pairs_alike(features, 2, any_pair)
        assert [pair[:2] for pair in found] == [(0, 1)]
        assert found[0][2] == pytest.approx(1, abs=0.05)
        assert pairs_alike(features, 2, lambda first, second: np.zeros(len(first), bool)) == []

    def test_images_smaller_than_the_waves_have_features(self):
        assert np.isfinite(describe(picture(0, (5, 3), 1))).all()
