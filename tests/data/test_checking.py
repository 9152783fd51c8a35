import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from imbclf.data import read_index, write_nifti
from imbclf.data.checking import CheckReport, Finding, check_index
from imbclf.data.checking.appearance import describe, pairs_alike
from imbclf.data.checking.check import CHECKS
from imbclf.data.checking.counts import ClassCounts
from imbclf.data.checking.figure import class_distribution
from imbclf.data.checking.outliers import robust_scores
from imbclf.errors import InputError


def picture(seed, size=(48, 64), channels=3):
    """A smooth picture of its own for every seed, values 30 to 220, uint8 `(*size, channels)`."""
    random = np.random.default_rng(seed)
    # As in photographs, most of what there is to see is in all colours.
    noise = random.normal(size=(*size, 1)) + 0.3 * random.normal(size=(*size, channels))
    smooth = gaussian_filter(noise, (*[max(size) / 24] * len(size), 0), mode="constant")
    return np.interp(smooth, (smooth.min(), smooth.max()), (30, 220)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Writes files by name: arrays as images, text as it is."""

    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_text(content, encoding="utf-8")
            elif isinstance(content, bytes):
                path.write_bytes(content)
            elif name.endswith(".npy"):
                np.save(path, content)
            elif ".nii" in name:
                write_nifti(path, content, np.eye(4))
            else:
                Image.fromarray(content.squeeze()).save(path)
        return tmp_path

    return write


@pytest.fixture
def checked(folder):
    """Checks an index of pictures, one for every path in it unless a test gives or withholds them."""

    def check(text, files=None, **options):
        paths = [line.split(",")[0] for line in text.splitlines()[1:]]
        wanted = {path: picture(seed) for seed, path in enumerate(paths)} if files is None else files
        root = folder({**wanted, "index.csv": text})
        return check_index(root / "index.csv", **options)

    return check


def kinds(report):
    return {finding.check for finding in report.findings}


def only(report, check):
    """The one finding of a kind."""
    found = [finding for finding in report.findings if finding.check == check]
    assert len(found) == 1, report.text()
    return found[0]


CLEAN = "path,label,patient,split,site\n" + "".join(
    f"{number}.png,{'ill' if number % 2 else 'well'},p{number},{'train' if number < 8 else 'test'},east\n"
    for number in range(12)
)


def test_nothing_is_found_where_nothing_is_wrong(checked):
    report = checked(CLEAN)
    assert report.findings == ()
    assert report.exit_status == 0
    assert report.images == report.opened == 12
    assert {name: group.counts.tolist() for name, group in report.splits.items()} == {"train": [4, 4], "test": [2, 2]}
    assert report.sites["east"].counts.tolist() == [6, 6]


def test_what_check_passes_the_reader_reads(checked, tmp_path):
    assert checked(CLEAN).count("error") == 0
    assert len(read_index(tmp_path, "index.csv")) == 12


def test_everything_is_found_at_once_and_every_finding_names_row_and_file(checked):
    rows = ["a.png,ill,1,train", "b.png,ill,1,test", "c.png,Ill,2,train", "d.png,well,3,tset", "e.png,,4,"]
    text = "path,label,patient,split\n" + "\n".join(rows)
    files = {path: picture(seed) for seed, path in enumerate(["a.png", "b.png", "c.png", "d.png"])}
    report = checked(text, files | {"b.png": b"no image"})
    assert kinds(report) >= {
        "patient in two splits",
        "class in two spellings",
        "unknown split",
        "missing label",
        "missing file",
        "unreadable image",
        "class missing from a split",
    }
    assert only(report, "unreadable image").rows == ("row 3",)
    assert only(report, "unknown split").files == ("d.png",)
    assert only(report, "missing file").rows == ("row 6",)
    assert report.exit_status == 1


@pytest.mark.parametrize(
    ("rows", "kind", "severity", "message"),
    [
        ("a.png,ill,,\n,ill,,\n", "unusable path", "error", "row 3 names no image"),
        ("a.png,ill,,\n../b.png,ill,,\n", "unusable path", "error", "may leave the data's folder: remove the '..'"),
        ("a.png,ill,,\n/data/b.png,ill,,\n", "unusable path", "error", "row 3 has the absolute path /data/b.png"),
        ("a.png,ill,,\nC:\\b.png,ill,,\n", "unusable path", "error", "has the absolute path"),
        ("a.png,ill,,\nb.png,,,\n", "missing label", "error", "row 3 names no label"),
        ("a.png,ill,,\nb.png,ill,,traim\n", "unknown split", "error", "did you mean 'train'"),
        ("a.png,ill,,\na.png,ill,,\n", "path listed twice", "error", r"a.png is listed 2 times \(row 2, row 3\)"),
        ("a.png,ill,,\nz.png,ill,,\n", "missing file", "error", r"z.png \(row 3\) is not in"),
        ("a.png,ill,,\nb.png,ILL,,\n", "class in two spellings", "error", "'ILL' .* and 'ill' .* are one class"),
        ("a.png,glaucoma,,\nb.png,glaucmoa,,\n", "class misspelt?", "warning", "may be one class"),
        (
            "a.png,ill,,train\nb.png,well,,train\nc.png,well,,test\n",
            "class missing from a split",
            "warning",
            "test .* none of class ill",
        ),
        ("a.png,ill,,train\nb.png,ill,,\n", "row without split", "warning", "1 image of 2 have no split: b.png"),
        ("a.png,ill,7,\nb.png,ill,,\n", "row without patient", "warning", "name no patient: b.png"),
        ("a.png,ill,7,\nb.png,well,7,\n", "patient with two labels", "warning", "ill in a.png .* well in b.png"),
        ("a.png,ill,p7,\nb.png,ill,P7,\n", "patient in two spellings", "warning", "'P7' in b.png .* 'p7' in a.png"),
    ],
)
def test_rows_that_are_wrong(checked, rows, kind, severity, message):
    report = checked(
        f"path,label,patient,split\n{rows}", {f"{name}.png": picture(seed) for seed, name in enumerate("abc")}
    )
    finding = only(report, kind)
    assert finding.severity == severity
    assert re.search(message, finding.message)
    assert report.exit_status == 0


def test_a_class_missing_from_a_site_and_a_site_in_two_spellings(checked):
    report = checked(
        "path,label,site\na.png,ill,east\nb.png,well,east\nc.png,ill,west\nd.png,well,East \nx.png,ill,East\n"
    )
    missing = only(report, "class missing from a site")
    assert "The site west (1 image) has none of class well" in missing.message
    assert "'East' (2 images) and 'east' (2 images)" in only(report, "site in two spellings").message


def test_a_misspelt_column_is_found(checked):
    report = checked("path,label,patients\na.png,ill,1\nb.png,well,2\n")
    assert "rename it to 'patient'" in only(report, "misspelt column").message


def test_a_column_of_names_is_no_column_of_classes(folder):
    rows = "".join(f"a.png,case {number}\n" for number in range(400))
    root = folder({"a.png": picture(0), "index.csv": f"path,label\n{rows}"})
    assert "400 different labels" in only(check_index(root / "index.csv", sample=0), "many labels").message


def test_the_published_lists_are_read_and_their_class_numbers_compared(folder):
    head = "Class,Class_Int,Filename\n"
    root = folder(
        {
            "normal_control/1.png": picture(0),
            "early_glaucoma/1.png": picture(1),
            "normal_control/2.png": picture(2),
            "early_glaucoma/2.png": picture(3),
            "train.csv": f"{head}normal_control,0,1.png\nearly_glaucoma,1,1.png\n",
            "test.csv": f"{head}normal_control,0,2.png\nearly_glaucoma,1,2.png\n",
        }
    )
    lists = {"train": "train.csv", "test": "test.csv"}
    report = check_index(lists, root)
    assert report.class_names == ("normal_control", "early_glaucoma")
    assert report.findings == ()
    (root / "test.csv").write_text(f"{head}normal_control,1,2.png\nearly_glaucoma,1,2.png\n")
    assert "pairs Class normal_control with Class_Int 1" in only(check_index(lists, root), "class number").message


class TestLeakage:
    def test_a_patient_in_two_splits(self, checked):
        report = checked("path,label,patient,split\na.png,ill,7,train\nb.png,ill,7,test\nc.png,ill,8,test\n")
        finding = only(report, "patient in two splits")
        assert finding.message.startswith("Patient 7 is in train with a.png (row 2) and in test with b.png (row 3)")
        assert finding.leaks
        assert report.exit_status == 1

    def test_equal_bytes_are_found_without_opening_an_image(self, checked):
        # More bytes than the pieces that are compared first.
        large = np.random.default_rng(0).integers(0, 256, (200, 200, 1), np.uint8)
        other = large.copy()
        other[100, 100] ^= 1
        report = checked(
            "path,label,split\na.npy,ill,train\nb.npy,ill,test\nc.npy,ill,val\n",
            {"a.npy": large, "b.npy": large, "c.npy": other},
            sample=0,
        )
        assert only(report, "identical images across splits").files == ("a.npy", "b.npy")
        assert report.exit_status == 1
        assert report.opened == 0

    def test_equal_pixels_in_different_files(self, checked):
        image = picture(0)
        report = checked(
            "path,label,split\na.png,ill,train\nb.png,well,test\n",
            {"a.png": image, "b.png": png(image, compress_level=0)},
        )
        assert "a.png (row 2) in train, b.png (row 3) in test" in only(report, "identical images across splits").message
        assert "labels are ill, well" in only(report, "identical images, two labels").message

    def test_identical_images_in_one_split_are_no_leakage(self, checked):
        report = checked(
            "path,label,split\na.png,ill,train\nb.png,ill,train\n", dict.fromkeys(["a.png", "b.png"], picture(0))
        )
        assert only(report, "identical images").severity == "warning"
        assert report.exit_status == 0

    def test_one_path_in_two_splits(self, checked):
        report = checked("path,label,split\na.png,ill,train\na.png,ill,test\n")
        assert only(report, "path listed twice").leaks
        assert report.exit_status == 1

    @pytest.mark.parametrize(
        "copied", ["half", "double", "jpeg", "brighter", "gamma", "grey", "mirrored", "upside_down"]
    )
    def test_a_changed_copy_across_splits_is_found_and_named(self, checked, copied):
        files = {f"{number}.png": picture(number) for number in range(8)}
        files["copy.png"] = COPIES[copied](picture(5))
        report = checked(
            "path,label,split\n"
            + "".join(f"{name},ill,{'test' if name == 'copy.png' else 'train'}\n" for name in files),
            files,
        )
        finding = only(report, "images alike across splits")
        assert finding.files == ("5.png", "copy.png")
        assert ("mirrored" in finding.message) == (copied in ("mirrored", "upside_down"))
        assert report.exit_status == 1

    def test_a_volume_resampled_or_scaled_is_found(self, checked):
        volumes = {f"{n}.nii.gz": picture(n, (32, 28, 24), 1)[..., 0].astype(np.float32) for n in range(6)}
        volumes["copy.nii.gz"] = (volumes["3.nii.gz"][::2] + volumes["3.nii.gz"][1::2]) * 350 + 40
        report = checked(
            "path,label,split\n" + "".join(f"{n},ill,{'test' if n == 'copy.nii.gz' else 'train'}\n" for n in volumes),
            volumes,
        )
        assert only(report, "images alike across splits").files == ("3.nii.gz", "copy.nii.gz")

    def test_copies_without_a_split_are_a_warning_and_copies_of_one_patient_none(self, checked):
        files = {"a.png": picture(0), "b.png": COPIES["half"](picture(0)), "c.png": picture(1)}
        report = checked("path,label\na.png,ill\nb.png,ill\nc.png,ill\n", files)
        assert only(report, "images alike").severity == "warning"
        assert report.exit_status == 0
        named = checked("path,label,patient\na.png,ill,1\nb.png,ill,1\nc.png,ill,2\n", files)
        assert "images alike" not in kinds(named)

    def test_copies_within_one_split_are_nothing(self, checked):
        files = {"a.png": picture(0), "b.png": COPIES["half"](picture(0))}
        assert not any(
            "alike" in kind for kind in kinds(checked("path,label,split\na.png,x,train\nb.png,x,train\n", files))
        )


def jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=50)
    return np.asarray(Image.open(buffer))


def png(image, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", **options)
    return buffer.getvalue()


def resized(image, factor):
    return np.asarray(Image.fromarray(image).resize((int(image.shape[1] * factor), int(image.shape[0] * factor))))


COPIES = {
    "half": lambda image: resized(image, 0.5),
    "double": lambda image: resized(image, 2),
    "jpeg": jpeg,
    "brighter": lambda image: np.clip(image * 1.1 + 10.0, 0, 255).astype(np.uint8),
    "gamma": lambda image: (255 * (image / 255) ** 1.3).astype(np.uint8),
    "grey": lambda image: np.asarray(Image.fromarray(image).convert("L")),
    "mirrored": lambda image: image[:, ::-1],
    "upside_down": lambda image: image[::-1],
}


class TestAppearance:
    def test_different_pictures_are_not_alike(self):
        features = np.stack([describe(picture(seed, (32, 32))) for seed in range(300)])
        assert pairs_alike(features, 2, lambda first, second: np.ones(len(first), bool)) == []

    def test_what_all_images_have_in_common_makes_no_two_alike(self):
        # As fundus photographs: one bright disc, and a tenth of the contrast for what is their own.
        rows, columns = np.mgrid[-1:1:48j, -1:1:48j]
        disc = np.exp(-3 * (rows**2 + columns**2))[..., np.newaxis]
        features = np.stack([describe(2000 * disc + picture(seed, (48, 48), 1)) for seed in range(200)])
        raw = features @ features.T
        assert np.quantile(raw[np.triu_indices(200, 1)], 0.5) > 0.95
        assert pairs_alike(features, 2, lambda first, second: np.ones(len(first), bool)) == []

    @pytest.mark.parametrize("rank", [2, 3])
    def test_a_flip_changes_the_signs_of_odd_waves_and_nothing_else(self, rank):
        image = picture(0, (20, 24, 22)[:rank], 1)
        features, flipped = describe(image), describe(image[::-1])
        np.testing.assert_allclose(np.abs(flipped), np.abs(features), atol=1e-5)
        pairs = pairs_alike(np.stack([features, flipped]), rank, lambda first, second: np.ones(len(first), bool))
        assert [(first, second, axes) for first, second, _, axes in pairs] == [(0, 1, (0,))]
        assert (
            pairs_alike(np.stack([features, flipped]), rank, lambda first, _: np.ones(len(first), bool), flips=False)
            == []
        )

    def test_pairs_of_no_interest_are_left_out_and_constant_images_too(self):
        features = np.stack([describe(picture(0)), describe(resized(picture(0), 0.5)), describe(np.full((9, 9, 1), 7))])
        assert not features[2].any()
        found = pairs_alike(features, 2, lambda first, second: np.ones(len(first), bool))
        assert [pair[:2] for pair in found] == [(0, 1)]
        assert found[0][2] == pytest.approx(1, abs=0.05)
        assert pairs_alike(features, 2, lambda first, second: np.zeros(len(first), bool)) == []

    def test_images_smaller_than_the_waves_have_features(self):
        assert np.isfinite(describe(picture(0, (5, 3), 1))).all()


class TestImages:
    @pytest.mark.parametrize(
        ("name", "content", "kind", "severity", "message"),
        [
            ("x.png", b"\x89PNG\r\n\x1a\nrest", "unreadable image", "error", "row 2: The "),
            ("x.png", png(picture(9))[:-200], "unreadable image", "error", "cannot be read"),
            ("x.txt", "words", "unreadable image", "error", "row 2: The "),
            ("x.npy", b"words", "unreadable image", "error", "no readable .npy"),
            ("x.npy", np.zeros(5), "unreadable image", "error", "Prepared arrays are uint8"),
            ("x.png", np.full((48, 64, 3), 7, np.uint8), "constant image", "error", "all its values are 0.0274"),
            ("x.png", picture(9) * np.uint8([1, 0, 1]), "constant channel", "warning", "in channel 1 (of 3"),
            ("x.npy", np.float16([np.nan, 0, 1, 0.5]).reshape(2, 2, 1), "NaN or infinity", "error", "1 values of 4"),
            ("x.npy", np.float16([-3, 0, 1, 0.5]).reshape(2, 2, 1), "values outside [0, 1]", "error", "from -3 to 1"),
            ("x.nii.gz", b"words", "unreadable image", "error", "is not NIfTI"),
        ],
    )
    def test_images_that_cannot_be_used(self, checked, name, content, kind, severity, message):
        report = checked(f"path,label\n{name},ill\nb.png,ill\n", {name: content, "b.png": picture(1)})
        finding = only(report, kind)
        assert finding.severity == severity
        assert message in finding.message
        assert finding.rows == ("row 2",)
        assert finding.files == (name,)

    def test_nan_in_a_volume(self, checked, tmp_path):
        import nibabel

        volume = picture(0, (8, 8, 8), 1)[..., 0].astype(np.float32)
        volume[1, 2, 3] = np.nan
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "x.nii.gz")
        report = checked("path,label\nx.nii.gz,ill\n", {})
        assert "1 of 512 in" in only(report, "unreadable image").message

    def test_the_exception_among_equal_shapes_and_channels_is_named(self, checked):
        files = {f"{number}.png": picture(number) for number in range(20)}
        files["large.png"], files["grey.png"] = picture(20, (60, 64)), picture(21, channels=1)
        report = checked("path,label\n" + "".join(f"{name},ill\n" for name in files), files)
        shape = only(report, "other shape")
        assert shape.files == ("large.png",)
        assert shape.message == "large.png (row 22) has 60 x 64, but 21 of 22 images have 48 x 64."
        assert only(report, "other channels").files == ("grey.png",)

    def test_sizes_that_differ_all_are_a_note_and_the_far_one_a_warning(self, checked):
        files = {f"{number}.png": picture(number, (40 + number, 50)) for number in range(20)}
        files["huge.png"] = picture(30, (300, 50))
        report = checked("path,label\n" + "".join(f"{name},ill\n" for name in files), files)
        assert "21 different: from 40 x 50 to 300 x 50, median 50 x 50" in only(report, "other shape").message
        assert only(report, "shape outlier").files == ("huge.png",)

    def test_another_voxel_size_is_named(self, checked, tmp_path):
        for number in range(12):
            spacing = (1, 1, 5) if number == 7 else (1, 1, 1)
            write_nifti(tmp_path / f"{number}.nii", picture(number, (9, 8, 7), 1)[..., 0], np.diag([*spacing, 1.0]))
        report = checked("path,label\n" + "".join(f"{number}.nii,ill\n" for number in range(12)), {})
        finding = only(report, "other spacing")
        assert finding.files == ("7.nii",)
        assert "voxels of 1 x 1 x 5 mm, but 11 of 12" in finding.message

    def test_intensities_are_compared_within_a_site(self, checked):
        dark = {f"dark{number}.png": picture(number) // 4 for number in range(12)}
        bright = {f"bright{number}.png": picture(number + 20) for number in range(12)}
        strange = {"strange.png": picture(50)}
        lines = [
            f"{name},ill,{'dark' if name in dark or name in strange else 'bright'}" for name in dark | bright | strange
        ]
        report = checked("path,label,site\n" + "\n".join(lines), dark | bright | strange)
        finding = only(report, "intensity outlier")
        assert finding.files == ("strange.png",)
        assert "the median of site dark is" in finding.message

    def test_a_handful_of_images_says_nothing_about_what_is_usual(self, checked):
        files = {f"{number}.png": picture(number) for number in range(8)} | {"dark.png": picture(9) // 20}
        assert checked("path,label\n" + "".join(f"{name},ill\n" for name in files), files).findings == ()

    def test_scores_are_distances_in_robust_deviations(self):
        values = np.random.default_rng(0).normal(3, 2, 20_001)
        np.testing.assert_allclose(robust_scores(values), (values - 3) / 2, atol=0.15)
        assert robust_scores([1, 1, 1, 1, 2]).tolist() == [0, 0, 0, 0, 0]
        assert robust_scores([1, 1, 1, 1, 2], floor=0.1)[-1] == pytest.approx(10)


class TestMasks:
    def check(self, folder, mask, **options):
        """One sound case, and one with the given mask."""
        sound = np.zeros((48, 64), np.uint8)
        sound[3:9, 4:8] = 1
        files = {"a.png": picture(0), "b.png": picture(1), "ma.png": sound}
        if mask is not None:
            files["mb.png"] = mask
        root = folder({**files, "index.csv": "path,mask,split\na.png,ma.png,train\nb.png,mb.png,test\n"})
        return check_index(root / "index.csv", **options)

    def test_labels_of_masks_are_counted_by_split(self, folder):
        two = np.zeros((48, 64), np.uint8)
        two[:5] = 2
        report = self.check(folder, two)
        assert report.class_names == ("0", "1", "2")
        assert report.splits["train"].counts.tolist() == [1, 1, 0]
        assert report.splits["test"].shares.tolist() == [1, 0, 1]
        assert len([finding for finding in report.findings if finding.check == "class missing from a split"]) == 2

    def test_masks_that_do_not_fit(self, folder):
        assert "shape" in only(self.check(folder, np.zeros((9, 9), np.uint8)), "unusable mask").message

    def test_masks_that_are_not_there(self, folder):
        assert "mb.png of b.png (row 3)" in only(self.check(folder, None, sample=0), "missing file").message

    def test_masks_of_background_only(self, folder):
        assert only(self.check(folder, np.zeros((48, 64), np.uint8)), "empty mask").rows == ("row 3",)


class TestSources:
    def test_a_folder_per_class(self, folder):
        root = folder({"ill/a.png": picture(0), "well/b.png": picture(1, (30, 30)), "well/c.png": picture(0)})
        report = check_index(root)
        assert report.class_names == ("ill", "well")
        assert only(report, "identical images, two labels").files == ("ill/a.png", "well/c.png")

    def test_a_medmnist_file(self, tmp_path):
        images = np.stack([picture(seed, (28, 28)) for seed in range(9)])
        np.savez(
            tmp_path / "set.npz",
            train_images=images[:6],
            train_labels=np.arange(6) % 2,
            test_images=images[[6, 7, 0]],
            test_labels=np.array([0, 1, 0]),
        )
        report = check_index(tmp_path / "set.npz")
        assert only(report, "identical images across splits").files == ("train/000000", "test/000002")

    def test_the_sample_takes_turns_among_split_class_and_site(self, checked):
        lines = [f"{number}.png,{'rare' if number == 0 else 'common'},train" for number in range(40)]
        report = checked("path,label,split\n" + "\n".join(lines), sample=2)
        assert report.opened == 2
        assert "2 of 40 images were opened" in report.opened_note
        # The first turn holds one image of each class.
        report = checked("path,label,split\n" + "\n".join(lines), {"0.png": b"damaged"}, sample=2, seed=3)
        assert only(report, "unreadable image").files == ("0.png",)

    def test_workers_do_not_change_the_report(self, checked):
        one, two = checked(CLEAN, workers=1).to_dict(), checked(CLEAN, workers=2).to_dict()
        assert one | {"seconds": 0} == two | {"seconds": 0}

    @pytest.mark.parametrize(
        ("text", "options", "message"),
        [
            ("", {}, "has no rows"),
            ("path,label\n", {}, "has no rows"),
            ("file,label\na.png,ill\n", {}, "no column 'path'"),
            ("path,class\na.png,ill\n", {}, "no column 'label'"),
            ("path,label\na.png\n", {}, "expected 2 columns, got 1"),
            (CLEAN, {"root": "nowhere"}, "The data folder nowhere does not exist"),
            (CLEAN, {"sample": -1}, "sample must be at least 0"),
            (CLEAN, {"figure": "classes.docx"}, r"a .png or an .svg file"),
        ],
    )
    def test_an_index_that_cannot_be_read_at_all_is_refused(self, checked, text, options, message):
        with pytest.raises(InputError, match=message):
            checked(text, {}, **options)

    def test_an_index_that_is_not_there_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="does not exist"):
            check_index(tmp_path / "none.csv")


class TestReport:
    def test_text_json_and_figure_say_the_same(self, checked, tmp_path):
        report = checked(CLEAN, figure=tmp_path / "classes.svg")
        assert report.text().splitlines()[2:6] == [
            "split     ill    well  all images",
            "train       4       4           8",
            "test        2       2           4",
            "all         6       6          12",
        ]
        written = json.loads(report.write(tmp_path / "check.json").read_text())
        assert written["counts"]["split"]["train"] == {"images": 8, "counts": [4, 4]}
        assert written["leakage"] is False
        drawn = (tmp_path / "classes.svg").read_text()
        assert "4 (50 %)" in drawn
        assert "site east: 12" in drawn

    def test_many_findings_of_a_kind_are_counted_in_the_text_and_listed_in_json(self, checked, tmp_path):
        report = checked("path,label\n" + "".join(f"{number}.png,ill\n" for number in range(30)), {})
        assert "ERROR  missing file (30)" in report.text(most=3)
        assert "and 27 more of this kind" in report.text(most=3)
        assert len(report.to_dict()["findings"]) == 30

    def test_wide_tables_are_turned(self):
        names = tuple(f"a class with a long name {number}" for number in range(9))
        groups = {"train": ClassCounts(9, np.ones(9, int)), "test": ClassCounts(8, np.arange(9) // 8)}
        report = CheckReport("x", 17, 17, "", names, "images", groups, {}, (), {})
        assert max(map(len, report.text().splitlines())) < 110
        assert "a class with a long name 0      1  none" in report.text()

    def test_the_worst_comes_first(self, checked):
        report = checked(
            "path,label,patient\na.png,ill,1\nb.png,well,1\nnone.png,ill,2\n",
            {"a.png": picture(0), "b.png": picture(1)},
        )
        assert [finding.severity for finding in report.findings] == ["error", "warning"]

    def test_many_sites_and_classes_still_make_a_figure(self):
        sites = {f"site {number}": ClassCounts(number, np.array([number, 0, 0])) for number in range(1, 16)}
        figure = class_distribution(("a", "b", "c"), {"no split": ClassCounts(120, np.array([120, 0, 0]))}, sites)
        titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]
        assert len(titles) == 1 + 12
        assert "3 smallest sites are not drawn" in figure.get_supxlabel()

    def test_every_check_gives_findings(self, checked):
        assert len({check.__name__ for check in CHECKS}) == len(CHECKS)
        assert all(isinstance(finding, Finding) for finding in checked("path,label\na.png,ill\na.png,ILL\n").findings)


DATA = Path(os.environ.get("IMBCLF_DATA", ""))


@pytest.mark.skipif("IMBCLF_DATA" not in os.environ, reason="IMBCLF_DATA does not name the folder of the real data")
class TestRealData:
    def test_fundus_photographs_that_all_look_alike_raise_no_false_alarm(self):
        report = check_index(DATA / "medmnist" / "retinamnist.npz", full=True)
        assert not any("alike" in kind for kind in kinds(report)), report.text()

    def test_hippocampi_of_two_scales_are_noticed(self, tmp_path):
        names = sorted(file.name for file in (DATA / "hippocampus" / "images").glob("*.nii.gz"))
        lines = [f"images/{name},labels/{name},{'test' if row % 4 == 0 else 'train'}" for row, name in enumerate(names)]
        (tmp_path / "index.csv").write_text("path,mask,split\n" + "\n".join(lines))
        report = check_index(tmp_path / "index.csv", DATA / "hippocampus", sample=40)
        assert report.class_names == ("0", "1", "2")
        assert report.exit_status == 0
        assert "intensity outlier" in kinds(report)
