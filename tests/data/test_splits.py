import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.data import assign_splits, check_split
from imbclf.errors import InputError


def of_class(dataset, split):
    return dataset.counts(split).tolist()


class TestAssignSplits:
    @settings(max_examples=40, deadline=None)
    @given(
        counts=st.lists(st.integers(3, 60), min_size=2, max_size=5),
        validation=st.floats(0.05, 0.4),
        test=st.floats(0.05, 0.4),
        seed=st.integers(0, 99),
    )
    def test_independent_samples_are_divided_exactly_by_class(self, labelled, counts, validation, test, seed):
        y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
        divided = assign_splits(labelled(y), validation, test, seed)
        val_wanted = [max(1, round(count * validation)) for count in counts]
        test_wanted = [max(1, round(count * test)) for count in counts]
        if all(count > v + t for count, v, t in zip(counts, val_wanted, test_wanted)):
            assert of_class(divided, "val") == val_wanted
            assert of_class(divided, "test") == test_wanted
        for split in ("train", "val", "test"):
            assert divided.counts(split).min() >= 1
        assert divided.counts().tolist() == counts

    @settings(max_examples=40, deadline=None)
    @given(sizes=st.lists(st.integers(1, 6), min_size=30, max_size=60), seed=st.integers(0, 99))
    def test_patients_stay_together_and_classes_stay_in_proportion(self, labelled, sizes, seed):
        random = np.random.default_rng(seed)
        patients = np.repeat([f"p{number}" for number in range(len(sizes))], sizes)
        classes = np.append([0, 0, 0, 1, 1, 1], random.integers(0, 2, len(sizes) - 6))
        y = np.repeat(classes, sizes)
        divided = assign_splits(labelled(y, patients), 0.2, 0.2, seed)
        for patient in set(patients.tolist()):
            assert len(set(divided.split[patients == patient].tolist())) == 1
        for split in ("val", "test"):
            wanted = np.maximum(1, np.rint(0.2 * divided.counts()))
            # The last patient put into a split is the only one that can overshoot, by less than its own size.
            assert (np.abs(divided.counts(split) - wanted) < max(sizes)).all()

    def test_a_patient_with_images_of_two_classes_stays_together(self, labelled):
        patients = np.repeat([f"p{number}" for number in range(12)], 2)
        y = np.tile([0, 1], 12)
        divided = assign_splits(labelled(y, patients), 0.25, 0.25)
        assert of_class(divided, "val") == of_class(divided, "test") == [3, 3]
        check_split(divided)

    def test_samples_without_a_patient_are_independent(self, labelled):
        divided = assign_splits(labelled([0] * 10 + [1] * 10, patients=[""] * 20), 0.2, 0.2)
        assert of_class(divided, "test") == [2, 2]

    def test_identical_images_stay_together(self, labelled):
        images = np.concatenate([np.arange(10), np.arange(10), np.arange(20, 40)])
        divided = assign_splits(labelled([0] * 20 + [1] * 20, images=images), 0.2, 0.2)
        assert (divided.split[:10] == divided.split[10:20]).all()
        assert of_class(divided, "test") == of_class(divided, "val") == [4, 4]
        check_split(divided)

    def test_a_validation_split_is_taken_from_the_official_training_split(self, labelled):
        split = ["train"] * 40 + ["test"] * 10
        divided = assign_splits(labelled(np.arange(50) % 2, split=split), validation=0.2, test=0.3)
        assert (divided.split[40:] == "test").all()
        assert of_class(divided, "val") == [4, 4]
        assert of_class(divided, "train") == [16, 16]

    def test_official_splits_stay_as_they_are(self, labelled):
        dataset = labelled([0, 1] * 3, split=["train", "train", "val", "val", "test", "test"])
        assert assign_splits(dataset) is dataset

    def test_unassigned_samples_fill_only_the_splits_that_are_missing(self, labelled):
        split = ["test"] * 6 + [""] * 20
        divided = assign_splits(labelled(np.arange(26) % 2, split=split), validation=0.2, test=0.5)
        assert of_class(divided, "test") == [3, 3]
        assert of_class(divided, "val") == [2, 2]
        assert of_class(divided, "train") == [8, 8]

    def test_unassigned_samples_join_the_split_of_their_patient(self, labelled):
        patients = ["x", "x", *[f"p{number}" for number in range(18)]]
        split = ["test", *[""] * 19]
        divided = assign_splits(labelled(np.arange(20) % 2, patients, split), validation=0.2)
        assert divided.split[1] == "test"
        assert (divided.split == "test").sum() == 2

    def test_a_fraction_of_zero_makes_no_split(self, labelled):
        divided = assign_splits(labelled([0, 1] * 5), validation=0, test=0.2)
        assert of_class(divided, "val") == [0, 0]
        assert of_class(divided, "test") == [1, 1]

    def test_the_seed_chooses_the_samples(self, labelled):
        dataset = labelled(np.arange(60) % 3)
        first, again, other = (assign_splits(dataset, seed=seed).split for seed in (1, 1, 2))
        assert (first == again).all()
        assert (first != other).any()

    @pytest.mark.parametrize(
        ("arguments", "options", "message"),
        [
            (([0] * 9 + [1] * 2,), {}, "class b has 2 samples, but dividing it into train, val, test needs at least 3"),
            (([0] * 9 + [1],), {"test": 0}, "class b has 1 sample, but dividing it into train, val needs at least 2"),
            (
                ([0] * 9 + [1] * 9, [*"abcdefghi", *"xxxxxyyyy"]),
                {},
                "class b has 9 samples of 2 independent patients or images",
            ),
            (([0, 1] * 5, None, ["test"] * 10), {}, "no samples that val could be taken from"),
            (([0, 1] * 5,), {"validation": 1.0}, r"validation must lie in \[0, 1\)"),
            (([0, 1] * 5,), {"test": -0.1}, r"test must lie in \[0, 1\)"),
            (([0, 1] * 5,), {"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
        ],
    )
    def test_data_that_cannot_be_divided_name_class_and_numbers(self, labelled, arguments, options, message):
        with pytest.raises(InputError, match=message):
            assign_splits(labelled(*arguments), **options)


class TestCheckSplit:
    def test_a_sound_division_passes(self, labelled):
        check_split(labelled([0, 1] * 3, split=["train", "train", "val", "val", "test", "test"]))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"split": ["train", "train", "", "val", "test", "test"]}, "Sample s002 has no split"),
            ({"split": ["train", "val", "train", "val", "test", "test"]}, "class b has no sample in train"),
            ({"y": [0] * 6}, "only the class a"),
            ({"patients": [*"xyzwvx"]}, r"Patient x is in train \(s000\) and in test \(s005\), the only such patient"),
            ({"patients": [*"xyxywv"]}, "Patient x .* one of 2 such patients"),
            ({"images": [0, 1, 2, 3, 4, 1]}, "image s001 in train is identical to s005 in test, the only such image"),
        ],
    )
    def test_an_unsound_division_is_named(self, labelled, changes, message):
        fields = {"y": [0, 1] * 3, "split": ["train", "train", "val", "val", "test", "test"]} | changes
        with pytest.raises(InputError, match=message):
            check_split(labelled(**fields))

    def test_leakage_can_be_allowed_by_name(self, labelled):
        split = ["train", "train", "val", "val", "test", "test"]
        check_split(labelled([0, 1] * 3, patients=[*"xyxywv"], split=split), allow_patient_overlap=True)
        check_split(labelled([0, 1] * 3, split=split, images=[0, 1, 2, 3, 4, 1]), allow_duplicate_images=True)

    def test_patients_and_images_within_one_split_and_unknown_patients_are_no_leakage(self, labelled):
        split = ["train", "train", "val", "val", "test", "test"]
        check_split(labelled([0, 1] * 3, patients=["x", "x", "", "", "", ""], split=split, images=[0, 0, 1, 2, 3, 4]))
