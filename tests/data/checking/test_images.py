import numpy as np
import pytest

from imbclf.data import write_nifti
from imbclf.data.checking import check_index
from imbclf.data.checking.outliers import robust_scores
from tests.data.checking.pictures import only, picture, png


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
