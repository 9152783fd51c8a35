"""The columns that every labelled data set has: who a sample is, and in which split it stands."""

import numpy as np

from imbclf.errors import InputError

SPLITS = ("train", "val", "test")


class LabelledColumns:
    """Base of `Dataset` and `SegmentationDataset`, frozen dataclasses with these fields.

    Attributes:
        class_names: The K class names, in the order of the indices.
        ids: Unique string per sample `(n,)`.
        split: `"train"`, `"val"`, `"test"`, or `""` where none is assigned yet `(n,)`.
        patients: Patient of each sample `(n,)`, or None where the data names none.
        sites: Site (scanner, hospital) of each sample `(n,)`, or None.
    """

    def holds(self):
        """Which sample holds which class, boolean `(n, K)`."""
        raise NotImplementedError(f"{type(self).__name__} must say which classes a sample holds.")

    def label_texts(self):
        """The classes of each sample in words, n strings."""
        raise NotImplementedError(f"{type(self).__name__} must say the classes of a sample in words.")

    def __len__(self):
        return len(self.ids)

    @property
    def num_classes(self):
        """Number of classes K, those without a sample included."""
        return len(self.class_names)

    def indices(self, split):
        """Positions of the samples of one split, ascending, as int64 `(b,)`."""
        if split not in (*SPLITS, ""):
            raise InputError(f"A split is train, val, test or empty, not {split!r}.")
        return np.flatnonzero(self.split == split)

    def counts(self, split=None):
        """Number of samples that hold each class in one split (in all of them for None), as int64 `(K,)`."""
        rows = slice(None) if split is None else self.indices(split)
        return self.holds()[rows].sum(axis=0, dtype=np.int64)

    def _fix(self, field, value):
        object.__setattr__(self, field, value)

    def _fix_columns(self):
        """Give the fields their types."""
        self._fix("class_names", tuple(str(class_name) for class_name in self.class_names))
        for field in ("ids", "split", "patients", "sites"):
            if (value := getattr(self, field)) is not None:
                self._fix(field, np.asarray(value).astype(str))

    def _check_lengths(self, count, fields):
        for field in fields:
            value = getattr(self, field)
            if value is not None and value.shape != (count,):
                raise InputError(
                    f"There are {count} images, but {field} has shape {value.shape} instead of ({count},)."
                )

    def _check_class_names(self):
        if len(set(self.class_names)) != len(self.class_names):
            raise InputError(f"Class names must differ, but they are {', '.join(self.class_names)}.")

    def _check_ids_and_splits(self):
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

    def _positions(self, mask):
        """Positions that a boolean mask `(n,)`, or integer positions, pick."""
        picked = np.asarray(mask)
        if picked.dtype == bool:
            if picked.shape != (len(self),):
                raise InputError(f"The mask must have shape ({len(self)},), but it has shape {picked.shape}.")
            picked = np.flatnonzero(picked)
        return picked.astype(np.int64)

    def _columns_at(self, positions):
        """The fields of this class at some positions, to make a smaller data set of."""
        columns = {field: getattr(self, field) for field in ("ids", "split", "patients", "sites")}
        return {field: None if values is None else values[positions] for field, values in columns.items()}
