"""Writing NIfTI files that lie where another one does."""

import gzip
from pathlib import Path

import nibabel
import numpy as np

from imbclf.data.nifti import NiftiImage, check_suffix, checked_affine, read_nifti_header
from imbclf.errors import InputError
from imbclf.files import write_bytes

_PLACE = ("pixdim", "xyzt_units", "qform_code", "sform_code", "srow_x", "srow_y", "srow_z")
_QUATERNION = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")


def write_nifti(path, array, affine=None, reference=None):
    """Write a label map or an image, whole or not at all.

    With a reference the new file lies exactly where that one does: affine, spacing, units, and the codes that say what
    the orientation refers to are the same. Nothing else is taken over, no description and no DICOM extension, because
    those may name a patient.

    Args:
        path: File to write, `.nii` or `.nii.gz`.
        array: `(*space)` or `(*space, channels)`, three spatial axes. Whole numbers and bool are stored in the smallest
            of uint8, int16 and int32 that holds them, all else as float32.
        affine: `(4, 4)` from voxel indices to millimetres. Give this or `reference`.
        reference: `NiftiImage`, or path of a NIfTI file.

    Returns:
        The path.

    Raises:
        InputError: Another suffix or number of axes, neither or both of `affine` and `reference`, an affine that cannot
            be used, a reference of another size, numbers beyond 32 bits.

    Example:

    >>> import tempfile, numpy as np
    >>> from imbclf.data import read_nifti_labels, write_nifti
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = write_nifti(folder.name + "/mask.nii.gz", np.ones((4, 5, 6), bool), affine=np.diag([1, 1, 2.5, 1]))
    >>> mask = read_nifti_labels(file)
    >>> mask.array.shape, mask.array.dtype, mask.spacing
    ((4, 5, 6), dtype('int32'), (1.0, 1.0, 2.5))
    >>> folder.cleanup()
    """
    path, array = Path(path), np.asarray(array)
    check_suffix(path)
    if array.ndim not in (3, 4):
        raise InputError(f"An array of 3 axes, or 4 with the channels last, is expected, not of shape {array.shape}.")
    if (affine is None) == (reference is None):
        raise InputError(f"Either affine or reference must say where {path} lies in space, and not both.")
    array = array.astype(_stored_type(array, path))
    if reference is None:
        image = nibabel.Nifti1Image(array, checked_affine(affine, path))
        image.header.set_xyzt_units("mm")
    else:
        found = reference if isinstance(reference, NiftiImage) else read_nifti_header(reference)
        if found.shape[:3] != array.shape[:3]:
            raise InputError(f"{path} would have shape {array.shape}, but its reference has {found.shape}.")
        image = nibabel.Nifti1Image(array, found.affine, _header_at(found.header, array))
    content = image.to_bytes()
    # The time of writing stays out, so that equal voxels make equal files.
    return write_bytes(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _header_at(header, array):
    """A new header for an array, with the place in space of another one."""
    place = nibabel.Nifti1Header()
    for field in _PLACE + _QUATERNION:
        place[field] = header[field]
    place.set_data_dtype(array.dtype)
    place.set_data_shape(array.shape)
    return place


def _stored_type(array, path):
    if array.dtype.kind not in "biu":
        return np.float32
    for dtype in (np.uint8, np.int16, np.int32):
        limits = np.iinfo(dtype)
        if array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max):
            return dtype
    raise InputError(f"Whole numbers must fit 32 bits, but those for {path} go from {array.min()} to {array.max()}.")
