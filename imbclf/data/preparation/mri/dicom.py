"""Reading a series of DICOM files as one volume, where SimpleITK is installed."""

from pathlib import Path

import numpy as np

from imbclf.data.nifti import checked_affine
from imbclf.errors import InputError

# DICOM and SimpleITK count to the left, to the back and up; NIfTI and nibabel to the right, to the front and up.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_POSITION = "0020|0032"
# Share of the distance between slices by which one may lie elsewhere than it should.
_TOLERANCE = 0.02


def read_dicom_series(folder):
    """Read the one series of a folder, slices in the order of their positions.

    Args:
        folder: Folder that holds the files of one series and nothing of another.

    Returns:
        The voxels, float32 `(*space)` with slope and intercept applied, and their affine, float64 `(4, 4)`, from
        indices to millimetres in RAS+ space.

    Raises:
        InputError: SimpleITK is missing; no series or several; a file that cannot be read; slices that are missing or
            not evenly spaced; a voxel that is NaN or infinite.
    """
    try:
        import SimpleITK
    except ImportError:
        raise InputError(
            f"The folder {folder} is read as DICOM, which needs SimpleITK: install it (pip install SimpleITK), or "
            "convert the series to NIfTI."
        ) from None
    folder = Path(folder)
    # Its warnings go to the screen in many lines; what they warn of is checked below.
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    reader = SimpleITK.ImageSeriesReader()
    series = reader.GetGDCMSeriesIDs(str(folder)) if folder.is_dir() else ()
    if len(series) != 1:
        found = f"{len(series)} series" if series else "none"
        raise InputError(f"One DICOM series is expected in {folder}, but it holds {found}: keep one series per folder.")
    names = reader.GetGDCMSeriesFileNames(str(folder), series[0])
    _check_all_taken(folder, names)
    reader.SetFileNames(names)
    reader.SetOutputPixelType(SimpleITK.sitkFloat32)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(f"The DICOM series in {folder} cannot be read ({reason}): fetch it again.") from None
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"The DICOM series in {folder} must be a volume of one channel: convert it to NIfTI.")
    array = SimpleITK.GetArrayFromImage(image).transpose()
    if not np.isfinite(array).all():
        raise InputError(f"Voxels must be finite, but some in the DICOM series {folder} are not: repair or drop it.")
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    _check_slices(reader, affine, array.shape[2], folder)
    return array, checked_affine(_LPS_TO_RAS @ affine, folder)


def _check_all_taken(folder, names):
    """Raise `InputError` if a DICOM file was passed over, as a damaged one is."""
    taken = {Path(name).name for name in names}
    for path in sorted(folder.iterdir()):
        if path.name in taken or not path.is_file():
            continue
        with path.open("rb") as file:
            start = file.read(132)
        if start.endswith(b"DICM"):
            raise InputError(f"The file {path} cannot be read as part of a DICOM series: fetch it again, or remove it.")


def _check_slices(reader, affine, count, folder):
    """Raise `InputError` unless each slice lies where even spacing puts it."""
    if not all(reader.HasMetaDataKey(place, _POSITION) for place in range(count)):
        raise InputError(f"Every file of the DICOM series in {folder} must say where its slice lies: convert it.")
    found = np.array(
        [[float(part) for part in reader.GetMetaData(place, _POSITION).split("\\")] for place in range(count)]
    )
    expected = affine[:3, 3] + np.arange(count)[:, None] * affine[:3, 2]
    away = np.linalg.norm(found - expected, axis=1)
    if away.max() > _TOLERANCE * np.linalg.norm(affine[:3, 2]):
        raise InputError(
            f"Slices of the DICOM series in {folder} are missing or not evenly spaced: slice {int(away.argmax())} of "
            f"{count} lies {away.max():.3g} mm from where it should; fetch the series again."
        )
