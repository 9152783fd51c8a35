"""Testing on sites that training has never seen."""

import warnings
from collections import Counter
from dataclasses import replace
from difflib import get_close_matches

import numpy as np

from imbclf.data.allocation import check_fraction, divide_by_fractions
from imbclf.data.leakage import check_leakage, linked_groups
from imbclf.errors import InputError, continued


def hold_out_site(dataset, sites, validation=0.15, seed=0, allow_patient_overlap=False, allow_duplicate_images=False):
    """Make all samples of one or several sites the test split, and divide the others into training and validation.

    Validation is taken as `assign_splits` takes it: stratified by class, patients and identical images kept together. A
    division that the data themselves name is not used. A class that the sites do not have is a warning, since scores
    on the test split can say nothing of it; so are samples that name no site, which are taken to be of another one.

    Args:
        dataset: A `Dataset` or a `SegmentationDataset` that names sites.
        sites: Name of a site, or several.
        validation: Fraction of the other samples for validation, in [0, 1); 0 for none.
        seed: Chooses the validation samples.
        allow_patient_overlap: Accept a patient with samples in the sites and outside.
        allow_duplicate_images: Accept an image in the sites that is identical to one outside.

    Returns:
        The data set without an unassigned sample.

    Raises:
        InputError: No site named in the data, an unknown one, no sample outside the sites, a patient or an identical
            image inside and outside, or a class with too few samples or patients outside to divide.

    Example:

    >>> import numpy as np
    >>> from imbclf.data import Dataset, ImageArray, hold_out_site
    >>> dataset = Dataset(
    ...     images=ImageArray(np.arange(8, dtype="uint8").reshape(8, 1, 1, 1)),
    ...     y=np.array([0, 0, 0, 1, 1, 1, 0, 1]),
    ...     class_names=("healthy", "ill"),
    ...     ids=np.arange(8).astype(str),
    ...     split=[""] * 8,
    ...     sites=["Basel"] * 6 + ["Bern"] * 2,
    ... )
    >>> hold_out_site(dataset, "Bern").counts("test").tolist()
    [1, 1]
    """
    check_fraction("validation", validation)
    sites = _known_sites(dataset, sites)
    named = " and ".join(sites)
    is_test = np.isin(dataset.sites, sites)
    rest = np.flatnonzero(~is_test)
    if len(rest) == 0:
        raise InputError(f"All {len(dataset)} samples are of {named}: holding them out leaves nothing to train on.")
    split = np.where(is_test, "test", "train").astype("<U5")
    held_out = replace(dataset, split=split)
    try:
        check_leakage(held_out, allow_patient_overlap, allow_duplicate_images)
    except InputError as error:
        raise InputError(f"{named} cannot be held out: {continued(error)}") from None
    fractions = {"val": validation} if validation > 0 else {}
    try:
        random = np.random.default_rng(seed)
        split[rest] = divide_by_fractions(dataset, rest, linked_groups(dataset)[rest], fractions, random)
    except InputError as error:
        raise InputError(f"What is not of {named} cannot be divided: {continued(error)}") from None
    _warn(held_out, named)
    return replace(dataset, split=split)


def _known_sites(dataset, sites):
    """The sites as a list without repetition, each of which has a sample."""
    sites = [sites] if isinstance(sites, str) else list(dict.fromkeys(sites))
    if not sites:
        raise InputError("No site to hold out is given.")
    if dataset.sites is None:
        raise InputError(f"The data {dataset.name} name no sites: fill in the column site of the index.")
    counts = Counter(dataset.sites[dataset.sites != ""].tolist())
    for site in sites:
        if site not in counts:
            near = get_close_matches(str(site), counts, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            known = ", ".join(f"{name} ({count} samples)" for name, count in sorted(counts.items()))
            raise InputError(f"There is no site {site!r} in the data {dataset.name}; {hint}Sites are {known}.")
    return sites


def _warn(dataset, named):
    absent = [name for name, count in zip(dataset.class_names, dataset.counts("test")) if count == 0]
    if absent:
        warnings.warn(
            f"{named}, with {len(dataset.indices('test'))} samples held out for the test, has none of class "
            f"{', '.join(absent)}: the test can say nothing of it.",
            stacklevel=3,
        )
    if unknown := int((dataset.sites == "").sum()):
        warnings.warn(f"{unknown} samples name no site: they are taken to be of another than {named}.", stacklevel=3)
