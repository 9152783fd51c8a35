"""What every reader returns and everything else consumes: images, labels, and who belongs where."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imbclf.errors import InputError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images with their split, patient and site.

    Args:
        images: Object with `len()`, `.shape` `(n, *space, channels)` and `images[int array]`, which gives float32 NumPy
            `(b, *space, channels)` in [0, 1]: `imbclf.data.ImageArray` or `imbclf.data.ImageFiles`.
        y: Class indices `(n,)`, `0..K-1`.
        class_names: The K class names, in the order of the indices.
        ids: Unique string per sample `(n,)`, `"train/000012"` for an .npz, the relative path for a file.
        split: `"train"`, `"val"`, `"test"`, or `""` where none is assigned yet `(n,)`.
        patients: Patient of each sample `(n,)`, or None where the data names none.
        sites: Site (scanner, hospital) of each sample `(n,)`, or None.
        name: Short name for reports.
        source: Where the data came from, for reports.

    Raises:
        InputError: The columns differ in length, a label lies outside the classes, an id or a class name comes twice,
            or a split is none of the words above.

    Example:

    >>> import numpy as np
    >>> from imbclf.data import Dataset, ImageArray
    >>> dataset = Dataset(
    ...     images=ImageArray(np.zeros((3, 8, 8, 1), "uint8")),
    ...     y=np.array([0, 1, 0]),
    ...     class_names=("healthy", "glaucoma"),
    ...     ids=np.array(["a", "b", "c"]),
    ...     split=np.array(["train", "train", "test"]),
    ... )
    >>> dataset.counts("train").tolist()
    [1, 1]
    >>> dataset.image_shape
    (8, 8, 1)
    """

    images: Any
    y: np.ndarray
    class_names: tuple[str, ...]
    ids: np.ndarray
    split: np.ndarray
    patients: np.ndarray | None = None
    sites: np.ndarray | None = None
    name: str = "data"
    source: str = ""

    def __post_init__(self):
        def fix(field, value):
            object.__setattr__(self, field, value)

        y = np.asarray(self.y)
        if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
            raise InputError(f"y must hold one integer per sample, but it has shape {y.shape} and type {y.dtype}.")
        fix("y", y.astype(np.int64))
        fix("class_names", tuple(str(class_name) for class_name in self.class_names))
        for field in ("ids", "split", "patients", "sites"):
            if (value := getattr(self, field)) is not None:
                fix(field, np.asarray(value).astype(str))
        self._check()

    def _check(self):
        count = len(self.images)
        for field in ("y", "ids", "split", "patients", "sites"):
            value = getattr(self, field)
            if value is not None and value.shape != (count,):
                raise InputError(
                    f"There are {count} images, but {field} has shape {value.shape} instead of ({count},)."
                )
        if len(set(self.class_names)) != len(self.class_names):
            raise InputError(f"Class names must differ, but they are {', '.join(self.class_names)}.")
        outside = (self.y < 0) | (self.y >= self.num_classes)
        if outside.any():
            first = int(np.argmax(outside))
            raise InputError(
                f"Sample {self.ids[first]} has label {self.y[first]}, but there are {self.num_classes} classes "
                f"(0 to {self.num_classes - 1})."
            )
        unknown = ~np.isin(self.split, (*SPLITS, ""))
        if unknown.any():
            first = int(np.argmax(unknown))
            raise InputError(
                f"Sample {self.ids[first]} is in split {str(self.split[first])!r}, but a split is train, val, test or "
                "empty."
            )
        values, occurrences = np.unique(self.ids, return_counts=True)
        if (occurrences > 1).any():
            raise InputError(f"Every sample needs its own id, but {values[occurrences > 1][0]} comes more than once.")

    def __len__(self):
        return len(self.y)

    @property
    def num_classes(self):
        """Number of classes K, those without a sample included."""
        return len(self.class_names)

    @property
    def image_shape(self):
        """Shape of one image, `(*space, channels)`."""
        return tuple(self.images.shape[1:])

    def indices(self, split):
        """Positions of the samples of one split, ascending, as int64 `(b,)`."""
        if split not in (*SPLITS, ""):
            raise InputError(f"A split is train, val, test or empty, not {split!r}.")
        return np.flatnonzero(self.split == split)

    def counts(self, split=None):
        """Number of samples of each class in one split (in all of them for None), as int64 `(K,)`."""
        y = self.y if split is None else self.y[self.indices(split)]
        return np.bincount(y, minlength=self.num_classes)

    def select(self, mask):
        """The samples that `mask` (boolean `(n,)`, or integer positions) picks, as a Dataset of the same classes."""
        picked = np.asarray(mask)
        if picked.dtype == bool:
            if picked.shape != (len(self),):
                raise InputError(f"The mask must have shape ({len(self)},), but it has shape {picked.shape}.")
            picked = np.flatnonzero(picked)
        picked = picked.astype(np.int64)

        def column(values):
            return None if values is None else values[picked]

        return replace(
            self,
            images=self.images.select(picked),
            y=self.y[picked],
            ids=self.ids[picked],
            split=self.split[picked],
            patients=column(self.patients),
            sites=column(self.sites),
        )
