"""Dividing a data set several times, so that every sample is in a test split once."""

from dataclasses import replace

import numpy as np

from imbclf.data.allocation import check_fraction, divide_by_fractions, divide_evenly
from imbclf.data.leakage import linked_groups
from imbclf.errors import InputError, continued


def k_folds(dataset, folds=5, repeats=1, inner_folds=None, validation=0.15, seed=0):
    r"""Divide a data set for repeated, and on request nested, k-fold cross-validation.

    Every sample is in the test split of exactly one fold of each repeat. Samples of one patient, and identical images,
    stay together. With $n_k$ samples of class k, each fold tests

    $$ \lfloor n_k / \mathrm{folds} \rfloor \text{ or } \lceil n_k / \mathrm{folds} \rceil $$

    of them where every patient has one sample; else the counts are such that neither moving a patient nor exchanging
    two makes them more equal (data with more than 200 different combinations of counts per patient are dealt out
    largest first instead). A division that the data themselves name is not used.

    The samples outside the test split become training and validation: a share of `validation` as `assign_splits` would
    take it, or, nested, one of `inner_folds` folds after the other.

    Args:
        dataset: A `Dataset` or a `SegmentationDataset`.
        folds: Number of folds k, at least 2.
        repeats: Number of times that all samples are divided anew.
        inner_folds: Number of folds that the samples outside the test split are divided into; None for no nesting.
        validation: Fraction of the samples outside the test split for validation, in [0, 1); 0 for none. Nesting does
            not use it.
        seed: Chooses among the samples. The division is a function of data and arguments; that of a repeat does not
            depend on how many there are.

    Returns:
        A list of data sets without an unassigned sample: `repeats * folds` of them, or `repeats * folds * inner_folds`,
        the last of these counting fastest. Each is written and read back by `write_split` and `read_split`.

    Raises:
        InputError: A number that is too small, or a class with fewer patients than there are folds.

    Example:

    >>> from imbclf.data import k_folds, long_tailed_digits
    >>> digits = k_folds(long_tailed_digits(), folds=5, repeats=2)
    >>> len(digits)
    10
    >>> [fold.counts("test")[:3].tolist() for fold in digits[:5]]
    [[34, 27, 21], [34, 27, 21], [34, 27, 21], [34, 26, 22], [34, 26, 22]]
    """
    _check(folds, repeats, inner_folds, validation)
    groups = linked_groups(dataset)
    divided = []
    for repeat in range(repeats):
        part = _outer(dataset, groups, folds, repeat, seed)
        for fold in range(folds):
            splits = _inner(dataset, groups, part, repeat, fold, folds, inner_folds, validation, seed)
            divided += [replace(dataset, split=split) for split in splits]
    return divided


def k_fold(dataset, fold=0, repeat=0, inner_fold=0, folds=5, inner_folds=None, validation=0.15, seed=0):
    """One of the divisions of `k_folds`, without the others.

    Args:
        dataset: A `Dataset` or a `SegmentationDataset`.
        fold: The fold to test on, 0 to `folds - 1`.
        repeat: The repeat, from 0 on.
        inner_fold: The inner fold to validate on, 0 to `inner_folds - 1`.
        folds, inner_folds, validation, seed: See `k_folds`.

    Returns:
        The data set without an unassigned sample.

    Raises:
        InputError: As `k_folds`, or a fold that does not exist.

    Example:

    >>> from imbclf.data import k_fold, k_folds, long_tailed_digits
    >>> digits = long_tailed_digits()
    >>> bool((k_fold(digits, fold=3, repeat=1).split == k_folds(digits, repeats=2)[8].split).all())
    True
    """
    _check(folds, repeat + 1, inner_folds, validation)
    for name, number, count in (("fold", fold, folds), ("inner_fold", inner_fold, inner_folds or 1)):
        if not 0 <= number < count:
            raise InputError(f"{name} {number} does not exist: with {count} they are 0 to {count - 1}.")
    groups = linked_groups(dataset)
    part = _outer(dataset, groups, folds, repeat, seed)
    splits = _inner(dataset, groups, part, repeat, fold, folds, inner_folds, validation, seed)
    return replace(dataset, split=splits[inner_fold])


def _check(folds, repeats, inner_folds, validation):
    if folds < 2 or (inner_folds is not None and inner_folds < 2):
        raise InputError(f"At least 2 folds are needed, not {folds if folds < 2 else inner_folds}.")
    if repeats < 1:
        raise InputError("repeats must be at least 1, and repeat at least 0.")
    check_fraction("validation", validation)


def _outer(dataset, groups, folds, repeat, seed):
    """Fold that each sample is tested in `(n,)`."""
    random = np.random.default_rng((seed, repeat, 0))
    return divide_evenly(dataset, np.arange(len(dataset)), groups, folds, random)


def _inner(dataset, groups, part, repeat, fold, folds, inner_folds, validation, seed):
    """The splits `(n,)` that test on one fold: one for each inner fold, or one with a share for validation."""
    rest = np.flatnonzero(part != fold)
    random = np.random.default_rng((seed, repeat, 1 + fold))
    outer = np.where(part == fold, "test", "train").astype("<U5")
    try:
        if inner_folds is None:
            fractions = {"val": validation} if validation > 0 else {}
            outer[rest] = divide_by_fractions(dataset, rest, groups[rest], fractions, random)
            return [outer]
        inner = divide_evenly(dataset, rest, groups[rest], inner_folds, random, "inner folds")
    except InputError as error:
        reason = continued(error)
        raise InputError(f"The samples outside fold {fold} of {folds} cannot be divided: {reason}") from None
    splits = [outer.copy() for _ in range(inner_folds)]
    for number, split in enumerate(splits):
        split[rest[inner == number]] = "val"
    return splits
