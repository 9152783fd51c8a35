import sys

import nibabel
import numpy as np
import pytest

from imbclf.data.preparation.mri.dicom import read_dicom_series
from imbclf.data.preparation.mri.patient_scans import read_scans
from imbclf.data.preparation.subject import Subject
from imbclf.errors import InputError

# A turned slice: direction of a row of pixels, and of a column, in DICOM's axes (left, back, up).
ALONG_ROW, ALONG_COLUMN = np.array([0.8, 0.6, 0.0]), np.array([0.0, 0.0, -1.0])
NORMAL = np.cross(ALONG_ROW, ALONG_COLUMN)
ORIGIN, BETWEEN_ROWS, BETWEEN_COLUMNS, BETWEEN_SLICES = np.array([-20.0, 30.0, 5.0]), 1.5, 0.75, 2.0


def voxels():
    """(columns, rows, slices)."""
    return np.random.default_rng(0).integers(0, 900, (6, 5, 4)).astype(np.uint16)


def write_series(folder, array, skip=(), series="1.2.3.4", slope=1, along=(ALONG_ROW, ALONG_COLUMN, NORMAL)):
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("SimpleITK")
    sizes = (BETWEEN_COLUMNS, BETWEEN_ROWS, BETWEEN_SLICES)
    folder.mkdir(exist_ok=True)
    for place in range(array.shape[2]):
        if place in skip:
            continue
        image = pydicom.Dataset()
        image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        image.SOPInstanceUID = f"{series}.{place + 1}"
        image.StudyInstanceUID, image.SeriesInstanceUID, image.Modality = "1.2.3", series, "MR"
        image.InstanceNumber = 100 - place
        image.Columns, image.Rows = array.shape[:2]
        image.PixelSpacing = [sizes[1], sizes[0]]
        image.ImageOrientationPatient = [*map(float, along[0]), *map(float, along[1])]
        image.ImagePositionPatient = list(map(float, ORIGIN + place * sizes[2] * along[2]))
        image.SliceThickness = sizes[2]
        image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
        image.RescaleSlope, image.RescaleIntercept = slope, 0
        image.PixelData = np.ascontiguousarray(array[:, :, place].T).tobytes()
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        # Names in another order than the slices lie in.
        image.save_as(folder / f"{series}-{99 - place}.dcm", enforce_file_format=True)
    return folder


def test_slices_are_put_in_order_and_voxels_lie_where_the_headers_say(tmp_path):
    array, affine = read_dicom_series(write_series(tmp_path / "t1", voxels(), slope=2))
    np.testing.assert_array_equal(array, 2 * voxels())
    assert array.dtype == np.float32
    # DICOM PS3.3, C.7.6.2.1.1, then from left and back to right and front.
    for index in ([0, 0, 0], [5, 0, 0], [0, 4, 0], [5, 4, 3]):
        steps = np.array([BETWEEN_COLUMNS, BETWEEN_ROWS, BETWEEN_SLICES]) * index
        place = ORIGIN + steps @ np.stack([ALONG_ROW, ALONG_COLUMN, NORMAL])
        np.testing.assert_allclose(nibabel.affines.apply_affine(affine, index), place * [-1, -1, 1], atol=1e-4)


def test_a_patient_whose_sequences_are_dicom_is_the_patient_whose_sequences_are_nifti(tmp_path):
    array = np.zeros((6, 5, 4), np.uint16)
    array[1:5, 1:4, 1:3] = voxels()[1:5, 1:4, 1:3] + 1
    folder = write_series(tmp_path / "t1", array)
    affine = read_dicom_series(folder)[1]
    mask = np.zeros((6, 5, 4), np.uint8)
    mask[2, 2, 2] = 1
    for name, content in (("mask", mask), ("nifti", array.astype(np.int16))):
        nibabel.save(nibabel.Nifti1Image(content, affine), tmp_path / f"{name}.nii.gz")
    found = [
        read_scans(Subject("p", {"t1": image, "mask": tmp_path / "mask.nii.gz"}, "a"), ("t1",), spacing=None)
        for image in (folder, tmp_path / "nifti.nii.gz")
    ]
    np.testing.assert_array_equal(found[0].images["t1"], found[1].images["t1"])
    np.testing.assert_array_equal(found[0].brain, found[1].brain)


def test_a_missing_slice_is_noticed(tmp_path):
    folder = write_series(tmp_path / "t1", voxels(), skip=(1,))
    with pytest.raises(InputError, match=r"Slices of the DICOM series in .*t1 are missing or not evenly spaced"):
        read_dicom_series(folder)


def test_two_series_or_none_are_refused(tmp_path):
    folder = write_series(tmp_path / "t1", voxels())
    write_series(folder, voxels(), series="1.2.3.5")
    with pytest.raises(InputError, match=r"One DICOM series is expected in .*t1, but it holds 2 series"):
        read_dicom_series(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="it holds none"):
        read_dicom_series(tmp_path / "empty")


def test_a_damaged_file_is_named(tmp_path):
    # The reader that SimpleITK uses passes over a file that was cut off; at either end no gap would tell.
    for place in (0, 1, 3):
        folder = write_series(tmp_path / str(place), voxels())
        path = folder / f"1.2.3.4-{99 - place}.dcm"
        path.write_bytes(path.read_bytes()[:-40])
        (folder / "LICENSE").write_text("no DICOM")
        with pytest.raises(InputError, match=rf"{path.name} cannot be read as part of a DICOM series"):
            read_dicom_series(folder)


def test_without_simpleitk_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(InputError, match=r"t1 is read as DICOM, which needs SimpleITK: install it"):
        read_dicom_series(tmp_path / "t1")
