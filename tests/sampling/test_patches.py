from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.augment import RandomAffine, RandomFlip, RandomGamma
from imbclf.data import LabelArrays, SegmentationDataset, VolumeArrays
from imbclf.errors import InputError
from imbclf.sampling import EpochFromTrainer, GridPatches, PatchBatches, cover, crop
from tests.sampling.test_contract import BatchSum, fit


def cases(masks, **options):
    """Cases whose images have two channels: the number of the case, and the number of the voxel in it, from 1 on."""
    images = [
        np.stack([np.full(mask.shape, case + 1), np.arange(1, mask.size + 1).reshape(mask.shape)], axis=-1)
        for case, mask in enumerate(masks)
    ]
    ids = [f"c{case}" for case in range(len(masks))]
    names = ("background", "organ", "lesion")
    options = {"normalize": "none", "ids": ids, "split": ["train"] * len(ids)} | options
    return SegmentationDataset(VolumeArrays(images), LabelArrays(masks), names, **options)


def random_masks(*spaces, seed=0, labels=(0, 1, 2)):
    random = np.random.default_rng(seed)
    return [random.choice(labels, space) for space in spaces]


def one_voxel(space, *voxels):
    """A mask of background with a voxel of class 1, and of class 2, at the given places."""
    mask = np.zeros(space, int)
    for label, voxel in enumerate(voxels, start=1):
        mask[voxel] = label
    return mask


def same(one, other):
    assert len(one) == len(other)
    for first, second in zip(one, other):
        np.testing.assert_array_equal(first, second)


FOUR = [(9, 8), (7, 7), (12, 6), (8, 10)]
LAYERS = (RandomAffine(20, (0.8, 1.2), 0.1, probability=0.7), RandomFlip(), RandomGamma(value_range="image"))


class TestWindows:
    @settings(max_examples=40, deadline=None)
    @given(
        space=st.lists(st.integers(1, 7), min_size=1, max_size=3),
        seed=st.integers(0, 999),
    )
    def test_a_crop_is_a_slice_of_the_padded_case(self, space, seed):
        random = np.random.default_rng(seed)
        size, start = random.integers(1, 8, len(space)), random.integers(-3, 4, len(space))
        start = np.clip(start, 1 - size, np.array(space) - 1)
        case = SimpleNamespace(image=random.normal(size=(*space, 2)), mask=random.integers(0, 5, space))
        image, mask, inside = crop(case, start, size)
        cut = tuple(slice(10 + first, 10 + first + side) for first, side in zip(start, size))
        for channel in range(2):
            values = case.image[..., channel]
            np.testing.assert_allclose(image[..., channel], np.pad(values, 10, constant_values=values.min())[cut])
        np.testing.assert_array_equal(mask, np.pad(case.mask, 10)[cut])
        np.testing.assert_array_equal(inside, np.pad(np.ones(space), 10)[cut])

    @settings(max_examples=60, deadline=None)
    @given(sides=st.lists(st.tuples(st.integers(1, 20), st.integers(1, 8)), min_size=1, max_size=3))
    def test_a_cover_has_every_voxel_once_and_stays_inside_where_it_fits(self, sides):
        space, size = zip(*sides)
        seen = np.zeros(space, int)
        for start, first in zip(*cover(space, size)):
            seen[tuple(slice(low, begin + side) for low, begin, side in zip(first, start, size))] += 1
            for begin, total, side in zip(start, space, size):
                if side <= total:
                    assert 0 <= begin <= total - side
                else:
                    assert begin == -((side - total + 1) // 2)
        assert (seen == 1).all()


class TestPatchesAreAPureFunction:
    @settings(max_examples=15, deadline=None)
    @given(batch_size=st.integers(1, 6), seed=st.integers(0, 2**40), epoch=st.integers(0, 500))
    def test_a_batch_does_not_depend_on_the_batches_before_it(self, batch_size, seed, epoch):
        dataset = cases(random_masks(*FOUR))
        in_order = PatchBatches(dataset, 5, batch_size, steps_per_epoch=3, seed=seed, flips=(0, 1))
        batches = [in_order.batch(epoch, index) for index in range(3)]
        alone = PatchBatches(dataset, 5, batch_size, steps_per_epoch=3, seed=seed, flips=(0, 1))
        same(alone.batch(epoch, 2), batches[2])

    def test_another_seed_or_epoch_gives_another_draw(self):
        dataset = cases(random_masks(*FOUR))
        first, other = (PatchBatches(dataset, 5, 4, seed=seed) for seed in (1, 2))
        assert (first.batch(0, 0)[0] != other.batch(0, 0)[0]).any()
        assert (first.batch(0, 0)[0] != first.batch(1, 0)[0]).any()

    @pytest.mark.parametrize("workers", [2, 4])
    def test_threads_hand_out_the_same_batches_in_any_order_of_asking(self, workers):
        dataset = cases(random_masks(*FOUR, (4, 4)), memory=0)
        options = {"steps_per_epoch": 4, "seed": 3, "augmentation": LAYERS, "flips": (0,)}
        alone, threaded = (PatchBatches(dataset, 6, 3, **options, workers=count) for count in (1, workers))
        for epoch, index in [(0, 0), (0, 1), (0, 0), (0, 3), (2, 3), (2, 0), (1, 1), (1, 0)]:
            alone.epoch = threaded.epoch = epoch
            same(threaded[index], alone[index])

    def test_the_grid_is_the_same_in_every_epoch_and_for_any_number_of_threads(self):
        dataset = cases(random_masks(*FOUR))
        alone, threaded = GridPatches(dataset, 5, 4), GridPatches(dataset, 5, 4, workers=3)
        for epoch in (0, 3):
            threaded.epoch = epoch
            for index in range(len(alone)):
                same(threaded[index], alone[index])


class TestWhatIsDrawn:
    @pytest.mark.parametrize("space", [(11, 9), (7, 8, 9)])
    def test_images_and_labels_are_one_window_of_one_case(self, space):
        masks = random_masks(space, space, labels=(0, 1, 2, 255))
        batches = PatchBatches(cases(masks, ignore_class=255), 4, 5, steps_per_epoch=6)
        found = set()
        for x, y in batches:
            assert (x.dtype, y.dtype) == (np.float32, np.int32)
            assert (x.shape, y.shape) == ((5, *[4] * len(space), 2), (5, *[4] * len(space)))
            for image, labels in zip(x, y):
                case, first = int(image.flat[0]) - 1, int(image.flat[1]) - 1
                window = tuple(slice(start, start + 4) for start in np.unravel_index(first, space))
                np.testing.assert_array_equal(image[..., 0], case + 1)
                np.testing.assert_array_equal(image[..., 1], np.arange(1, masks[0].size + 1).reshape(space)[window])
                np.testing.assert_array_equal(labels, masks[case][window])
                found |= set(labels.ravel().tolist())
        assert found == {0, 1, 2, 255}

    @settings(max_examples=25, deadline=None)
    @given(count=st.integers(1, 9), batch_size=st.integers(1, 7), seed=st.integers(0, 99))
    def test_at_any_time_cases_have_been_used_equally_often_but_for_one(self, count, batch_size, seed):
        batches = PatchBatches(cases(random_masks(*[(5, 5)] * count)), 3, batch_size, steps_per_epoch=3, seed=seed)
        used = np.zeros(count, int)
        for epoch in range(3):
            for index in range(3):
                numbers = batches.batch(epoch, index)[0][:, 0, 0, 0].astype(int) - 1
                used += np.bincount(numbers, minlength=count)
                assert used.max() - used.min() <= 1

    @settings(max_examples=25, deadline=None)
    @given(share=st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.7, 1.0]), batch_size=st.integers(1, 9))
    def test_the_share_of_centred_patches_is_exact_over_batches(self, share, batch_size):
        batches = PatchBatches(cases(random_masks(*FOUR)), 5, batch_size, steps_per_epoch=4, foreground=share)
        total = 0
        for number in range(12):
            centred = sum(label is not None for _, _, label in batches.windows(*divmod(number, 4)))
            assert abs(centred - share * batch_size) < 1
            total += centred
            assert abs(total - share * batch_size * (number + 1)) < 1 + 1e-6

    def test_a_centred_patch_has_its_class_in_the_middle(self):
        masks = [np.pad(mask, 3) for mask in random_masks((4, 5, 6), (5, 4, 6))]
        for size in (5, 6):
            batches = PatchBatches(cases(masks), size, 4, steps_per_epoch=5, foreground=1.0)
            for index in range(5):
                labels = [label for _, _, label in batches.windows(0, index)]
                assert batches.batch(0, index)[1][:, size // 2, size // 2, size // 2].tolist() == labels

    def test_a_rare_class_is_centred_on_as_often_as_a_large_one(self):
        mask = np.ones((20, 20), int)
        mask[0, 0], mask[5] = 2, 0
        batches = PatchBatches(cases([mask]), 3, 50, steps_per_epoch=20, foreground=1.0)
        labels = np.array([label for index in range(20) for _, _, label in batches.windows(0, index)])
        assert abs((labels == 2).mean() - 0.5) < 4 * np.sqrt(0.25 / 1000)

    def test_every_voxel_of_a_class_is_drawn_equally_often(self):
        mask = np.zeros((9, 9), int)
        mask[4:6, 3:6] = 1
        batches = PatchBatches(cases([mask]), 1, 60, steps_per_epoch=50, foreground=1.0)
        drawn = np.concatenate([batches.batch(0, index)[0][:, 0, 0, 1] for index in range(50)]).astype(int) - 1
        voxels, counts = np.unique(drawn, return_counts=True)
        assert voxels.tolist() == np.flatnonzero(mask).tolist()
        assert np.abs(counts - 500).max() < 4.5 * np.sqrt(3000 * (1 / 6) * (5 / 6))

    def test_other_patches_lie_anywhere_equally_often(self):
        batches = PatchBatches(cases(random_masks((6, 5))), 3, 60, steps_per_epoch=50, foreground=0.0)
        first = np.concatenate([batches.batch(0, index)[0][:, 0, 0, 1] for index in range(50)]).astype(int) - 1
        starts, counts = np.unique(first, return_counts=True)
        assert starts.tolist() == [5 * row + column for row in range(4) for column in range(3)]
        assert np.abs(counts - 250).max() < 4.5 * np.sqrt(3000 * (1 / 12) * (11 / 12))

    @pytest.mark.parametrize("corner", [(0, 0, 0), (6, 7, 8), (0, 7, 4)])
    def test_a_patch_around_a_voxel_at_the_border_is_moved_inside(self, corner):
        batches = PatchBatches(cases([one_voxel((7, 8, 9), corner)]), 5, 2, foreground=1.0)
        assert not batches.weighted
        (_, start, _), _ = batches.windows(0, 0)
        assert (start == np.clip(np.array(corner) - 2, 0, np.array([2, 3, 4]))).all()
        assert (batches.batch(0, 0)[1] == 1).sum() == 2

    def test_cases_without_foreground_give_the_other_patches(self):
        empty, full = np.zeros((6, 6), int), one_voxel((6, 6), (3, 3))
        batches = PatchBatches(cases([full, empty, full, empty]), 3, 4, steps_per_epoch=10, foreground=0.5)
        for index in range(10):
            assert sorted(case for case, _, label in batches.windows(0, index) if label) == [0, 2]
        few = PatchBatches(cases([full, empty, empty, empty]), 3, 4, steps_per_epoch=10, foreground=0.5)
        for index in range(10):
            assert [case for case, _, label in few.windows(0, index) if label] == [0]

    def test_epochs_have_the_length_that_was_asked_for(self):
        dataset = cases(random_masks(*FOUR))
        assert len(PatchBatches(dataset, 5, 3)) == 2
        assert len(PatchBatches(dataset, 5, 3, patches_per_epoch=10)) == 4
        assert len(PatchBatches(dataset, 5, 3, steps_per_epoch=7)) == 7


class TestPadding:
    def test_padding_weighs_nothing_and_looks_like_air(self):
        small, large = np.ones((3, 8), int), np.ones((8, 9), int)
        batches = PatchBatches(cases([small, large]), (6, 5), 2, steps_per_epoch=5)
        assert batches.weighted
        for x, y, weight in batches:
            assert weight.dtype == np.float32
            for image, labels, inside in zip(x, y, weight):
                is_small = image[..., 0].min() == 1
                assert inside.sum() == (3 * 5 if is_small else 6 * 5)
                np.testing.assert_array_equal(labels, inside)
                # The smallest value of each channel: the case's number, and voxel number 1.
                assert (image[inside == 0] == [1, 1]).all()
        assert (weight[:, 3] == 1).all()

    def test_weights_are_left_away_where_no_case_needs_them(self):
        batches = PatchBatches(cases(random_masks((6, 6), (7, 8))), 6, 2)
        assert not batches.weighted
        assert len(batches[0]) == 2


class TestAugmentation:
    def test_flips_mirror_images_labels_and_weights_together(self):
        mask = np.arange(1, 13).reshape(3, 4) % 3
        batches = PatchBatches(cases([mask]), (4, 4), 16, steps_per_epoch=4, flips=(0, 1))
        kinds = set()
        for x, y, weight in batches:
            for image, labels, inside in zip(x, y, weight):
                numbers = image[..., 1].astype(int)
                np.testing.assert_array_equal(labels[inside == 1], numbers[inside == 1] % 3)
                assert (labels[inside == 0] == 0).all()
                kinds.add((int(numbers[1, 0]), int(numbers[2, -1])))
        assert len(kinds) >= 4

    def test_layers_move_labels_and_weights_with_the_images(self):
        mask = random_masks((3, 9))[0]
        batches = PatchBatches(cases([mask]), (5, 6), 8, steps_per_epoch=3, augmentation=[RandomFlip()])
        plain = PatchBatches(cases([mask]), (5, 6), 8, steps_per_epoch=3)
        mirrored = 0
        for (x, y, weight), before in zip(batches, plain):
            for image, labels, inside in zip(x, y, weight):
                numbers = image[..., 1].astype(int) - 1
                np.testing.assert_array_equal(labels[inside == 1], mask.ravel()[numbers[inside == 1]])
                assert inside.sum() == 3 * 6
            mirrored += (x != before[0]).any(axis=(1, 2, 3)).sum()
        assert 0 < mirrored <= 24

    def test_layers_get_draws_of_their_own_in_every_batch(self):
        dataset = cases([np.ones((6, 6), int)])
        batches = PatchBatches(
            dataset, 6, 4, steps_per_epoch=6, augmentation=[RandomAffine(rotation=30, probability=1.0)]
        )
        first = {float(x[0, 0, 0, 1]) for epoch in range(2) for x, _ in [batches.batch(epoch, i) for i in range(6)]}
        assert len(first) == 12

    def test_labels_stay_exact_under_any_layer(self):
        masks = random_masks(*FOUR, labels=(0, 1, 2, 255))
        for _, y in PatchBatches(cases(masks, ignore_class=255), 6, 4, augmentation=LAYERS):
            assert y.dtype == np.int32
            assert set(np.unique(y)) <= {0, 1, 2, 255}


class TestOutputs:
    @pytest.mark.parametrize("size", [5, 20])
    def test_every_output_gets_the_same_labels_and_weights(self, size):
        dataset = cases(random_masks(*FOUR))
        for make in (PatchBatches, GridPatches):
            single, triple = make(dataset, size, 2)[0], make(dataset, size, 2, outputs=3)[0]
            same(triple[:1], single[:1])
            for repeated, once in zip(triple[1:], single[1:]):
                same(repeated, [once] * 3)


class TestGrid:
    @settings(max_examples=25, deadline=None)
    @given(
        spaces=st.lists(st.tuples(*[st.integers(2, 9)] * 2), min_size=1, max_size=4),
        size=st.tuples(*[st.integers(1, 6)] * 2),
        batch_size=st.integers(1, 5),
    )
    def test_every_voxel_counts_exactly_once(self, spaces, size, batch_size):
        masks = random_masks(*spaces, labels=(0, 1, 2, 255))
        seen = [np.full(space, -1) for space in spaces]
        for x, y, weight in GridPatches(cases(masks, ignore_class=255), size, batch_size):
            for case, voxel, label in zip(x[..., 0][weight == 1], x[..., 1][weight == 1], y[weight == 1]):
                assert seen[int(case) - 1].flat[int(voxel) - 1] == -1
                seen[int(case) - 1].flat[int(voxel) - 1] = label
            assert set(np.unique(weight)) <= {0, 1}
        same(seen, masks)


class TestFit:
    def batches(self, length, workers=1, seed=5):
        # Sums of small whole numbers are exact in float32.
        images = [np.arange(25.0).reshape(5, 5, 1) * (case + 1) for case in range(7)]
        masks = [np.ones((5, 5), int)] * 7
        ids = [f"c{case}" for case in range(7)]
        dataset = SegmentationDataset(
            VolumeArrays(images), LabelArrays(masks), ("a", "b"), ids, [""] * 7, normalize="none"
        )
        return PatchBatches(dataset, 3, 2, steps_per_epoch=length, seed=seed, workers=workers)

    def sums(self, batches, epoch):
        return [2 * float(batches.batch(epoch, index)[0].sum()) for index in range(len(batches))]

    def model(self):
        # Both logits are the image, so that the metric sees the patches; the learning rate 0 keeps it.
        model = keras.Sequential([keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.0), loss, metrics=[BatchSum()], jit_compile=False)
        return model

    @pytest.mark.parametrize("workers", [1, 4])
    @pytest.mark.parametrize("length", [1, 5])
    def test_each_epoch_is_drawn_once_and_in_order(self, length, workers):
        batches, trained_on = self.batches(length, workers), []
        validation = GridPatches(batches.dataset, 3, 4, workers=workers)
        fit(batches, trained_on, epochs=3, model=self.model(), validation_data=validation)
        assert trained_on == [self.sums(batches, epoch) for epoch in range(3)]
        assert self.sums(batches, 0) != self.sums(batches, 1)

    def test_the_trainers_epoch_is_followed_exactly(self):
        batches, trained_on = self.batches(3, workers=4), []
        options = {"initial_epoch": 7, "callbacks": [EpochFromTrainer(batches)]}
        fit(batches, trained_on, epochs=9, model=self.model(), **options)
        assert trained_on == [self.sums(batches, epoch) for epoch in (7, 8)]

    def test_a_failure_to_read_is_kept_as_it_was_raised(self):
        batches = self.batches(2, workers=2)
        batches.dataset.images.arrays[:] = [array[:4] for array in batches.dataset.images.arrays]
        with pytest.raises(Exception, match="changed its size after it was listed"):
            fit(batches, [], epochs=1, model=self.model())
        assert isinstance(batches.failure, InputError)

    def test_the_loss_of_a_grid_is_the_mean_over_all_voxels(self):
        dataset = cases(random_masks((5, 7), (9, 3)), normalize="minmax")
        model = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Dense(3, activation="softmax")])
        model.compile(loss="sparse_categorical_crossentropy")
        kernel, bias = (np.asarray(weight, np.float64) for weight in model.get_weights())
        total, weights = 0.0, 0.0
        for batch in GridPatches(dataset, 4, 2):
            total += float(model.test_on_batch(*batch)) * batch[1].size
            weights += batch[2].sum()
        expected = 0.0
        for case in (dataset.case(0), dataset.case(1)):
            logits = case.image @ kernel + bias
            log_sum = np.log(np.exp(logits).sum(axis=-1))
            expected += (log_sum - np.take_along_axis(logits, case.mask[..., None], -1)[..., 0]).sum()
        assert weights == 5 * 7 + 9 * 3
        np.testing.assert_allclose(total, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch_size": 0}, "patch_size must be a whole number from 1 on, not 0"),
        ({"patch_size": (3, 3, 3)}, r"one number or 2 of them, not \(3, 3, 3\)"),
        ({"patch_size": 2.5}, "patch_size must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1"),
        ({"foreground": 1.5}, r"a share in \[0, 1\], not 1\.5"),
        ({"foreground": "half"}, r"a share in \[0, 1\], not 'half'"),
        ({"foreground": float("nan")}, r"a share in \[0, 1\]"),
        ({"patches_per_epoch": 4, "steps_per_epoch": 2}, "not both"),
        ({"patches_per_epoch": 0}, "patches_per_epoch must be a whole number"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"outputs": 0}, "outputs must be a whole number"),
        ({"workers": 0}, "workers must be a whole number"),
        ({"use_multiprocessing": True}, "set workers"),
        ({"flips": (0, 2)}, "flips must be axes from 0 to 1, not 2"),
        ({"augmentation": [keras.layers.Dense(1)]}, "must be layers of imbclf.augment"),
        ({"augmentation": [RandomGamma()]}, "RandomGamma expects images in .* z-scored"),
        ({"dataset": cases(random_masks(*FOUR)).select([])}, "There is no case"),
        ({"dataset": cases([np.zeros((5, 5), int)])}, "No case holds a foreground class"),
    ],
)
def test_bad_input_is_a_sentence(options, message):
    arguments = {"dataset": cases(random_masks(*FOUR), normalize="zscore"), "patch_size": 5, "batch_size": 2} | options
    with pytest.raises(InputError, match=message) as caught:
        PatchBatches(**arguments)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
