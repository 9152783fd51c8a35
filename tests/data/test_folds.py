from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.data import check_split, read_split, segmentation_shapes, write_split
from imbclf.data.folds import k_fold, k_folds
from imbclf.errors import InputError


def times_tested(divided):
    """How often each sample is in a test split, int `(n,)`."""
    return sum((fold.split == "test").astype(int) for fold in divided)


def of_patients(patients, y, classes):
    """Samples of each class of each patient `(P, K)`."""
    counts = np.zeros((patients.max() + 1, classes), int)
    np.add.at(counts, (patients, y), 1)
    return counts


def unevenness(counts):
    """Sum over folds and classes of the squared distance to the mean by the mean, and a thousandth of that of sizes."""
    sizes = counts.sum(axis=1)
    of_classes = ((counts - counts.mean(axis=0)) ** 2 / counts.mean(axis=0)).sum()
    return of_classes + 1e-3 * ((sizes - sizes.mean()) ** 2 / sizes.mean()).sum()


class TestIndependentSamples:
    @settings(max_examples=30, deadline=None)
    @given(
        counts=st.lists(st.integers(6, 40), min_size=2, max_size=5),
        folds=st.integers(2, 6),
        repeats=st.integers(1, 2),
        seed=st.integers(0, 99),
    )
    def test_every_fold_has_an_equal_share_of_every_class(self, labelled, counts, folds, repeats, seed):
        y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
        divided = k_folds(labelled(y), folds, repeats, seed=seed)
        assert len(divided) == folds * repeats
        for repeat in range(repeats):
            of_repeat = divided[repeat * folds : (repeat + 1) * folds]
            assert (times_tested(of_repeat) == 1).all()
            held = np.array([fold.counts("test") for fold in of_repeat])
            assert (np.ptp(held, axis=0) <= 1).all()
            assert np.ptp(held.sum(axis=1)) <= 1

    @settings(max_examples=20, deadline=None)
    @given(
        counts=st.lists(st.integers(8, 30), min_size=2, max_size=4),
        validation=st.floats(0.05, 0.4),
        seed=st.integers(0, 99),
    )
    def test_validation_is_a_share_of_what_is_not_tested(self, labelled, counts, validation, seed):
        y = np.repeat(np.arange(len(counts)), counts)
        for fold in k_folds(labelled(y), 4, validation=validation, seed=seed):
            rest = fold.counts() - fold.counts("test")
            wanted = np.maximum(1, np.rint(rest * validation))
            np.testing.assert_array_equal(fold.counts("val"), wanted)
            check_split(fold)

    def test_a_validation_of_zero_leaves_all_to_training(self, labelled):
        for fold in k_folds(labelled([0, 1] * 6), 2, validation=0):
            assert fold.counts("val").tolist() == [0, 0]
            assert fold.counts("train").tolist() == [3, 3]


class TestPatients:
    @settings(max_examples=30, deadline=None)
    @given(sizes=st.lists(st.integers(1, 6), min_size=30, max_size=50), seed=st.integers(0, 99))
    def test_patients_of_one_class_miss_an_equal_share_by_less_than_a_patient(self, labelled, sizes, seed):
        random = np.random.default_rng(seed)
        classes = np.append(np.repeat([0, 1, 2], 5), random.integers(0, 3, len(sizes) - 15))
        patients = np.repeat([f"p{number}" for number in range(len(sizes))], sizes)
        divided = k_folds(labelled(np.repeat(classes, sizes), patients), seed=seed)
        assert (times_tested(divided) == 1).all()
        for fold in divided:
            check_split(fold)
        held = np.array([fold.counts("test") for fold in divided])
        largest = [max(np.array(sizes)[classes == label]) for label in range(3)]
        assert (np.ptp(held, axis=0) <= largest).all()

    @settings(max_examples=15, deadline=None)
    @given(sizes=st.lists(st.integers(1, 4), min_size=14, max_size=22), seed=st.integers(0, 99))
    def test_no_move_or_exchange_of_patients_makes_folds_more_equal(self, labelled, sizes, seed):
        random = np.random.default_rng(seed)
        patients = np.repeat(np.arange(len(sizes)), sizes)
        y = random.integers(0, 2, len(patients))
        # Three patients of each class alone, so that a division exists.
        y[patients < 6] = patients[patients < 6] % 2
        divided = k_folds(labelled(y, [f"p{number}" for number in patients]), 3, seed=seed)
        fold_of_sample = np.argmax([fold.split == "test" for fold in divided], axis=0)
        fold_of = fold_of_sample[np.unique(patients, return_index=True)[1]]
        counts = of_patients(patients, y, 2)
        held = np.array([counts[fold_of == fold].sum(axis=0) for fold in range(3)])
        assert (held > 0).all()
        fewest = unevenness(held)
        nobody = [(None, np.zeros(2, int), fold) for fold in range(3)]
        everybody = [(p, counts[p], fold_of[p]) for p in range(len(sizes))]
        for (_, gives, one), (_, takes, other) in combinations(everybody + nobody, 2):
            changed = held.copy()
            changed[one] += takes - gives
            changed[other] += gives - takes
            assert (changed == 0).any() or unevenness(changed) > fewest - 1e-6

    @settings(max_examples=20, deadline=None)
    @given(seed=st.integers(0, 999))
    def test_patients_and_identical_images_stay_together_in_every_split(self, labelled, seed):
        random = np.random.default_rng(seed)
        y = np.arange(90) % 3
        patients = np.array([f"p{number}" for number in random.integers(0, 60, 90)])
        images = np.where(random.random(90) < 0.1, random.integers(0, 90, 90), np.arange(90))
        dataset = labelled(y, patients, images=images)
        for fold in (*k_folds(dataset, 3, seed=seed), *k_folds(dataset, 3, inner_folds=2, seed=seed)):
            check_split(fold)

    def test_patients_with_both_classes_are_divided_evenly(self, labelled):
        patients = np.repeat([f"p{number}" for number in range(20)], 2)
        for fold in k_folds(labelled(np.tile([0, 1], 20), patients)):
            assert fold.counts("test").tolist() == [4, 4]

    def test_a_fold_that_would_lack_a_class_gets_it_by_an_exchange(self, labelled):
        # Each class has two patients, and only one way to separate both pairs: {0, 1} from {2, 3}.
        held = [{0}, {1}, {0, 2}, {1, 2}]
        patients = [f"p{number}" for number, classes in enumerate(held) for _ in classes]
        y = [label for classes in held for label in sorted(classes)]
        for seed in range(10):
            for fold in k_folds(labelled(y, patients), 2, validation=0, seed=seed):
                assert fold.counts("test").tolist() == [1, 1, 1]


class TestNested:
    def test_every_sample_outside_the_test_is_validated_on_once(self, labelled):
        divided = k_folds(labelled(np.arange(60) % 3), 5, repeats=2, inner_folds=4)
        assert len(divided) == 2 * 5 * 4
        for start in range(0, len(divided), 4):
            inner = divided[start : start + 4]
            test = inner[0].split == "test"
            for fold in inner:
                np.testing.assert_array_equal(fold.split == "test", test)
                assert fold.counts("test").tolist() == fold.counts("val").tolist() == [4, 4, 4]
            validated = sum((fold.split == "val").astype(int) for fold in inner)
            np.testing.assert_array_equal(validated, ~test)

    def test_the_outer_folds_are_those_without_nesting(self, labelled):
        dataset = labelled(np.arange(40) % 2)
        flat, nested = k_folds(dataset, 4, seed=5), k_folds(dataset, 4, inner_folds=3, seed=5)
        for position, fold in enumerate(flat):
            np.testing.assert_array_equal(fold.split == "test", nested[3 * position].split == "test")


class TestFunctionOfTheSeed:
    def test_the_seed_chooses_the_samples(self, labelled):
        dataset = labelled(np.arange(60) % 3)
        first, again, other = ([fold.split.tolist() for fold in k_folds(dataset, seed=seed)] for seed in (1, 1, 2))
        assert first == again
        assert first != other

    def test_repeats_differ_and_do_not_depend_on_their_number(self, labelled):
        dataset = labelled(np.arange(60) % 3)
        many = [fold.split.tolist() for fold in k_folds(dataset, 4, repeats=3)]
        assert [fold.split.tolist() for fold in k_folds(dataset, 4, repeats=2)] == many[:8]
        assert many[:4] != many[4:8] != many[8:]

    @pytest.mark.parametrize("inner_folds", [None, 2])
    def test_one_fold_alone_is_that_of_all(self, labelled, inner_folds):
        dataset = labelled(np.arange(36) % 2)
        everything = iter(k_folds(dataset, 3, repeats=2, inner_folds=inner_folds, seed=4))
        for repeat in range(2):
            for fold in range(3):
                for inner in range(inner_folds or 1):
                    alone = k_fold(dataset, fold, repeat, inner, folds=3, inner_folds=inner_folds, seed=4)
                    np.testing.assert_array_equal(alone.split, next(everything).split)

    def test_a_division_in_the_data_is_not_used(self, labelled):
        y = np.arange(40) % 2
        official = labelled(y, split=["train"] * 30 + ["test"] * 10)
        for fold, plain in zip(k_folds(official), k_folds(labelled(y))):
            np.testing.assert_array_equal(fold.split, plain.split)


def test_every_fold_is_read_as_it_was_written(tmp_path, labelled):
    dataset = labelled(np.arange(40) % 2, [f"p{number // 2}, the" for number in range(40)])
    for fold in k_folds(dataset, 3, inner_folds=2):
        write_split(tmp_path / "split.csv", fold)
        np.testing.assert_array_equal(read_split(tmp_path / "split.csv", dataset).split, fold.split)


def test_cases_to_segment_are_divided_by_the_classes_they_hold():
    shapes = segmentation_shapes(count=24, size=24, rank=2)
    divided = k_folds(shapes, 3, seed=1)
    assert (times_tested(divided) == 1).all()
    held = np.array([fold.counts("test") for fold in divided])
    assert (np.ptp(held, axis=0) <= 1).all()
    assert held.sum(axis=0).tolist() == shapes.counts().tolist()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0] * 9 + [1] * 3,), {}, "class b has 3 samples, but 5 folds need at least 5: ask for fewer folds"),
        (
            ([0] * 9 + [1] * 9, [*"abcdefghi", *"xxxxyyyzz"]),
            {"folds": 4},
            "class b has 9 samples of 3 independent patients or images, but 4 folds need at least 4",
        ),
        (
            ([0] * 9 + [1] * 2,),
            {"folds": 2},
            "samples outside fold 0 of 2 cannot be divided: the class b has 1 sample, .* train, val needs at least 2",
        ),
        (
            ([0] * 9 + [1] * 3,),
            {"folds": 3, "inner_folds": 3},
            "outside fold 0 of 3 cannot be divided: the class b has 2 samples, but 3 inner folds need at least 3",
        ),
        # Of three patients who hold two of three classes each, two are on one side and share a class.
        (([0, 1, 1, 2, 0, 2], [*"xxyyzz"]), {"folds": 2}, "class . cannot be spread over 2 folds without dividing"),
        (([0, 1] * 5,), {"folds": 1}, "At least 2 folds are needed, not 1"),
        (([0, 1] * 5,), {"inner_folds": 1}, "At least 2 folds are needed, not 1"),
        (([0, 1] * 5,), {"repeats": 0}, "repeats must be at least 1"),
        (([0, 1] * 5,), {"validation": 1.0}, r"validation must lie in \[0, 1\)"),
    ],
)
def test_impossible_demands_are_refused_with_the_numbers(labelled, arguments, options, message):
    with pytest.raises(InputError, match=message):
        k_folds(labelled(*arguments), **options)


def test_a_class_without_a_sample_is_refused(labelled):
    dataset = replace(labelled([0, 1] * 5), class_names=("a", "b", "c"))
    with pytest.raises(InputError, match="class c has 0 samples, but 5 folds need at least 5"):
        k_folds(dataset)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fold": 5}, "fold 5 does not exist: with 5 they are 0 to 4"),
        ({"fold": -1}, "fold -1 does not exist"),
        ({"repeat": -1}, "repeat at least 0"),
        ({"inner_fold": 1}, "inner_fold 1 does not exist: with 1 they are 0 to 0"),
        ({"inner_folds": 3, "inner_fold": 3}, "inner_fold 3 does not exist: with 3 they are 0 to 2"),
    ],
)
def test_a_fold_that_does_not_exist_is_named(labelled, options, message):
    with pytest.raises(InputError, match=message):
        k_fold(labelled([0, 1] * 10), **options)
