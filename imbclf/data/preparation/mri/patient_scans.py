"""The scans of one patient: sequences, tumour and brain on one grid."""

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from imbclf.data.nifti import read_nifti, read_nifti_labels
from imbclf.data.preparation.mri.dicom import read_dicom_series
from imbclf.data.preparation.mri.patient_folders import SEQUENCES
from imbclf.errors import InputError

# Two grids are one if no corner of them lies further apart than this share of a voxel: rounding in a header, no shift.
_SAME_GRID = 0.1


@dataclass(frozen=True, eq=False)
class Scans:
    """The sequences of a patient on one grid, turned to RAS+.

    Args:
        images: float32 `(*space)` of each sequence.
        tumour: bool `(*space)`.
        brain: bool `(*space)`.
        affine: float64 `(4, 4)` from voxel indices to millimetres.
    """

    images: dict[str, np.ndarray]
    tumour: np.ndarray
    brain: np.ndarray
    affine: np.ndarray


def read_scans(subject, channels=SEQUENCES, spacing=1.0):
    """Read the sequences, the tumour and the brain of a patient.

    They are turned to the canonical orientation: first axis to the right, second to the front, third up. The tumour is
    where the mask is above 0, whichever label. The brain is the mask of the role `brain`; without one it is where any
    sequence differs from 0, as in skull-stripped scans.

    Args:
        subject: `Subject` with files of the roles in `channels`, of `mask`, and perhaps of `brain`: NIfTI, for a
            sequence also a folder with a DICOM series.
        channels: Which sequences are read.
        spacing: Size of a voxel in mm that is asked for, to 1 %; None takes what comes.

    Returns:
        `Scans`.

    Raises:
        InputError: A file is missing or damaged, or holds NaN; grids differ by more than a tenth of a voxel at any
            corner; voxels of another size; no tumour; no brain, or one without a border; a tumour outside the brain, or
            one that fills it.
    """
    missing = [role for role in (*channels, "mask") if role not in subject.files]
    if missing:
        folder = next((path.parent for path in subject.files.values()), "its folder")
        raise InputError(
            f"{subject.id} has no {' and no '.join(missing)}, only {', '.join(subject.files) or 'nothing'} in {folder}"
            ": complete the download, or take the patient out."
        )
    mask, affine = _canonical(*_read_mask(subject.files["mask"]))
    _check_spacing(affine, spacing, subject.files["mask"])
    if mask.min() < 0:
        raise InputError(f"Labels of a tumour must be 0 or more, but {subject.files['mask']} has {mask.min()}.")
    tumour = mask > 0
    if not tumour.any():
        raise InputError(f"The tumour mask {subject.files['mask']} is empty: segment the tumour, or leave it out.")
    images = {}
    for name in channels:
        images[name], place = _canonical(*_read_image(subject.files[name]))
        _check_same_grid(images[name].shape, place, subject.files[name], tumour.shape, affine, subject.files["mask"])
    if "brain" in subject.files:
        mask, place = _canonical(*_read_mask(subject.files["brain"]))
        _check_same_grid(mask.shape, place, subject.files["brain"], tumour.shape, affine, subject.files["mask"])
        brain = mask > 0
    else:
        brain = np.zeros(tumour.shape, bool)
        for image in images.values():
            brain |= image != 0
    _check_brain(brain, tumour, subject)
    return Scans(images, tumour, brain, affine)


def _read_image(path):
    """Voxels `(*space)` and affine of a NIfTI file, or of a folder with a DICOM series."""
    path = Path(path)
    if path.is_dir():
        return read_dicom_series(path)
    image = read_nifti(path)
    array = image.array
    if array.ndim == 4:
        if array.shape[3] != 1:
            raise InputError(f"A sequence must be one volume, but {path} has the shape {array.shape}.")
        array = array[..., 0]
    return array, image.affine


def _read_mask(path):
    if Path(path).is_dir():
        raise InputError(f"A mask must be a NIfTI file, but {path} is a folder.")
    labels = read_nifti_labels(path)
    return labels.array, labels.affine


def _canonical(array, affine):
    """Array and affine turned so that the axes run to the right, to the front and up, as nearly as they can."""
    image = nibabel.as_closest_canonical(nibabel.Nifti1Image(array, affine, dtype=array.dtype))
    return np.asanyarray(image.dataobj), image.affine


def _check_spacing(affine, spacing, path):
    found = np.linalg.norm(affine[:3, :3], axis=0)
    if spacing is not None and np.abs(found / spacing - 1).max() > 0.01:
        sizes = " x ".join(f"{size:.3g}" for size in found)
        raise InputError(
            f"Voxels of {spacing:g} mm are expected, but those of {path} are {sizes} mm: register the scans to an "
            "atlas, as BraTS Toolkit does, or resample them."
        )


def _check_same_grid(shape, affine, path, expected_shape, expected_affine, expected_path):
    if shape != expected_shape:
        raise InputError(
            f"All scans of a patient must lie on one grid, but {path} has {shape} voxels and {expected_path} "
            f"{expected_shape}: register or resample them."
        )
    corners = np.stack(np.meshgrid(*[(0, length - 1) for length in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    away = np.abs(nibabel.affines.apply_affine(affine - expected_affine, corners)).max()
    if away > _SAME_GRID * np.linalg.norm(expected_affine[:3, :3], axis=0).min():
        raise InputError(
            f"All scans of a patient must lie on one grid, but {path} lies up to {away:.3g} mm away from "
            f"{expected_path}: register or resample them."
        )


def _check_brain(brain, tumour, subject):
    where = subject.files.get("brain") or f"the scans in {next(iter(subject.files.values())).parent}"
    if not brain.any():
        raise InputError(f"There is no brain in {where}: every voxel is 0.")
    if "brain" not in subject.files and brain.all():
        raise InputError(
            f"There is no voxel of 0 around the brain in {where}: skull-strip the scans, or add a mask of the brain."
        )
    if not (brain & tumour).any():
        raise InputError(
            f"The tumour in {subject.files['mask']} lies outside the brain of {where}: are both of one patient?"
        )
    if not (brain & ~tumour).any():
        raise InputError(f"The tumour in {subject.files['mask']} fills the whole brain: is it the mask of the brain?")
