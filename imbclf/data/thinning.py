"""Making the labels of one structure rare, to study what scarce annotation does."""

from dataclasses import replace

import numpy as np

from imbclf.data.volumes import CountedLabels, Volumes
from imbclf.errors import InputError


def thin_class(dataset, name, share, seed=0):
    r"""Keep the labels of one class in a share of the training cases; in the others its voxels do not count.

    Of the m training cases that hold the class, \(\max(1, \mathrm{round}(m \cdot \mathrm{share}))\) keep it. In the
    others its voxels become `ignore_class`. They do not become background: that would teach that the structure is none,
    which no annotator who left it out has said. Cases are not dropped either: a structure that every case has cannot
    become rare that way. Validation and test stay as they are, so that scores keep their meaning.

    Write and read `split.csv` with the data set before thinning, whose masks say which classes a case holds.

    Args:
        dataset: A `SegmentationDataset` with a training split and an `ignore_class`.
        name: Name of a class, not the background.
        share: Number in (0, 1].
        seed: Chooses the cases.

    Returns:
        A `SegmentationDataset`.

    Raises:
        InputError: An unknown class or the background, a share outside (0, 1], no `ignore_class`, or no training case
            that holds the class.

    Example:

    >>> from imbclf.data import assign_splits, segmentation_shapes, thin_class
    >>> shapes = assign_splits(segmentation_shapes(count=30, ignore_class=255))
    >>> shapes.counts("train").tolist()
    [20, 20, 15]
    >>> thin_class(shapes, "organ", 0.1).counts("train").tolist()
    [20, 2, 15]
    """
    if name not in dataset.class_names[1:]:
        raise InputError(f"A class to thin is one of {', '.join(dataset.class_names[1:])}, not {name!r}.")
    if not 0 < share <= 1:
        raise InputError(f"The share of cases that keep {name} must lie in (0, 1], but it is {share!r}.")
    if dataset.ignore_class is None:
        raise InputError(f"To thin {name} its voxels must become ignore_class: set that to a free label, such as 255.")
    label = dataset.class_names.index(name)
    holding = np.flatnonzero(dataset.holds()[:, label] & (dataset.split == "train"))
    if len(holding) == 0:
        raise InputError(f"No training case holds the class {name}, so there is nothing to thin.")
    kept = max(1, round(len(holding) * share))
    thinned = np.zeros(len(dataset), bool)
    thinned[np.random.default_rng(seed).permutation(holding)[kept:]] = True
    return replace(dataset, masks=_WithoutLabel(dataset.masks, thinned, label, dataset.ignore_class))


class _WithoutLabel(CountedLabels, Volumes):
    """Masks of which some have one label replaced."""

    def __init__(self, masks, thinned, label, replacement):
        self.masks, self.thinned, self.label, self.replacement = masks, thinned, label, replacement
        self._counted = {}
        super().__init__([masks.header(case) for case in range(len(masks))])

    def __getitem__(self, case):
        row = self._rows[case]
        mask = self.masks[row]
        return np.where(mask == self.label, np.int32(self.replacement), mask) if self.thinned[row] else mask

    def path(self, case):
        return self.masks.path(self._rows[case])
