"""The recipe of the glioma data: a cube of four MRI sequences around the tumour."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from imbclf.data.preparation.mri.patient_folders import SEQUENCES
from imbclf.data.preparation.mri.patient_scans import read_scans
from imbclf.errors import InputError


@dataclass(frozen=True)
class Scan:
    """Makes an array of a patient's sequences: `Scan()(subject)`.

    The sequences are turned to the canonical orientation and must lie on one grid of 1 mm (see `read_scans`), as all
    three archives and BraTS Toolkit give them; nothing is resampled. Each is scaled from its range within the brain to
    [0, 1], `(v - low) / (high - low)`, and is 0 outside the brain. Then a cube of `size` voxels is cut around the
    centre of mass of the tumour; beyond the border it is 0. Source: Scholz et al. (2024), where the glioma data are
    described: [0, 1] within the brain mask, 96 voxels along each axis around the centre of mass of the tumour mask.

    Args:
        size: Voxels along each axis of the cube.
        channels: Sequences in the order of the channels.
        spacing: Size of a voxel in mm that is asked for, or None to take what comes.
        percentiles: What becomes 0 and 1, in percent of the voxels of the brain; values beyond are cut. (0, 100) are
            the smallest and the largest value; mm-dinov2, by the same first author, has (1, 99).

    Returns:
        When called with a `Subject`: float16 `(size, size, size, channels)` in [0, 1].

    Raises:
        InputError: What `read_scans` raises, or a sequence that is constant within the brain.
    """

    name: ClassVar[str] = "scan"
    version: ClassVar[int] = 1

    size: int = 96
    channels: tuple[str, ...] = SEQUENCES
    spacing: float | None = 1.0
    percentiles: tuple[float, float] = (0.0, 100.0)

    def __post_init__(self):
        if self.size < 1:
            raise InputError(f"The size of the cube must be 1 or more voxels, not {self.size}.")
        if not self.channels or len(set(self.channels)) < len(self.channels) or set(self.channels) - set(SEQUENCES):
            raise InputError(f"channels must be some of {', '.join(SEQUENCES)}, each once, not {self.channels}.")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise InputError(f"percentiles must rise from 0 to 100 at most, not {self.percentiles}.")

    def __call__(self, subject):
        scans = read_scans(subject, self.channels, self.spacing)
        cube = np.zeros((self.size,) * 3 + (len(self.channels),), np.float16)
        inside, place = self.window(scans)
        for channel, name in enumerate(self.channels):
            cube[(*place, channel)] = self.scaled(scans, name, subject, inside)
        return cube

    def start(self, scans):
        """First voxel of the cube along each axis; below 0 where it reaches beyond the border."""
        return [centre - self.size // 2 for centre in centre_of_mass(scans.tumour)]

    def window(self, scans):
        """The part of the grid that the cube takes, and where in the cube it comes to lie: slices of both."""
        inside, place = [], []
        for first, length in zip(self.start(scans), scans.tumour.shape):
            low, high = max(first, 0), min(first + self.size, length)
            inside.append(slice(low, high))
            place.append(slice(low - first, high - first))
        return tuple(inside), tuple(place)

    def scaled(self, scans, name, subject, part=...):
        """One sequence in [0, 1], float32, 0 outside the brain: `part` of it, scaled by the range of the whole."""
        image = scans.images[name]
        low, high = np.percentile(image[scans.brain], self.percentiles)
        if not high > low:
            raise InputError(f"{subject.files[name]} is constant within the brain ({low:g}): repair or drop it.")
        return np.where(scans.brain[part], np.clip((image[part] - low) / (high - low), 0, 1), np.float32(0))


def centre_of_mass(tumour):
    """The voxel nearest to the centre of mass of a mask, exact halves upwards.

    Example:

    >>> import numpy as np
    >>> mask = np.zeros((5, 6, 7), bool)
    >>> mask[1:4, 2, 3:5] = True
    >>> centre_of_mass(mask)
    [2, 2, 4]
    """
    centre = []
    for axis in range(tumour.ndim):
        weights = tumour.sum(axis=tuple(other for other in range(tumour.ndim) if other != axis))
        centre.append(math.floor(weights @ np.arange(len(weights)) / weights.sum() + 0.5))
    return centre
