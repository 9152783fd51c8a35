import gzip
import itertools
import os
import pickle
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from imbclf.data import write_nifti
from imbclf.data.preparation.mri.figure import draw_preparation
from imbclf.data.preparation.mri.patient_folders import SHARED_LAYOUTS, find_scans
from imbclf.data.preparation.mri.scan import Scan
from imbclf.data.preparation.subject import Subject
from imbclf.errors import InputError

SPACE = (10, 12, 14)
AFFINE = np.array([[1.0, 0, 0, -5], [0, 1, 0, -7], [0, 0, 1, 3], [0, 0, 0, 1]])


def volumes():
    """Four sequences, 0 outside of a brain that leaves a border, and a tumour of two labels off the centre."""
    random = np.random.default_rng(0)
    brain = np.zeros(SPACE, bool)
    brain[1:-1, 1:-1, 2:-1] = True
    images = {name: np.where(brain, random.uniform(-3, 900, SPACE), 0) for name in ("t1", "t1c", "t2", "flair")}
    mask = np.zeros(SPACE, np.uint8)
    mask[2:5, 3:7, 4:9], mask[3, 4, 5] = 2, 4
    return images | {"mask": mask}, brain


@pytest.fixture
def patient(tmp_path):
    """Writes a patient's files, some of them changed (None leaves one out), and returns the Subject."""

    def write(affine=AFFINE, **changed):
        files = {}
        for role, array in (volumes()[0] | changed).items():
            if array is not None:
                here, there = array if isinstance(array, tuple) else (array, affine)
                files[role] = write_nifti(tmp_path / f"{role}.nii.gz", np.asarray(here, dtype=here.dtype), there)
        return Subject("p-1", files, "astrocytoma")

    return write


def expected(size, channels=("t1", "t1c", "t2", "flair")):
    """The cube by the formula, cut from an array that was padded first."""
    images, brain = volumes()
    low = np.floor(np.array(ndimage.center_of_mass(images["mask"] > 0)) + 0.5).astype(int) + size - size // 2
    cubes = []
    for name in channels:
        image = images[name].astype(np.float32)
        low_value, high_value = image[brain].min(), image[brain].max()
        padded = np.pad(np.where(brain, (image - low_value) / (high_value - low_value), 0), size)
        cubes.append(padded[tuple(slice(first, first + size) for first in low)])
    return np.stack(cubes, axis=-1)


@pytest.mark.parametrize("size", [3, 4, 8, 20])
def test_the_cube_is_scaled_by_the_brain_and_cut_around_the_centre_of_mass(patient, size):
    array = Scan(size)(patient())
    assert array.shape == (size, size, size, 4)
    assert array.dtype == np.float16
    np.testing.assert_allclose(array, expected(size), atol=2**-11)


def test_channels_come_in_the_order_asked_for_and_others_are_not_needed(patient):
    recipe = Scan(6, channels=("flair", "t1"))
    np.testing.assert_allclose(recipe(patient(t2=None)), expected(6, ("flair", "t1")), atol=2**-11)


def test_the_array_does_not_depend_on_how_the_files_are_turned(patient):
    images, _ = volumes()
    straight = Scan(8)(patient())
    orders = list(itertools.permutations(range(3)))[1:]
    for order, signs in zip(orders, ((-1, -1, 1), (1, -1, 1), (-1, 1, -1), (-1, -1, -1), (1, 1, -1))):
        turn = np.stack([order, signs], axis=1)
        turned = nibabel.Nifti1Image(np.zeros(SPACE), AFFINE).as_reoriented(turn)
        arrays = {role: nibabel.apply_orientation(array, turn) for role, array in images.items()}
        # The mask may be stored otherwise than the images.
        arrays["mask"] = (images["mask"], AFFINE)
        np.testing.assert_array_equal(Scan(8)(patient(affine=turned.affine, **arrays)), straight)


def test_a_brain_mask_decides_what_the_brain_is(patient):
    images, brain = volumes()
    with_skull = {name: np.where(brain, image, 5000) for name, image in images.items() if name != "mask"}
    array = Scan(20)(patient(**with_skull, brain=brain))
    np.testing.assert_allclose(array, expected(20), atol=2**-11)


def test_percentiles_cut_what_lies_beyond(patient):
    images, brain = volumes()
    low, high = np.percentile(images["t1"].astype(np.float32)[brain], (10, 90))
    inside = np.where(brain, np.clip((images["t1"] - low) / (high - low), 0, 1), 0)[2:5, 3:7, 4:9]
    array = Scan(20, percentiles=(10, 90))(patient())[..., 0]
    # The centre of mass (3, 4.5 upwards, 6) lies at voxel 10 of the cube.
    np.testing.assert_allclose(array[9:12, 8:12, 8:13], inside, atol=2**-11)
    assert {0.0, 1.0} <= set(array.ravel().tolist())


def test_a_recipe_survives_pickling_and_gives_the_same_array(patient):
    recipe = pickle.loads(pickle.dumps(Scan(6, percentiles=(1, 99))))
    assert recipe == Scan(6, percentiles=(1, 99))
    np.testing.assert_array_equal(recipe(patient()), Scan(6, percentiles=(1, 99))(patient()))


def moved(by):
    affine = AFFINE.copy()
    affine[0, 3] += by
    return affine


def test_rounding_in_a_header_is_no_other_grid(patient):
    np.testing.assert_array_equal(Scan(8)(patient(t2=(volumes()[0]["t2"], moved(0.02)))), Scan(8)(patient()))


IMAGES, BRAIN = volumes()
WITH_NAN = IMAGES["t2"].copy()
WITH_NAN[4, 4, 4] = np.nan
OUTSIDE = np.zeros(SPACE, np.uint8)
OUTSIDE[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"t2": None}, r"p-1 has no t2, only t1, t1c, flair, mask in .*complete the download"),
        ({"t2": None, "mask": None}, r"p-1 has no t2 and no mask"),
        ({"t2": IMAGES["t2"][:, 1:]}, r"one grid, but .*t2\.nii\.gz has \(10, 11, 14\) voxels and .*mask\.nii\.gz"),
        ({"flair": (IMAGES["flair"], moved(0.5))}, r"flair\.nii\.gz lies up to 0\.5 mm away from .*mask\.nii\.gz"),
        ({"brain": BRAIN[:-1]}, r"one grid, but .*brain\.nii\.gz"),
        ({"mask": np.zeros(SPACE, np.uint8)}, r"The tumour mask .*mask\.nii\.gz is empty"),
        ({"mask": IMAGES["mask"] * np.int8(-1)}, r"0 or more, but .*mask\.nii\.gz has -4"),
        ({"mask": IMAGES["mask"] * np.float32(0.4)}, r"whole numbers, but .*mask\.nii\.gz"),
        ({"mask": np.ones(SPACE, np.uint8)}, "fills the whole brain: is it the mask of the brain"),
        ({"mask": OUTSIDE}, r"mask\.nii\.gz lies outside the brain of"),
        ({"t2": WITH_NAN}, r"1 of 1680 in .*t2\.nii\.gz are NaN or infinite"),
        ({"t1": np.where(BRAIN, 7.0, 0)}, r"t1\.nii\.gz is constant within the brain \(7\)"),
        ({"t1": IMAGES["t1"] + 9}, "no voxel of 0 around the brain in .*: skull-strip"),
        ({"brain": np.zeros(SPACE, np.uint8)}, r"There is no brain in .*brain\.nii\.gz"),
        ({"t1c": np.stack([IMAGES["t1c"]] * 2, axis=-1)}, r"one volume, but .*t1c\.nii\.gz has the shape"),
        (
            {"affine": AFFINE @ np.diag([1, 1, 5, 1])},
            r"1 mm are expected, but those of .*mask\.nii\.gz are 1 x 1 x 5 mm",
        ),
    ],
)
def test_scans_that_cannot_be_used_have_their_sentence(patient, changed, message):
    with pytest.raises(InputError, match=message):
        Scan(8)(patient(**changed))


def test_another_size_of_voxel_can_be_asked_for_or_not_cared_about(patient):
    subject = patient(affine=AFFINE @ np.diag([3, 3, 3, 1]))
    np.testing.assert_array_equal(Scan(8, spacing=3.0)(subject), Scan(8, spacing=None)(subject))


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"no image", lambda b: gzip.compress(b[:100])]
)
def test_a_corrupt_file_is_named(patient, damage):
    subject = patient()
    path = subject.files["t1c"]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"t1c\.nii\.gz"):
        Scan(8)(subject)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "1 or more voxels, not 0"),
        ({"channels": ("t1", "t1")}, "each once"),
        ({"channels": ("t1", "adc")}, "some of t1, t1c, t2, flair"),
        ({"percentiles": (99, 1)}, "must rise"),
    ],
)
def test_fields_that_do_not_fit_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Scan(**options)


def test_the_picture_is_a_png_whether_or_not_the_cube_leaves_the_scan(patient, tmp_path):
    for size in (4, 20):
        path = draw_preparation(patient(), tmp_path / f"{size}.png", Scan(size))
        assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif("IMBCLF_DATA" not in os.environ, reason="IMBCLF_DATA does not name the folder of the real data")
def test_the_real_patient_becomes_a_cube_with_the_tumour_in_its_middle():
    folder = Path(os.environ["IMBCLF_DATA"]) / "glioma_brats_toolkit" / "TCGA-DU-7294"
    files = find_scans([folder], SHARED_LAYOUTS)
    assert set(files) == {"t1", "t1c", "t2", "flair", "mask"}
    array = Scan()(Subject("tcga-du-7294", files, "astrocytoma"))
    # nibabel alone: turn each file, find the tumour, cut.
    turned = {role: nibabel.as_closest_canonical(nibabel.load(path)).get_fdata() for role, path in files.items()}
    start = [round(float(place)) - 48 for place in ndimage.center_of_mass(turned["mask"] > 0)]
    brain = np.any([turned[name] != 0 for name in ("t1", "t1c", "t2", "flair")], axis=0)
    for channel, name in enumerate(("t1", "t1c", "t2", "flair")):
        low, high = turned[name][brain].min(), turned[name][brain].max()
        cut = tuple(slice(first, first + 96) for first in start)
        cube = np.where(brain[cut], (turned[name][cut] - low) / (high - low), 0)
        np.testing.assert_allclose(array[:, :, : cube.shape[2], channel], cube, atol=2**-10)
    # The scan ends above the tumour, so that the cube is padded there.
    assert cube.shape == (96, 96, 155 - start[2])
    assert not array[:, :, 155 - start[2] :].any()
