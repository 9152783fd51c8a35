"""What every reader returns and everything else consumes: images, labels, and who belongs where."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imbclf.data.columns import LabelledColumns
from imbclf.errors import InputError


@dataclass(frozen=True, eq=False)
class Dataset(LabelledColumns):
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
        y = np.asarray(self.y)
        if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
            raise InputError(f"y must hold one integer per sample, but it has shape {y.shape} and type {y.dtype}.")
        self._fix("y", y.astype(np.int64))
        self._fix_columns()
        self._check_lengths(len(self.images), ("y", "ids", "split", "patients", "sites"))
        self._check_class_names()
        outside = (self.y < 0) | (self.y >= self.num_classes)
        if outside.any():
            first = int(np.argmax(outside))
            raise InputError(
                f"Sample {self.ids[first]} has label {self.y[first]}, but there are {self.num_classes} classes "
                f"(0 to {self.num_classes - 1})."
            )
        self._check_ids_and_splits()

    @property
    def image_shape(self):
        """Shape of one image, `(*space, channels)`."""
        return tuple(self.images.shape[1:])

    def holds(self):
        """Which sample is of which class, boolean `(n, K)`."""
        return self.y[:, np.newaxis] == np.arange(self.num_classes)

    def label_texts(self):
        """Class name of each sample."""
        return [self.class_names[label] for label in self.y]

    def select(self, mask):
        """The samples that `mask` (boolean `(n,)`, or integer positions) picks, as a Dataset of the same classes."""
        picked = self._positions(mask)
        return replace(self, images=self.images.select(picked), y=self.y[picked], **self._columns_at(picked))
