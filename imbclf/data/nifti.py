"""Reading NIfTI files: voxels, and where they lie in the scanner."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from imbclf.errors import InputError

_DAMAGED = (OSError, EOFError, zlib.error, ValueError, MemoryError, HeaderDataError)
# DEFLATE shrinks nothing by more than this, so a header that promises more than the file can hold is damaged.
_MOST_COMPRESSION = 1032


@dataclass(frozen=True, eq=False)
class NiftiImage:
    """Voxels of a NIfTI file with their place in space.

    Args:
        array: `(*space)` or `(*space, channels)`, three spatial axes; None where only the header was read.
        affine: float64 `(4, 4)` from voxel indices to millimetres in RAS+ space.
        spacing: Size of a voxel along each spatial axis, in the file's unit (nearly always mm).
        header: nibabel's header, with units and orientation codes.
    """

    array: np.ndarray | None
    affine: np.ndarray
    spacing: tuple[float, float, float]
    header: Any

    @property
    def shape(self):
        """`(*space)` or `(*space, channels)`, as the header says."""
        return tuple(int(size) for size in self.header.get_data_shape())


def read_nifti(path):
    """Read an image: 3D, or 4D with the channels last.

    Args:
        path: A `.nii` or `.nii.gz`.

    Returns:
        A `NiftiImage` with a float32 array, the file's slope and intercept applied.

    Raises:
        InputError: The file is missing, truncated, damaged or no NIfTI, has another number of axes, voxels that are no
            real numbers, an affine or a spacing that cannot be used, or a voxel that is NaN or infinite.
    """
    image, place = _read(path)
    try:
        array = image.get_fdata(dtype=np.float32, caching="unchanged")
    except _DAMAGED as error:
        raise _unreadable(path, error) from None
    unusable = array.size - np.count_nonzero(np.isfinite(array))
    if unusable:
        raise InputError(
            f"Voxels must be finite, but {unusable} of {array.size} in {path} are NaN or infinite: repair or drop it."
        )
    return NiftiImage(array, place.affine, place.spacing, place.header)


def read_nifti_labels(path):
    """Read a label map: like `read_nifti`, but exact whole numbers, int32 `(*space)`.

    Raises:
        InputError: What `read_nifti` raises, several channels, labels that are not whole numbers or exceed 32 bits.
    """
    image, place = _read(path)
    try:
        array = np.asanyarray(image.dataobj)
    except _DAMAGED as error:
        raise _unreadable(path, error) from None
    if array.ndim == 4:
        if array.shape[3] != 1:
            raise InputError(f"A mask must hold one label per voxel, but {path} has the shape {array.shape}.")
        array = array[..., 0]
    return NiftiImage(whole_labels(array, path), place.affine, place.spacing, place.header)


def read_nifti_header(path):
    """What `read_nifti` gives but for the voxels, which are not read: `array` is None."""
    return _open(path)[1]


def whole_labels(array, path):
    """Labels as int32, after checking that they are whole numbers; `path` is for the error."""
    if array.dtype.kind not in "biu":
        broken = ~(np.isfinite(array) & (array == np.rint(array)))
        if broken.any():
            raise InputError(
                f"Labels must be whole numbers, but {np.count_nonzero(broken)} voxels of the mask {path} are not (the "
                f"first is {array[broken][0]:g}): resample masks by nearest neighbour only."
            )
    if array.size and (array.min() < np.iinfo(np.int32).min or array.max() > np.iinfo(np.int32).max):
        raise InputError(f"Labels must fit 32 bits, but those of {path} go from {array.min()} to {array.max()}.")
    return array.astype(np.int32)


def checked_affine(affine, path):
    """An affine as float64, after checking that it is one and can be inverted; `path` is for the error."""
    affine = np.asarray(affine, np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise InputError(f"The affine of {path} must be 4 x 4 finite numbers, but it is {affine.tolist()}.")
    if np.linalg.matrix_rank(affine[:3, :3]) < 3:
        raise InputError(f"The affine of {path} must give voxels a volume, but it is {affine.tolist()}.")
    return affine


def check_suffix(path):
    """Raise `InputError` unless the name of a file is that of a NIfTI file."""
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise InputError(f"A NIfTI file ends in .nii or .nii.gz, but the file is {path}.")


def _open(path):
    """nibabel's image, its voxels still in the file, and a `NiftiImage` without voxels."""
    path = Path(path)
    check_suffix(path)
    if not path.is_file():
        raise InputError(f"The file {path} does not exist.")
    try:
        image = nibabel.load(path)
        shape, zooms, dtype = image.shape, image.header.get_zooms(), image.header.get_data_dtype()
        affine = image.affine
    except ImageFileError:
        raise InputError(f"The file {path} is not NIfTI, or cut off within its header: fetch it again.") from None
    except _DAMAGED as error:
        raise _unreadable(path, error) from None
    if not isinstance(image, nibabel.Nifti1Image):
        raise InputError(f"The file {path} is not NIfTI but {type(image).__name__}: convert it.")
    if len(shape) not in (3, 4) or 0 in shape:
        raise InputError(f"A NIfTI file must have 3 axes, or 4 with the channels last, but {path} has shape {shape}.")
    if dtype.kind not in "iuf":
        raise InputError(f"Voxels must be real numbers, but those of {path} are {dtype}: convert it.")
    promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if promised > path.stat().st_size * (_MOST_COMPRESSION if path.suffix == ".gz" else 1):
        raise _unreadable(path, f"its header promises {promised} bytes of voxels")
    spacing = tuple(float(zoom) for zoom in zooms[:3])
    if not (np.isfinite(spacing).all() and min(spacing) > 0):
        raise InputError(f"Voxels must have finite positive sizes, but those of {path} are {spacing}.")
    return image, NiftiImage(None, checked_affine(affine, path), spacing, image.header)


def _read(path):
    """nibabel's image with its voxels in memory, and a `NiftiImage` without."""
    image, place = _open(path)
    if image.get_filename().lower().endswith(".gz"):
        # nibabel stops reading after the last voxel, before the checksum that tells a damaged file.
        try:
            image = type(image).from_bytes(gzip.decompress(Path(path).read_bytes()))
        except _DAMAGED as error:
            raise _unreadable(path, error) from None
    return image, place


def _unreadable(path, reason):
    text = " ".join(str(reason).replace(str(path), "it").split()).rstrip(".") or type(reason).__name__
    return InputError(f"The file {path} cannot be read as NIfTI ({text}): it may be truncated; fetch it again.")
