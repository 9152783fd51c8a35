"""Dividing a data set into training, validation and test."""

from dataclasses import replace

import numpy as np

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
    for name, fraction in (("validation", validation), ("test", test)):
        if not 0 <= fraction < 1:
            raise InputError(f"The fraction for {name} must lie in [0, 1), but it is {fraction!r}.")
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
        split[pool] = _divide(dataset, pool, groups[pool], fractions, np.random.default_rng(seed))
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


def _divide(dataset, pool, groups, fractions, random):
    """Split of each sample of the pool, group by group towards a target count per split and class."""
    group_names, groups = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(group_names), dataset.num_classes), np.int64)
    np.add.at(counts, groups, dataset.holds()[pool].astype(np.int64))
    splits = ("train", *fractions)
    _check_enough(dataset, counts, splits)
    total = counts.sum(axis=0)
    small = [np.maximum(1, np.rint(total * fraction)) for fraction in fractions.values()]
    target = np.stack([np.maximum(1, total - sum(small)), *small]) * (total > 0)

    shuffled = random.permutation(len(group_names))
    largest_first = shuffled[np.argsort(-counts[shuffled].sum(axis=1), kind="stable")]
    chosen = np.full(len(group_names), -1)
    have = np.zeros_like(target)

    def put(group, place):
        chosen[group] = place
        have[place] += counts[group]

    # Every split gets a group of every class first, rare classes before frequent ones; the largest goes to training.
    for label in np.argsort((counts > 0).sum(axis=0), kind="stable"):
        for place in range(len(splits)):
            free = largest_first[(chosen[largest_first] < 0) & (counts[largest_first, label] > 0)]
            if have[place, label] == 0 and len(free) > 0:
                put(free[0 if place == 0 else -1], place)
    for group in largest_first[chosen[largest_first] < 0]:
        # How much the squared distance to the targets, relative to them, grows when the group goes to each split.
        growth = counts[group] * (counts[group] + 2 * (have - target)) / np.maximum(target, 1)
        put(group, int(np.argmin(growth.sum(axis=1))))
    for label in np.flatnonzero(((have == 0) & (total > 0)).any(axis=0)):
        raise InputError(
            f"The class {dataset.class_names[label]} cannot be spread over {', '.join(splits)} without dividing a "
            "patient: assign the splits yourself, or leave one out."
        )
    return np.asarray(splits)[chosen[groups]]


def _check_enough(dataset, counts, splits):
    for label, name in enumerate(dataset.class_names):
        samples, groups = int(counts[:, label].sum()), int((counts[:, label] > 0).sum())
        if 0 < groups < len(splits) or samples == 0:
            of_patients = f" of {groups} independent patients or images" if groups < samples else ""
            raise InputError(
                f"The class {name} has {samples} sample{'s' * (samples != 1)}{of_patients}, but dividing it into "
                f"{', '.join(splits)} needs at least {len(splits)}: add samples, or assign the splits yourself."
            )
