import gzip

import nibabel
import numpy as np
import pytest

from imbclf.data import read_nifti, read_nifti_labels, write_nifti
from imbclf.errors import InputError

# A turned, anisotropic, mirrored frame, as scanners write them.
TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
AFFINE = np.block([[TURN @ np.diag([-0.9, 1.2, 3.0]), np.array([[10.0], [-20.0], [5.5]])], [np.zeros((1, 3)), 1]])


def scan(path, array):
    nibabel.save(nibabel.Nifti1Image(array, AFFINE), path)
    return path


def patched(path, offset, numbers):
    """The file with float32 numbers put into its header, where nibabel would not write them."""
    content = bytearray(path.read_bytes())
    content[offset : offset + 4 * len(numbers)] = np.array(numbers, np.float32).tobytes()
    path.write_bytes(content)
    return path


def voxels(shape=(5, 6, 7), dtype=np.int16):
    return np.random.default_rng(0).integers(0, 3, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_voxels_and_affine_are_those_of_nibabel(tmp_path, dtype, suffix):
    path = scan(tmp_path / f"a{suffix}", voxels(dtype=dtype))
    image, labels = read_nifti(path), read_nifti_labels(path)
    for found, expected_type in ((image, np.float32), (labels, np.int32)):
        np.testing.assert_array_equal(found.array, voxels())
        assert found.array.dtype == expected_type
        np.testing.assert_array_equal(found.affine, nibabel.load(path).affine)
        np.testing.assert_allclose(found.spacing, (0.9, 1.2, 3.0), rtol=1e-6)


def test_slope_and_intercept_are_applied(tmp_path):
    path = patched(scan(tmp_path / "a.nii", voxels()), 112, [0.5, 10])
    np.testing.assert_array_equal(read_nifti(path).array, 0.5 * voxels() + 10)
    np.testing.assert_array_equal(read_nifti_labels(patched(path, 112, [2, 1])).array, 2 * voxels() + 1)


def test_four_axes_have_the_channels_last(tmp_path):
    image = read_nifti(scan(tmp_path / "a.nii", voxels((5, 6, 7, 4))))
    assert image.array.shape == (5, 6, 7, 4)
    assert len(image.spacing) == 3
    assert read_nifti_labels(scan(tmp_path / "b.nii", voxels((5, 6, 7, 1)))).array.shape == (5, 6, 7)


@pytest.mark.parametrize(
    "fields",
    [
        {"qform_code": 1, "sform_code": 2, "xyzt_units": 10},
        {"qform_code": 1, "sform_code": 0, "xyzt_units": 2},
        {"qform_code": 0, "sform_code": 4, "xyzt_units": 3},
        {"qform_code": 0, "sform_code": 0, "xyzt_units": 0},
    ],
)
@pytest.mark.parametrize("channels", [(), (2,)])
def test_a_file_written_by_reference_lies_where_the_reference_lies(tmp_path, fields, channels):
    image = nibabel.Nifti1Image(voxels((5, 6, 7, *channels)), AFFINE)
    image.header.set_qform(AFFINE, code=1)
    for name, value in fields.items():
        image.header[name] = value
    # The image itself keeps the affine it was made with; the file says what the codes say.
    (tmp_path / "a.nii").write_bytes(nibabel.Nifti1Image(image.dataobj, None, image.header).to_bytes())
    image = read_nifti(tmp_path / "a.nii")
    for reference in (image, tmp_path / "a.nii"):
        written = nibabel.load(write_nifti(tmp_path / "b.nii.gz", voxels() == 1, reference=reference))
        np.testing.assert_array_equal(written.affine, image.affine)
        assert written.header.get_zooms() == image.header.get_zooms()[:3]
        assert written.header.get_xyzt_units() == image.header.get_xyzt_units()
        for form in ("get_qform", "get_sform"):
            ours, theirs = getattr(written.header, form)(coded=True), getattr(image.header, form)(coded=True)
            assert ours[1] == theirs[1]
            if theirs[0] is not None:
                np.testing.assert_array_equal(ours[0], theirs[0])


def test_text_and_extensions_of_the_reference_are_not_taken_over(tmp_path):
    image = nibabel.Nifti1Image(voxels(), AFFINE)
    image.header["descrip"] = b"Doe, Jane"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"born 1950"))
    nibabel.save(image, tmp_path / "a.nii")
    content = write_nifti(tmp_path / "b.nii", voxels(), reference=tmp_path / "a.nii").read_bytes()
    assert b"Jane" in (tmp_path / "a.nii").read_bytes()
    assert b"Jane" not in content
    assert b"1950" not in content


def test_an_affine_is_written_as_given(tmp_path):
    written = nibabel.load(write_nifti(tmp_path / "a.nii.gz", voxels(), affine=AFFINE))
    np.testing.assert_allclose(written.affine, AFFINE, rtol=1e-6)
    np.testing.assert_allclose(written.header.get_zooms(), (0.9, 1.2, 3.0), rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "stored"),
    [
        (np.full((2, 2, 2), 255), np.uint8),
        (np.full((2, 2, 2), -1), np.int16),
        (np.full((2, 2, 2), 40000), np.int32),
        (np.full((2, 2, 2), True), np.uint8),
        (np.full((2, 2, 2), 0.3), np.float32),
    ],
)
def test_numbers_are_stored_exactly_in_the_smallest_type(tmp_path, array, stored):
    path = write_nifti(tmp_path / "a.nii.gz", array, affine=np.eye(4))
    assert nibabel.load(path).get_data_dtype() == stored
    np.testing.assert_array_equal(read_nifti(path).array, array.astype(np.float32))


def test_equal_voxels_make_equal_files_and_nothing_else_is_left(tmp_path):
    first = write_nifti(tmp_path / "a.nii.gz", voxels(), affine=AFFINE).read_bytes()
    assert write_nifti(tmp_path / "a.nii.gz", voxels(), affine=AFFINE).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


class TestDamagedFiles:
    @pytest.mark.parametrize("read", [read_nifti, read_nifti_labels])
    @pytest.mark.parametrize("kept", [0, 30, 120, 300])
    def test_a_truncated_gzip_is_named(self, tmp_path, read, kept):
        content = write_nifti(tmp_path / "a.nii.gz", voxels((9, 9, 9)), affine=AFFINE).read_bytes()
        assert len(content) > 300
        (tmp_path / "a.nii.gz").write_bytes(content[:kept])
        with pytest.raises(InputError, match=r"a\.nii\.gz (cannot be read as NIfTI|is not NIfTI)"):
            read(tmp_path / "a.nii.gz")

    @pytest.mark.parametrize("kept", [0, 200, 400])
    def test_a_truncated_plain_file_is_named(self, tmp_path, kept):
        content = write_nifti(tmp_path / "a.nii", voxels((9, 9, 9)), affine=AFFINE).read_bytes()
        (tmp_path / "a.nii").write_bytes(content[:kept])
        with pytest.raises(InputError, match=r"a\.nii (cannot be read as NIfTI|is not NIfTI)"):
            read_nifti(tmp_path / "a.nii")

    def test_a_changed_byte_in_a_gzip_is_found_by_its_checksum(self, tmp_path):
        random = np.random.default_rng(0).random((8, 8, 8))
        content = nibabel.Nifti1Image(random, AFFINE).to_bytes()
        # Level 0 stores bytes as they are, so that a changed one decompresses without complaint.
        stored = bytearray(gzip.compress(content, compresslevel=0))
        stored[2000] ^= 1
        (tmp_path / "a.nii.gz").write_bytes(stored)
        with pytest.raises(InputError, match=r"a\.nii\.gz cannot be read as NIfTI .*CRC"):
            read_nifti(tmp_path / "a.nii.gz")

    @pytest.mark.parametrize(("name", "content"), [("a.nii", b"hello " * 100), ("a.nii.gz", b"hello " * 100)])
    def test_what_is_no_nifti_is_named(self, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=r"(is not NIfTI|not a gzip file)"):
            read_nifti(tmp_path / name)

    def test_a_missing_file_and_another_suffix_are_named(self, tmp_path):
        with pytest.raises(InputError, match=r"absent\.nii\.gz does not exist"):
            read_nifti(tmp_path / "absent.nii.gz")
        with pytest.raises(InputError, match=r"ends in \.nii or \.nii\.gz, but the file is .*a\.mha"):
            read_nifti(tmp_path / "a.mha")
        with pytest.raises(InputError, match=r"ends in \.nii or \.nii\.gz"):
            write_nifti(tmp_path / "a.png", voxels(), affine=AFFINE)


class TestUnusableContent:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_voxels_that_are_not_finite_are_counted(self, tmp_path, value):
        array = voxels(dtype=np.float32)
        array[1, 2, 3:5] = value
        scan(tmp_path / "a.nii.gz", array)
        with pytest.raises(InputError, match=r"2 of 210 in .*a\.nii\.gz are NaN or infinite"):
            read_nifti(tmp_path / "a.nii.gz")
        with pytest.raises(InputError, match=r"2 voxels of the mask .*a\.nii\.gz are not"):
            read_nifti_labels(tmp_path / "a.nii.gz")

    def test_labels_that_are_not_whole_are_counted(self, tmp_path):
        array = voxels(dtype=np.float32)
        array[0, 0, :3] = 0.5
        with pytest.raises(InputError, match=r"3 voxels of the mask .*a\.nii are not \(the first is 0\.5\)"):
            read_nifti_labels(scan(tmp_path / "a.nii", array))

    @pytest.mark.parametrize("offset", [280, 312])
    def test_an_affine_that_is_not_finite_is_shown(self, tmp_path, offset):
        path = patched(scan(tmp_path / "a.nii", voxels()), offset, [np.nan])
        with pytest.raises(InputError, match=r"affine of .*a\.nii must be 4 x 4 finite numbers, but it is .*nan"):
            read_nifti(path)

    def test_voxels_without_volume_are_refused(self, tmp_path):
        path = patched(scan(tmp_path / "a.nii", voxels()), 296, [0, 0, 0, 0])
        with pytest.raises(InputError, match="give voxels a volume"):
            read_nifti(path)
        with pytest.raises(InputError, match="give voxels a volume"):
            write_nifti(tmp_path / "b.nii", voxels(), affine=np.diag([1.0, 0, 1, 1]))

    @pytest.mark.parametrize("shape", [(5, 6), (5, 6, 7, 1, 3)])
    def test_other_numbers_of_axes_are_refused(self, tmp_path, shape):
        with pytest.raises(InputError, match="must have 3 axes, or 4 with the channels last"):
            read_nifti(scan(tmp_path / "a.nii", voxels(shape)))
        with pytest.raises(InputError, match="3 axes, or 4 with the channels last"):
            write_nifti(tmp_path / "b.nii", voxels(shape), affine=AFFINE)

    def test_complex_voxels_and_several_labels_per_voxel_are_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"must be real numbers, but those of .* are complex64"):
            read_nifti(scan(tmp_path / "a.nii", voxels(dtype=np.complex64)))
        with pytest.raises(InputError, match=r"one label per voxel, but .* has the shape \(5, 6, 7, 2\)"):
            read_nifti_labels(scan(tmp_path / "b.nii", voxels((5, 6, 7, 2))))

    def test_whole_numbers_beyond_32_bits_are_refused(self, tmp_path):
        array = np.full((2, 2, 2), 2**40)
        with pytest.raises(InputError, match="fit 32 bits"):
            write_nifti(tmp_path / "a.nii", array, affine=AFFINE)
        nibabel.save(nibabel.Nifti1Image(array, AFFINE, dtype=np.int64), tmp_path / "b.nii")
        with pytest.raises(InputError, match="fit 32 bits"):
            read_nifti_labels(tmp_path / "b.nii")

    @pytest.mark.parametrize("options", [{}, {"affine": AFFINE, "reference": "a.nii"}])
    def test_the_place_is_given_once(self, tmp_path, options):
        with pytest.raises(InputError, match="Either affine or reference"):
            write_nifti(tmp_path / "b.nii", voxels(), **options)

    def test_a_reference_of_another_size_is_refused(self, tmp_path):
        scan(tmp_path / "a.nii", voxels())
        with pytest.raises(InputError, match=r"would have shape \(5, 6, 8\), but its reference has \(5, 6, 7\)"):
            write_nifti(tmp_path / "b.nii", voxels((5, 6, 8)), reference=tmp_path / "a.nii")
