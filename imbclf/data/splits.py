"""Dividing a data set into training, validation and test."""

from dataclasses import replace

import numpy as np

from imbclf.data.allocation import check_fraction, divide_by_fractions
from imbclf.data.leakage import check_leakage, linked_groups
from imbclf.errors import InputError


def assign_splits(dataset, validation=0.15, test=0.2, seed=0):
    r"""Give a split to every sample that has none, stratified by class and grouped by patient at once.

    What the data assign stays. If samples are unassigned, they are divided; if none is, a missing validation or test
    split is taken from the training samples, so that official train and test splits gain a validation split. Splits
    that already have samples get no more: the rest goes to training. Samples of one patient, and identical images, stay
    together, and join the split of those among them that have one. Class c with $n_c$ samples to divide gives

    $$ \max(1, \mathrm{round}(n_c \cdot \mathrm{fraction})) $$

    samples to validation and to test: exactly where every group is one sample of one class, else as close as whole
    groups allow. A case of a `SegmentationDataset` counts for every class that it holds.

    Args:
        dataset: A `Dataset` or a `SegmentationDataset`.
        validation: Fraction of the divided samples for validation, in [0, 1); 0 for none.
        test: Likewise for test.
        seed: Chooses among the samples.

    Returns:
        The data set without an unassigned sample.

    Raises:
        InputError: A fraction outside [0, 1), both together 1 or more, no sample to divide, or a class with fewer
            samples or patients than there are splits to fill.

    Example:

    >>> from imbclf.data import assign_splits, long_tailed_digits
    >>> digits = assign_splits(long_tailed_digits(), validation=0.15)
    >>> digits.counts("val").tolist()
    [20, 14, 10, 7, 5, 4, 3, 2, 1, 1]
    """
    check_fraction("validation", validation)
    check_fraction("test", test)
    if validation + test >= 1:
        raise InputError(f"validation {validation!r} and test {test!r} leave nothing to train on: make them smaller.")
    fractions = {
        split: fraction
        for split, fraction in (("val", validation), ("test", test))
        if fraction > 0 and split not in dataset.split
    }
    split = dataset.split.astype("<U5")
    has_unassigned = bool((split == "").any())
    if not has_unassigned and not fractions:
        return dataset
    groups = linked_groups(dataset)
    if has_unassigned:
        split = _join_assigned(split, groups)
    pool = np.flatnonzero(split == ("" if has_unassigned else "train"))
    if fractions and len(pool) == 0:
        raise InputError(f"There are no samples that {' and '.join(fractions)} could be taken from.")
    if fractions:
        split[pool] = divide_by_fractions(dataset, pool, groups[pool], fractions, np.random.default_rng(seed))
    split[split == ""] = "train"
    return replace(dataset, split=split)


def check_split(dataset, allow_patient_overlap=False, allow_duplicate_images=False):
    """Check that a divided data set can be trained on.

    Args:
        dataset: A `Dataset` or `SegmentationDataset` whose samples all have a split.
        allow_patient_overlap: Accept a patient in two splits.
        allow_duplicate_images: Accept an identical image in two splits.

    Raises:
        InputError: Samples without a split, a class without a training sample, fewer than two classes, or leakage as
            `check_leakage` finds it.
    """
    if (dataset.split == "").any():
        first = dataset.ids[np.argmax(dataset.split == "")]
        raise InputError(f"Sample {first} has no split: divide the data with assign_splits first.")
    if dataset.num_classes < 2:
        raise InputError(f"There is only the class {dataset.class_names[0]}: at least two are needed.")
    for name, count in zip(dataset.class_names, dataset.counts("train")):
        if count == 0:
            raise InputError(f"The class {name} has no sample in train: add some, or leave the class out.")
    check_leakage(dataset, allow_patient_overlap, allow_duplicate_images)


def _join_assigned(split, groups):
    """Unassigned samples join the split of their group, where one of the group has one."""
    split_of = {}
    for group, word in zip(groups, split):
        if word:
            split_of.setdefault(group, word)
    return np.array([word or split_of.get(group, "") for group, word in zip(groups, split)], dtype="<U5")
