"""Images with a mask each, of different sizes, with their split, patient and site."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from imbclf.data.columns import LabelledColumns
from imbclf.data.last_used import LastUsed
from imbclf.data.normalization import NORMALIZATIONS, normalize_image
from imbclf.errors import InputError

AUTOMATIC_MEMORY = 2 * 2**30


@dataclass(frozen=True, eq=False)
class Case:
    """One image with its mask; the arrays are shared and cannot be written to.

    Args:
        id: The case's id.
        image: float32 `(*space, channels)`, normalised.
        mask: int32 `(*space)`: classes `0..K-1`, or the label that does not count.
        affine: float64 `(rank + 1, rank + 1)` from indices to millimetres.
        spacing: Size of a voxel along each spatial axis.
        path: The (first) image file, for `write_nifti(reference=...)`; None for data in memory.
    """

    id: str
    image: np.ndarray
    mask: np.ndarray
    affine: np.ndarray
    spacing: tuple[float, ...]
    path: Path | None = None


@dataclass(frozen=True, eq=False)
class SegmentationDataset(LabelledColumns):
    """Cases to segment; each has a size of its own.

    Args:
        images: `VolumeFiles` or `VolumeArrays`.
        masks: `LabelFiles` or `LabelArrays`, in the same order.
        class_names: The K class names, background first.
        ids: Unique string per case `(n,)`.
        split: `"train"`, `"val"`, `"test"`, or `""` where none is assigned yet `(n,)`.
        patients: Patient of each case `(n,)`, or None where the data names none.
        sites: Site (scanner, hospital) of each case `(n,)`, or None.
        ignore_class: Label in the masks that is no class and does not count, such as 255, or None.
        normalize: `"zscore"`, `"minmax"` or `"none"`; see `normalize_image`.
        memory: Bytes of cases that are kept after they were read; those used longest ago are dropped first. The case
            used last is always kept.
        name: Short name for reports.
        source: Where the data came from, for reports.

    Raises:
        InputError: The columns differ in length, images and masks in shape, cases in rank or channels, an id or a class
            name comes twice, a split is none of the words above, or `ignore_class` is a class.

    Example:

    >>> import numpy as np
    >>> from imbclf.data import LabelArrays, SegmentationDataset, VolumeArrays
    >>> dataset = SegmentationDataset(
    ...     images=VolumeArrays([np.ones((4, 5, 6, 1)), np.ones((7, 5, 6, 1))]),
    ...     masks=LabelArrays([np.zeros((4, 5, 6), int), np.ones((7, 5, 6), int)]),
    ...     class_names=("background", "tumour"),
    ...     ids=["a", "b"],
    ...     split=["train", "test"],
    ... )
    >>> dataset.spaces.tolist()
    [[4, 5, 6], [7, 5, 6]]
    >>> dataset.voxel_counts().tolist()
    [[120, 0], [0, 210]]
    >>> dataset.counts("train").tolist()
    [1, 0]
    """

    images: Any
    masks: Any
    class_names: tuple[str, ...]
    ids: np.ndarray
    split: np.ndarray
    patients: np.ndarray | None = None
    sites: np.ndarray | None = None
    ignore_class: int | None = None
    normalize: str = "zscore"
    memory: int = AUTOMATIC_MEMORY
    name: str = "data"
    source: str = ""

    def __post_init__(self):
        self._fix_columns()
        self._check_lengths(len(self.images), ("ids", "split", "patients", "sites"))
        self._check_class_names()
        self._check_ids_and_splits()
        if len(self.masks) != len(self.images):
            raise InputError(f"There are {len(self.images)} images but {len(self.masks)} masks.")
        if self.normalize not in NORMALIZATIONS:
            raise InputError(f"normalize must be one of {', '.join(NORMALIZATIONS)}, not {self.normalize!r}.")
        if self.ignore_class is not None and 0 <= self.ignore_class < self.num_classes:
            raise InputError(
                f"ignore_class {self.ignore_class} is the class {self.class_names[self.ignore_class]}: choose a label "
                f"outside 0 to {self.num_classes - 1}, such as 255."
            )
        self._check_sizes()
        self._fix("_kept", LastUsed(self.memory))

    def _check_sizes(self):
        headers = [self.images.header(case) for case in range(len(self))]
        for case, header in enumerate(headers):
            if len(header.space) != len(headers[0].space):
                raise InputError(
                    f"Cases must be all flat or all volumes, but {self.ids[0]} has shape {headers[0].space} and "
                    f"{self.ids[case]} has {header.space}."
                )
            if header.channels != headers[0].channels:
                raise InputError(
                    f"Images must have one number of channels, but {self.ids[0]} has {headers[0].channels} and "
                    f"{self.ids[case]} has {header.channels}."
                )
            if (of_mask := self.masks.header(case).space) != header.space:
                raise InputError(f"The image of {self.ids[case]} has shape {header.space}, but its mask has {of_mask}.")

    @property
    def spaces(self):
        """Spatial shape of each case, int64 `(n, rank)`, known without reading it."""
        return self.images.spaces

    @property
    def rank(self):
        """Number of spatial axes, 2 or 3."""
        return len(self.images.header(0).space)

    @property
    def channels(self):
        """Number of channels of every image."""
        return self.images.header(0).channels

    def case(self, position):
        """The `Case` at a position, read if it is not in memory."""
        return self._kept.get(str(self.ids[position]), lambda: self._read(position))

    def _read(self, position):
        header = self.images.header(position)
        image = normalize_image(self.images[position], self.normalize)
        mask = self.masks[position]
        if image.shape[:-1] != header.space or mask.shape != header.space:
            raise InputError(f"The case {self.ids[position]} changed its size after it was listed.")
        # Views, so that arrays given by the caller stay writable for the caller.
        image, mask = image.view(), mask.view()
        image.flags.writeable = mask.flags.writeable = False
        path = self.images.path(position)
        case = Case(str(self.ids[position]), image, mask, header.affine, header.spacing, path)
        return case, image.nbytes + mask.nbytes

    def voxel_counts(self, split=None):
        """Number of voxels of each class in each case, int64 `(n, K)`; ignored voxels are in none.

        Args:
            split: Only the cases of one split; None for all.

        Raises:
            InputError: A label that is neither a class nor `ignore_class`: names file, label and number of voxels.
        """
        positions = range(len(self)) if split is None else self.indices(split)
        counts = np.zeros((len(positions), self.num_classes), np.int64)
        for row, position in enumerate(positions):
            for label, count in self.masks.label_counts(position).items():
                if 0 <= label < self.num_classes:
                    counts[row, label] = count
                elif label != self.ignore_class:
                    raise InputError(
                        f"The mask {self.masks.path(position) or self.ids[position]} has the label {label} in {count} "
                        f"voxels, but labels are 0 to {self.num_classes - 1}"
                        f"{'' if self.ignore_class is None else f' or {self.ignore_class} (ignore_class)'}: correct "
                        "it, or give class_names or ignore_class."
                    )
        return counts

    def holds(self):
        """Which case has a voxel of which class, boolean `(n, K)`."""
        return self.voxel_counts() > 0

    def label_texts(self):
        """Names of the classes in each mask, background aside, joined by `+`."""
        return [
            "+".join(name for name, held in zip(self.class_names[1:], row[1:]) if held) or self.class_names[0]
            for row in self.holds()
        ]

    def select(self, mask):
        """The cases that `mask` (boolean `(n,)`, or integer positions) picks; what is in memory is shared."""
        picked = self._positions(mask)
        selected = replace(
            self, images=self.images.select(picked), masks=self.masks.select(picked), **self._columns_at(picked)
        )
        selected._fix("_kept", self._kept)
        return selected
