"""Batches of windows: drawn anew where a network is trained, the same where it is judged."""

import numpy as np
import pytest

from imbclf.data import ImageArray
from imbclf.data.windows import Windows
from imbclf.sampling import BalancedBatches, UniformBatches

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 9, 8, 1)).astype(np.uint8)
Y = np.repeat([0, 1], [8, 4])


def make(sampler, **options):
    return sampler(Windows(ImageArray(PIXELS), 4), Y, batch_size=4, **options)


def is_window_of(window, image):
    views = np.lib.stride_tricks.sliding_window_view(image[..., 0] / 255, (4, 4))
    return np.isclose(views, window[..., 0], rtol=1e-6).all(axis=(2, 3)).any()


@pytest.mark.parametrize("sampler", [BalancedBatches, UniformBatches])
class TestTraining:
    def test_windows_are_cut_from_the_images_that_the_labels_belong_to(self, sampler):
        batches = make(sampler, seed=1)
        for index in range(len(batches)):
            x, y = batches.batch(2, index)
            rows = batches.batch_indices(2, index)
            np.testing.assert_array_equal(y, Y[rows])
            assert x.shape == (4, 4, 4, 1)
            assert all(is_window_of(window, PIXELS[row]) for window, row in zip(x, rows))

    def test_a_batch_is_a_function_of_seed_epoch_and_index(self, sampler):
        batches, again = make(sampler, seed=1), make(sampler, seed=1, workers=3)
        again.epoch = 3
        np.testing.assert_array_equal(batches.batch(3, 2)[0], again[2][0])
        np.testing.assert_array_equal(batches.batch(3, 2)[0], batches.batch(3, 2)[0])

    def test_other_seeds_and_epochs_and_indices_lie_elsewhere(self, sampler):
        class Starts:
            """Tells where windows would be drawn rather than what is in them."""

            shape = (12, 4)

            def __len__(self):
                return 12

            def random(self, indices, random):
                return random.integers(0, 2**60, (len(indices), 1))

        drawn = {
            int(sampler(Starts(), Y, batch_size=4, seed=seed).batch(epoch, index)[0][0, 0])
            for seed in range(3)
            for epoch in range(4)
            for index in range(3)
        }
        assert len(drawn) == 3 * 4 * 3

    def test_images_that_cannot_be_drawn_from_are_read_as_they_are(self, sampler):
        batches = sampler(ImageArray(PIXELS), Y, batch_size=4)
        assert not batches.draws_at_random
        np.testing.assert_array_equal(batches.batch(0, 0)[0], ImageArray(PIXELS)[batches.batch_indices(0, 0)])


def test_without_shuffle_every_epoch_shows_the_windows_in_the_middle():
    batches = make(UniformBatches, shuffle=False)
    for epoch in range(2):
        given = np.concatenate([batches.batch(epoch, index)[0] for index in range(len(batches))])
        np.testing.assert_allclose(given, PIXELS[:, 2:6, 2:6] / 255, rtol=1e-6)
