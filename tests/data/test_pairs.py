import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbclf.data import assign_splits, check_split, open_segmentation, write_nifti
from imbclf.errors import InputError

RANDOM = np.random.default_rng(0)
SHAPE = (4, 5, 6)


def put(root, name, array=None, affine=None):
    """A NIfTI or PNG file; noise unless an array is given."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".png", ".jpg"):
        array = RANDOM.integers(0, 256, (5, 6)) if array is None else np.asarray(array)
        Image.fromarray(array.astype(np.uint8)).save(path)
    else:
        array = RANDOM.normal(size=SHAPE) if array is None else array
        write_nifti(path, array, affine=np.diag([1, 1, 2, 1]) if affine is None else affine)


def mask(*labels, shape=SHAPE):
    array = np.zeros(shape, np.int64)
    array.flat[: len(labels)] = labels
    return array


@pytest.fixture
def volumes(tmp_path):
    """Three cases in images/ and labels/, with labels 0 to 2."""
    for case in "abc":
        put(tmp_path, f"images/{case}.nii.gz")
        put(tmp_path, f"labels/{case}.nii.gz", mask(1, 2, 2))
    return tmp_path


class TestFolders:
    def test_images_and_masks_are_paired_by_name(self, volumes):
        put(volumes, "images/.hidden.nii.gz")
        (volumes / "images/notes.txt").write_text("of no concern")
        array = RANDOM.normal(size=SHAPE).astype(np.float32)
        put(volumes, "images/b.nii.gz", array)
        put(volumes, "labels/b.nii.gz", mask(2, 1))
        dataset = open_segmentation(volumes, normalize="none")
        assert dataset.ids.tolist() == ["a", "b", "c"]
        assert dataset.class_names == ("background", "1", "2")
        assert dataset.split.tolist() == [""] * 3
        case = dataset.case(1)
        np.testing.assert_array_equal(case.image[..., 0], array)
        np.testing.assert_array_equal(case.mask, mask(2, 1))
        assert case.spacing == (1, 1, 2)
        np.testing.assert_array_equal(case.affine, np.diag([1, 1, 2, 1]))
        assert case.path == volumes / "images/b.nii.gz"

    def test_decathlon_folders_are_training_and_test(self, tmp_path):
        for case, place in (("a", "Tr"), ("b", "Tr"), ("c", "Ts")):
            put(tmp_path, f"images{place}/{case}.nii.gz")
            put(tmp_path, f"labels{place}/{case}.nii.gz", mask(1))
        assert open_segmentation(tmp_path).split.tolist() == ["train", "train", "test"]

    def test_decathlon_test_images_without_masks_are_left_alone(self, tmp_path):
        put(tmp_path, "imagesTr/a.nii.gz")
        put(tmp_path, "labelsTr/a.nii.gz", mask(1))
        put(tmp_path, "imagesTs/b.nii.gz")
        assert open_segmentation(tmp_path).ids.tolist() == ["a"]

    def test_numbered_files_beside_one_mask_are_its_channels(self, tmp_path):
        arrays = [RANDOM.normal(size=SHAPE).astype(np.float32) for _ in range(2)]
        for number, array in enumerate(arrays):
            put(tmp_path, f"images/a_{number:04d}.nii.gz", array)
        put(tmp_path, "labels/a.nii.gz", mask(1))
        dataset = open_segmentation(tmp_path, normalize="none")
        assert dataset.ids.tolist() == ["a"]
        np.testing.assert_array_equal(dataset.case(0).image, np.stack(arrays, axis=-1))

    def test_a_number_in_the_name_of_image_and_mask_is_no_channel(self, tmp_path):
        for number in range(2):
            put(tmp_path, f"images/a_{number:04d}.nii.gz")
            put(tmp_path, f"labels/a_{number:04d}.nii.gz", mask(1))
        dataset = open_segmentation(tmp_path)
        assert (dataset.ids.tolist(), dataset.channels) == (["a_0000", "a_0001"], 1)

    def test_flat_images_are_paired_too(self, tmp_path):
        put(tmp_path, "images/a.jpg")
        put(tmp_path, "images/b.png")
        for case in "ab":
            put(tmp_path, f"labels/{case}.png", mask(1, 255, shape=(5, 6)))
        dataset = open_segmentation(tmp_path, ignore_class=255)
        assert (dataset.rank, dataset.channels, dataset.num_classes) == (2, 1, 2)
        assert dataset.voxel_counts().tolist() == [[28, 1]] * 2
        assert (dataset.case(0).mask == 255).sum() == 1


class TestClassNames:
    def test_given_names_count_the_classes(self, volumes):
        dataset = open_segmentation(volumes, class_names=("background", "organ", "tumour", "vessel"))
        assert dataset.num_classes == 4
        assert dataset.counts().tolist() == [3, 3, 3, 0]

    @pytest.mark.parametrize(
        ("labels", "ignore_class"),
        [
            ({"0": "background", "1": "organ", "2": "tumour"}, None),
            ({"background": 0, "tumour": 2, "organ": 1}, None),
            ({"background": 0, "organ": 1, "tumour": 2, "ignore": 3}, 3),
        ],
    )
    def test_a_dataset_json_names_them_in_both_of_its_forms(self, volumes, labels, ignore_class):
        (volumes / "dataset.json").write_text(json.dumps({"labels": labels}))
        dataset = open_segmentation(volumes)
        assert dataset.class_names == ("background", "organ", "tumour")
        assert dataset.ignore_class == ignore_class

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ({"labels": {"background": 0, "whole": [1, 2]}}, "regions of several labels"),
            ({"labels": {"0": "background", "2": "tumour"}}, "from 0 on without a gap"),
            ({"labels": {"background": 0, "a": 1, "b": 1}}, "label 1 two names"),
            ({"labels": {"background": "zero"}}, "must pair names with whole numbers"),
            ({"names": {}}, "must hold an object 'labels'"),
            ([1], "must hold an object 'labels'"),
        ],
    )
    def test_a_dataset_json_that_cannot_be_used_is_named(self, volumes, content, message):
        (volumes / "dataset.json").write_text(json.dumps(content))
        with pytest.raises(InputError, match=rf"dataset\.json .*{message}"):
            open_segmentation(volumes)

    def test_a_label_that_no_mask_holds_is_named(self, volumes):
        put(volumes, "labels/a.nii.gz", mask(1, 4))
        with pytest.raises(InputError, match=r"labels 0, 1, 2, 4 but no 3"):
            open_segmentation(volumes)


class TestIndex:
    def write(self, root, text, name="index.csv"):
        (root / name).write_text(text)
        return open_segmentation(root, name)

    def test_rows_say_image_mask_patient_split_and_site(self, volumes):
        dataset = self.write(
            volumes,
            "path,mask,patient,split,site,age\n"
            "images/a.nii.gz,labels/a.nii.gz,p1,train,x,40\n"
            "images/b.nii.gz,labels/c.nii.gz,p2,validation,,50\n",
        )
        assert dataset.ids.tolist() == ["images/a", "images/b"]
        assert dataset.split.tolist() == ["train", "val"]
        assert dataset.patients.tolist() == ["p1", "p2"]
        assert dataset.sites.tolist() == ["x", ""]
        assert dataset.masks.path(1) == volumes / "labels/c.nii.gz"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("path,label\nimages/a.nii.gz,1\n", "has no column 'mask'"),
            ("path,mask\n", "needs the header path,mask"),
            ("path,mask\nimages/a.nii.gz,\n", "row 2 names no mask"),
            ("path,mask\n,labels/a.nii.gz\n", "row 2 names no image"),
            ("path,mask\nimages/a.nii.gz,../a.nii.gz\n", r"row 2 has the path \.\./a\.nii\.gz"),
            ("path,mask\nimages/a.nii.gz,/a.nii.gz\n", "row 2 has the absolute path"),
            ("path,mask\nimages/a.nii.gz,labels/x.nii.gz\n", r"labels/x\.nii\.gz does not exist"),
            ("path,mask\nimages/x.nii.gz,labels/a.nii.gz\n", r"images/x\.nii\.gz does not exist"),
            ("path,mask\nimages/a.nii.gz,labels/a.nii.gz\nimages/a.nii.gz,labels/b.nii.gz\n", "row 3 names .* again"),
            ("path,mask,patients\nimages/a.nii.gz,labels/a.nii.gz,p\n", "rename it to 'patient'"),
            ("path,mask\nimages/a.mha,labels/a.nii.gz\n", r"must end in one of .*a\.mha"),
        ],
    )
    def test_rows_that_cannot_be_used_are_named(self, volumes, text, message):
        with pytest.raises(InputError, match=message):
            self.write(volumes, text)

    def test_leakage_between_given_splits_is_refused_unless_allowed(self, volumes):
        (volumes / "images/b.nii.gz").write_bytes((volumes / "images/a.nii.gz").read_bytes())
        rows = (
            "path,mask,patient,split\n"
            "images/a.nii.gz,labels/a.nii.gz,p,train\n"
            "images/b.nii.gz,labels/b.nii.gz,{},test\n"
        )
        with pytest.raises(InputError, match="image images/a in train is identical to images/b in test"):
            self.write(volumes, rows.format("q"))
        with pytest.raises(InputError, match="Patient p is in train"):
            self.write(volumes, rows.format("p"))
        open_segmentation(volumes, "index.csv", allow_patient_overlap=True, allow_duplicate_images=True)


class TestBadPairs:
    """Every sentence names the files."""

    @pytest.mark.parametrize(
        ("array", "affine", "message"),
        [
            (mask(1, shape=(4, 5, 7)), None, r"images/b.* shape \(4, 5, 6\), but its mask .*labels/b.* \(4, 5, 7\)"),
            (mask(1), np.diag([1, 1, 2.01, 1]), "images/b.* and its mask .*labels/b.* differ by up to 0.01,"),
            (mask(1), np.eye(4) + np.eye(4, k=3), "different places"),
            (mask(1) + 0.5, None, "120 voxels of the mask .*labels/b.* are not"),
            (mask(3, 3, 3), None, "labels/b.* has the label 3 in 3 voxels, but labels are 0 to 2"),
            (mask(-1), None, "labels/b.* has the label -1 in 1 voxels"),
            (np.zeros((*SHAPE, 2), int), None, r"one label per voxel, but .*labels/b.* \(4, 5, 6, 2\)"),
        ],
    )
    def test_a_mask_that_does_not_fit_its_image_is_named(self, volumes, array, affine, message):
        put(volumes, "labels/b.nii.gz", array, affine)
        with pytest.raises(InputError, match=message) as caught:
            open_segmentation(volumes, class_names=("background", "organ", "tumour"))
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)

    def test_affines_that_differ_by_rounding_are_one_place(self, volumes):
        put(volumes, "labels/b.nii.gz", mask(1), np.diag([1, 1, 2.0005, 1]))
        assert len(open_segmentation(volumes)) == 3

    def test_the_ignored_label_is_no_class_and_others_still_are_refused(self, volumes):
        put(volumes, "labels/b.nii.gz", mask(255, 254))
        names = ("background", "organ", "tumour")
        with pytest.raises(InputError, match=r"label 254 in 1 voxels, but labels are 0 to 2 or 255 \(ignore_class\)"):
            open_segmentation(volumes, class_names=names, ignore_class=255)

    def test_an_image_without_a_mask_and_a_mask_without_an_image_are_named(self, volumes):
        put(volumes, "images/d.nii.gz")
        with pytest.raises(InputError, match=r"image .*images/d\.nii\.gz has no mask"):
            open_segmentation(volumes)
        (volumes / "images/d.nii.gz").rename(volumes / "labels/e.nii.gz")
        with pytest.raises(InputError, match=r"mask .*labels/e\.nii\.gz has no image"):
            open_segmentation(volumes)

    def test_two_files_of_one_name_are_named(self, volumes):
        put(volumes, "images/a.nii")
        with pytest.raises(InputError, match=r"a\.nii and a\.nii\.gz have one name"):
            open_segmentation(volumes)

    def test_channels_with_a_gap_and_of_different_number_are_named(self, volumes):
        put(volumes, "images/d_0000.nii.gz")
        put(volumes, "images/d_0002.nii.gz")
        put(volumes, "labels/d.nii.gz", mask(1))
        with pytest.raises(InputError, match=r"channels of d in .* must count from 0000, but they are 0000, 0002"):
            open_segmentation(volumes)
        (volumes / "images/d_0002.nii.gz").rename(volumes / "images/d_0001.nii.gz")
        with pytest.raises(InputError, match="a has 1 and d has 2"):
            open_segmentation(volumes)

    def test_flat_images_among_volumes_are_named(self, volumes):
        put(volumes, "images/d.png")
        put(volumes, "labels/d.png", mask(1, shape=(5, 6)))
        with pytest.raises(InputError, match=r"all flat or all volumes, but a has .* and d has"):
            open_segmentation(volumes)

    def test_a_flat_mask_of_a_volume_is_named(self, volumes):
        (volumes / "labels/b.nii.gz").unlink()
        put(volumes, "labels/b.png", mask(1, shape=(5, 6)))
        with pytest.raises(InputError, match=r"image of b has shape \(4, 5, 6\), but its mask has \(5, 6\)"):
            open_segmentation(volumes)

    @pytest.mark.parametrize("folders", [[], ["images"], ["images", "labels"]])
    def test_empty_folders_are_named(self, tmp_path, folders):
        for folder in folders:
            (tmp_path / folder).mkdir()
        with pytest.raises(InputError, match=r"must hold the folders images and labels|There is no image"):
            open_segmentation(tmp_path)

    def test_a_nan_in_an_image_is_named_when_it_is_read(self, volumes):
        array = RANDOM.normal(size=SHAPE)
        array[0, 0, 0] = np.nan
        put(volumes, "images/b.nii.gz", array)
        dataset = open_segmentation(volumes)
        with pytest.raises(InputError, match=r"1 of 120 in .*images/b\.nii\.gz are NaN or infinite"):
            dataset.case(1)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"format": "dicom"}, "format must be one of auto, folder, csv, shapes"),
            ({"root": None}, "root.* is not given"),
            ({"root": "/absent"}, "/absent does not exist"),
            ({"format": "csv"}, "csv needs the index"),
            ({"format": "folder", "index": "a.csv"}, r"have no index, but 'a\.csv'"),
            ({"format": "shapes"}, "leave root and class_names away"),
            ({"normalize": "mean"}, "normalize must be one of"),
            ({"ignore_class": 1}, "ignore_class 1 is the class|but no 1"),
        ],
    )
    def test_options_that_do_not_fit_are_named(self, volumes, options, message):
        with pytest.raises(InputError, match=message):
            open_segmentation(**{"root": volumes} | options)


HIPPOCAMPUS = Path(os.environ.get("IMBCLF_DATA", "")) / "hippocampus"


@pytest.mark.skipif("IMBCLF_DATA" not in os.environ, reason="IMBCLF_DATA does not name the folder of the real data")
def test_the_real_hippocampi_are_read_and_divided():
    dataset = assign_splits(open_segmentation(HIPPOCAMPUS, class_names=("background", "anterior", "posterior")))
    check_split(dataset)
    assert len(dataset) == 174
    # The shares that the data's description gives.
    voxels = dataset.voxel_counts().sum(axis=0)
    np.testing.assert_allclose(voxels / voxels.sum(), [0.948, 0.027, 0.025], atol=1e-3)
    assert [len(dataset.indices(split)) for split in ("train", "val", "test")] == [113, 26, 35]
    for position in range(len(dataset)):
        case = dataset.case(position)
        assert case.image.shape == (*case.mask.shape, 1)
        np.testing.assert_allclose([case.image.mean(), case.image.std()], [0, 1], atol=1e-4)
