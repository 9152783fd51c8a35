"""What one image looks like: the few numbers that the checks compare."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imbclf.data.array_files import ArrayFiles
from imbclf.data.checking.appearance import describe
from imbclf.data.image_file import read_header, read_image
from imbclf.data.volume_file import is_nifti, read_labels, read_volume, read_volume_header
from imbclf.data.volumes import check_same_place
from imbclf.errors import InputError


@dataclass(frozen=True, eq=False)
class Look:
    """An image in numbers.

    Args:
        space: Size along each spatial axis.
        channels: Number of channels.
        spacing: Size of a voxel along each spatial axis; None where the file has none.
        lowest, highest, mean, spread: Of all finite values; spread is the standard deviation. PNG and JPEG have [0, 1].
        unusable: Number of values that are NaN or infinite.
        flat_channels: Channels in which all values are the same.
        digest: Equal for equal values in an equal shape.
        features: See `describe`.
        mask_labels: Labels that the mask holds; None without a mask.
        mask_problem: What is wrong with the mask, or "".
    """

    space: tuple[int, ...]
    channels: int
    spacing: tuple[float, ...] | None
    lowest: float
    highest: float
    mean: float
    spread: float
    unusable: int
    flat_channels: tuple[int, ...]
    digest: str
    features: np.ndarray
    mask_labels: tuple[int, ...] | None = None
    mask_problem: str = ""


def look_at_file(path, mask=None):
    """Read an image, and its mask where there is one.

    Args:
        path: `.png`, `.jpg`, `.nii`, `.nii.gz`, or a prepared `.npy`.
        mask: `.png`, `.nii` or `.nii.gz`, or None.

    Returns:
        A `Look`.

    Raises:
        InputError: The image cannot be read; a mask that cannot be read is `mask_problem`.
    """
    path = Path(path)
    name = path.name.lower()
    if name.endswith(".npy"):
        return look_at_array(ArrayFiles([path.name], path.parent)[np.array([0])][0])
    if is_nifti(path):
        volume = read_volume(path)
        labels, problem = (None, "") if mask is None else _look_at_mask(path, volume, Path(mask))
        return look_at_array(volume.array, volume.spacing, labels, problem)
    pixels = read_image(path, read_header(path).channels)
    labels, problem = (None, "") if mask is None else _look_at_mask(path, read_volume_header(path), Path(mask))
    return look_at_array(pixels, None, labels, problem)


def look_at_array(array, spacing=None, mask_labels=None, mask_problem=""):
    """The `Look` of numbers `(*space, channels)`; whole-number types are scaled to [0, 1] by their range."""
    digest = hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16)
    digest.update(str((array.shape, array.dtype.str)).encode())
    scale = np.iinfo(array.dtype).max if array.dtype.kind in "iu" else 1
    if array.dtype.kind in "fc":
        is_finite = np.isfinite(array)
        unusable = array.size - np.count_nonzero(is_finite)
        array = array.astype(np.float32, copy=False)
        if unusable:
            array = np.where(is_finite, array, 0)
    else:
        unusable = 0
    axes = tuple(range(array.ndim - 1))
    lowest, highest = array.min(axis=axes), array.max(axis=axes)
    return Look(
        space=array.shape[:-1],
        channels=array.shape[-1],
        spacing=spacing,
        lowest=float(lowest.min()) / scale,
        highest=float(highest.max()) / scale,
        mean=float(array.mean(dtype=np.float64)) / scale,
        spread=float(array.std(dtype=np.float64)) / scale,
        unusable=unusable,
        flat_channels=tuple(np.flatnonzero(lowest == highest).tolist()),
        digest=digest.hexdigest(),
        features=describe(array),
        mask_labels=mask_labels,
        mask_problem=mask_problem,
    )


def _look_at_mask(path, image, mask):
    try:
        labels = read_labels(mask)
        check_same_place(image, labels, f"The image {path}", f"its mask {mask}")
    except InputError as error:
        return None, str(error)
    return tuple(np.unique(labels.array).tolist()), ""
