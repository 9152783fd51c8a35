"""Which samples a run trains on, validates on and is tested on, by the keys of its configuration."""

from imbclf.data import assign_splits, check_split, read_split
from imbclf.data.folds import k_fold
from imbclf.data.sites import hold_out_site
from imbclf.errors import InputError


def check_division(data):
    """Raise `InputError` if the keys of the section `data` contradict each other."""
    ways = {"data.split": data.split, "data.test_site": data.test_site, "data.folds": data.folds}
    given = [key for key, value in ways.items() if value is not None]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} each divide the data: give one of them.")
    needs = {"fold": "folds", "repeat": "folds", "inner_folds": "folds", "inner_fold": "inner_folds"}
    for key, needed in needs.items():
        if getattr(data, key) and getattr(data, needed) is None:
            raise InputError(f"data.{key}={getattr(data, key)} needs data.{needed}, the number of folds.")
    for key in ("fold", "inner_fold"):
        number, count = getattr(data, key), getattr(data, f"{key}s")
        if count is not None and number >= count:
            raise InputError(f"data.{key}={number} does not exist: data.{key}s={count} makes 0 to {count - 1}.")


def divide(dataset, data, recorded=None):
    """A data set with every sample in a split, checked for leakage.

    Args:
        dataset: A `Dataset` or a `SegmentationDataset`.
        data: The section `data` of a configuration.
        recorded: The `split.csv` of a run that is followed whatever the section says; or None.
    """
    if recorded is not None:
        return read_split(recorded, dataset)
    if data.split is not None:
        dataset = read_split(data.split, dataset)
    elif data.test_site is not None:
        allowed = (data.allow_patient_overlap, data.allow_duplicate_images)
        dataset = hold_out_site(dataset, data.test_site, data.validation, data.split_seed, *allowed)
    elif data.folds is not None:
        which = {key: getattr(data, key) for key in ("fold", "repeat", "inner_fold", "folds", "inner_folds")}
        dataset = k_fold(dataset, **which, validation=data.validation, seed=data.split_seed)
    else:
        dataset = assign_splits(dataset, validation=data.validation, test=data.test, seed=data.split_seed)
    check_split(dataset, data.allow_patient_overlap, data.allow_duplicate_images)
    return dataset
