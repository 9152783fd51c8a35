import numpy as np
import pytest
from PIL import Image

from tests.data.checking.pictures import jpeg, kinds, only, picture, png, resized

COPIES = {
    "half": lambda image: resized(image, 0.5),
    "double": lambda image: resized(image, 2),
    "jpeg": jpeg,
    "brighter": lambda image: np.clip(image * 1.1 + 10.0, 0, 255).astype(np.uint8),
    "gamma": lambda image: (255 * (image / 255) ** 1.3).astype(np.uint8),
    "grey": lambda image: np.asarray(Image.fromarray(image).convert("L")),
    "mirrored": lambda image: image[:, ::-1],
    "upside_down": lambda image: image[::-1],
    "turned": np.rot90,
    "turned_by_half": lambda image: image[::-1, ::-1],
    "transposed": lambda image: image.swapaxes(0, 1),
}


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
        ("copied", "words"),
        [
            *((name, "") for name in ("half", "double", "jpeg", "brighter", "gamma", "grey")),
            ("mirrored", ", mirrored left to right"),
            ("upside_down", ", mirrored upside down"),
            ("turned", ", turned by a quarter"),
            ("turned_by_half", ", turned by half"),
            ("transposed", ", mirrored along a diagonal"),
        ],
    )
    def test_a_changed_copy_across_splits_is_found_and_named(self, checked, copied, words):
        files = {f"{number}.png": picture(number) for number in range(8)}
        files["copy.png"] = COPIES[copied](picture(5))
        report = checked(
            "path,label,split\n"
            + "".join(f"{name},ill,{'test' if name == 'copy.png' else 'train'}\n" for name in files),
            files,
        )
        finding = only(report, "images alike across splits")
        assert finding.files == ("5.png", "copy.png")
        assert f"(row 10) in test{words} (correlation" in finding.message
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
