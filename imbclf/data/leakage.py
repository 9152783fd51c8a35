"""What must not stand on both sides of a split: a patient, or an identical image."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imbclf.errors import InputError


def check_leakage(dataset, allow_patient_overlap=False, allow_duplicate_images=False):
    """Raise if a patient or an identical image is in two splits.

    Images are identical when all their pixels are (arrays) or all bytes of their files. Samples without a split or
    without a patient are not compared.

    Args:
        dataset: A `Dataset` or `SegmentationDataset`.
        allow_patient_overlap: Do not look at patients.
        allow_duplicate_images: Do not look at pixels.

    Raises:
        InputError: Names a patient, or two images, and says how many there are.
    """
    if not allow_patient_overlap and dataset.patients is not None:
        shared = _in_two_splits(dataset.patients, dataset.split, dataset.patients != "")
        if shared:
            first, second = shared[0]
            raise InputError(
                f"Patient {dataset.patients[first]} is in {dataset.split[first]} ({dataset.ids[first]}) and in "
                f"{dataset.split[second]} ({dataset.ids[second]}), {_how_many(len(shared), 'patient')}: keep each "
                "patient in one split, or set allow_patient_overlap."
            )
    if not allow_duplicate_images:
        fingerprints = np.asarray(dataset.images.fingerprints())
        shared = _in_two_splits(fingerprints, dataset.split, np.ones(len(dataset), bool))
        if shared:
            first, second = shared[0]
            raise InputError(
                f"The image {dataset.ids[first]} in {dataset.split[first]} is identical to {dataset.ids[second]} in "
                f"{dataset.split[second]}, {_how_many(len(shared), 'image')}: keep one, or set allow_duplicate_images."
            )


def linked_groups(dataset):
    """Number of the group of each sample `(n,)`: samples of one patient, or with identical images, are in one group."""
    count = len(dataset)
    links = [np.unique(np.asarray(dataset.images.fingerprints()), return_inverse=True)[1]]
    if dataset.patients is not None:
        named = np.where(dataset.patients == "", [f"\0{position}" for position in range(count)], dataset.patients)
        links.append(np.unique(named, return_inverse=True)[1])
    samples, hubs, offset = [], [], count
    for link in links:
        samples.append(np.arange(count))
        hubs.append(link + offset)
        offset += link.max() + 1
    edges = (np.ones(len(links) * count, np.int8), (np.concatenate(samples), np.concatenate(hubs)))
    return connected_components(coo_array(edges, shape=(offset, offset)), directed=False)[1][:count]


def _in_two_splits(keys, split, considered):
    """Pairs of positions with one key and two splits, one pair per key."""
    first, shared = {}, {}
    for position in np.flatnonzero(considered & (split != "")):
        start = first.setdefault(keys[position], position)
        if split[start] != split[position]:
            shared.setdefault(keys[position], (int(start), int(position)))
    return list(shared.values())


def _how_many(count, noun):
    return f"the only such {noun}" if count == 1 else f"one of {count} such {noun}s"
