"""How many images of each class there are, in each split and at each site."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from imbclf.data.columns import SPLITS

NO_SPLIT = "no split"


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """How many images of a group hold each class.

    Args:
        images: Number of images with a label, or with a mask that was read.
        counts: Of these, those that hold each class, int64 `(K,)`. A mask holds several.
    """

    images: int
    counts: np.ndarray

    @property
    def shares(self):
        """Share of the images that holds each class, in [0, 1]; 0 without an image."""
        return self.counts / max(self.images, 1)


def class_counts(table, groups):
    """Images that hold each class, for some groups of positions.

    Args:
        table: A `CheckedTable`.
        groups: {name: positions}.

    Returns:
        {name: `ClassCounts`} in the order of `table.class_names`.
    """
    counted = {}
    for name, positions in groups.items():
        held = [classes for position in positions if (classes := table.classes_of(position))]
        counts = Counter(label for classes in held for label in classes)
        counted[name] = ClassCounts(len(held), np.array([counts[label] for label in table.class_names], np.int64))
    return counted


def split_groups(table):
    """Positions of train, val, test and of rows without a split; groups without a row are left out."""
    positions = table.positions_by("split")
    groups = {split: positions[split] for split in SPLITS if split in positions}
    rest = [position for position, row in enumerate(table.rows) if not row.split]
    return groups | ({NO_SPLIT: rest} if rest and groups else {})


def site_groups(table):
    """Positions of each site, in the order of the alphabet; empty where no row names a site."""
    return dict(sorted(table.positions_by("site").items()))
