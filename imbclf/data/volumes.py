"""Where the images and the masks of cases come from: files or arrays, of a different size each."""

import copy
import hashlib
from pathlib import Path

import numpy as np

from imbclf.data.fingerprints import file_fingerprints
from imbclf.data.volume_file import Volume, read_labels, read_volume, read_volume_header
from imbclf.errors import InputError


class Volumes:
    """Base of the four kinds: `volumes[i]` is one array, whose size and place are known without reading it.

    Attributes:
        headers: A `Volume` without voxels for every case.
    """

    def __init__(self, headers):
        self.headers = headers
        self._rows = np.arange(len(headers))

    def __len__(self):
        return len(self._rows)

    @property
    def spaces(self):
        """Spatial shape of each case, int64 `(n, rank)`."""
        return np.array([self.header(case).space for case in range(len(self))], np.int64)

    def header(self, case):
        """Size and place of a case, as a `Volume` without voxels."""
        return self.headers[self._rows[case]]

    def path(self, case):
        """The (first) file of a case, or None for data in memory."""
        return

    def select(self, positions):
        """The cases at some positions; nothing is read again."""
        selected = copy.copy(self)
        selected._rows = self._rows[positions]
        return selected


class CountedLabels:
    """What masks of files and of arrays have in common: labels are counted once, and remembered."""

    def label_counts(self, case):
        """Number of voxels of each label that occurs in a mask, as a dict."""
        row = int(self._rows[case])
        if row not in self._counted:
            labels, counts = np.unique(self[case], return_counts=True)
            self._counted[row] = dict(zip(labels.tolist(), counts.tolist()))
        return self._counted[row]


class VolumeFiles(Volumes):
    """Images in files, float32 `(*space, channels)`, not normalised.

    Args:
        paths: For each case the relative paths of its files: one with all channels, or one per channel.
        root: Folder that the paths start from.

    Raises:
        InputError: No case, a file that is missing or cannot be read, or channels of one case that do not fit together.
    """

    def __init__(self, paths, root):
        self.root = Path(root)
        self.paths = [tuple(files) for files in paths]
        super().__init__([self._common_header(files) for files in self.paths])

    def _common_header(self, files):
        headers = [read_volume_header(self.root / file) for file in files]
        for file, header in zip(files, headers):
            check_same_place(headers[0], header, f"The channel {self.root / files[0]}", self.root / file)
        first = headers[0]
        return Volume(first.space, sum(header.channels for header in headers), first.affine, first.spacing)

    def __getitem__(self, case):
        return np.concatenate([read_volume(file).array for file in self._files(case)], axis=-1)

    def _files(self, case):
        return [self.root / file for file in self.paths[self._rows[case]]]

    def path(self, case):
        return self._files(case)[0]

    def fingerprints(self):
        """A digest of the files of each case: equal digests mean equal files."""
        files = [self._files(case) for case in range(len(self))]
        digests = iter(file_fingerprints([file for of_case in files for file in of_case]))
        return ["+".join(next(digests) for _ in of_case) for of_case in files]


class LabelFiles(CountedLabels, Volumes):
    """Masks in files, int32 `(*space)`.

    Args:
        paths: Relative path of each mask.
        root: Folder that the paths start from.
    """

    def __init__(self, paths, root):
        self.root = Path(root)
        self.paths = list(paths)
        self._counted = {}
        super().__init__([read_volume_header(self.root / file) for file in self.paths])

    def __getitem__(self, case):
        return read_labels(self.path(case)).array

    def path(self, case):
        return self.root / self.paths[self._rows[case]]


class VolumeArrays(Volumes):
    """Images in memory, float32 `(*space, channels)`.

    Args:
        arrays: One array per case.
        spacing: Size of a voxel along each axis, for all of them; None for 1.
    """

    def __init__(self, arrays, spacing=None):
        self.arrays = [np.asarray(array, np.float32) for array in arrays]
        super().__init__([array_header(array[..., 0], array.shape[-1], spacing) for array in self.arrays])

    def __getitem__(self, case):
        return self.arrays[self._rows[case]]

    def fingerprints(self):
        """A digest of the voxels of each case: equal digests mean equal images of one shape."""
        return [
            f"{array.shape}{hashlib.blake2b(np.ascontiguousarray(array), digest_size=16).hexdigest()}"
            for array in (self[case] for case in range(len(self)))
        ]


class LabelArrays(CountedLabels, Volumes):
    """Masks in memory, whole numbers `(*space)`, given out as int32.

    Args:
        arrays: One array per case.
        spacing: Size of a voxel along each axis, for all of them; None for 1.
    """

    def __init__(self, arrays, spacing=None):
        self.arrays = [np.asarray(array) for array in arrays]
        self._counted = {}
        super().__init__([array_header(array, 1, spacing) for array in self.arrays])

    def __getitem__(self, case):
        return self.arrays[self._rows[case]].astype(np.int32)


def array_header(array, channels, spacing):
    """Size and place of an array `(*space)` that starts at the origin."""
    spacing = (1.0,) * array.ndim if spacing is None else tuple(float(size) for size in spacing)
    return Volume(array.shape, channels, np.diag([*spacing, 1.0]), spacing)


def check_same_place(first, second, first_name, second_name):
    """Raise `InputError` unless two `Volume`s have one size and, to 1e-3, one affine."""
    if first.space != second.space:
        raise InputError(f"{first_name} has the shape {first.space}, but {second_name} has {second.space}.")
    difference = np.abs(first.affine - second.affine).max()
    if difference > 1e-3:
        raise InputError(
            f"{first_name} and {second_name} lie in different places: their affines differ by up to {difference:.3g}, "
            "so resample one to the other."
        )
