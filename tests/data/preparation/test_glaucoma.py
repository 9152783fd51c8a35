import io

import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import train_test_split

from imbclf.data import open_dataset
from imbclf.data.preparation.fundus.ahn import CLASS_NAMES, read_ahn
from imbclf.data.preparation.fundus.photographs import Photograph
from imbclf.data.preparation.prepare import prepare
from imbclf.errors import InputError


@pytest.fixture
def archive(tmp_path):
    """Lays out the unpacked archive with some images per class, each with bytes of its own; they are never decoded."""

    def lay_out(normal=8, early=4, advanced=5, root=tmp_path / "ahn"):
        for name, count in zip(CLASS_NAMES, (normal, early, advanced)):
            (root / name).mkdir(parents=True)
            for number in range(1, count + 1):
                (root / name / f"{number}.png").write_text(f"{name} {number}")
        (root / "data_description.txt").write_text("about the data")
        return root

    return lay_out


@pytest.fixture
def lists(tmp_path):
    """Writes the two published lists from rows such as `normal_control,0,89.png`."""

    def write(train, test):
        for name, rows in (("train", train), ("test", test)):
            (tmp_path / f"{name}.csv").write_text("\n".join(["Class,Class_Int,Filename", *rows, ""]))
        return {"train_csv": tmp_path / "train.csv", "test_csv": tmp_path / "test.csv"}

    return write


TRAIN = ("advanced_glaucoma,2,2.png", "early_glaucoma,1,1.png", "normal_control,0,1.png", "normal_control,0,3.png")
TEST = ("normal_control,0,2.png", "advanced_glaucoma,2,1.png", "early_glaucoma,1,2.png")


def splits(subjects):
    return {subject.id: subject.split for subject in subjects}


class TestLayout:
    def test_class_and_number_make_the_subject(self, archive):
        root = archive()
        subjects, left_out = read_ahn(root)
        assert left_out == []
        assert [subject.id for subject in subjects[:2]] == ["normal_control-1", "normal_control-2"]
        assert {subject.id: subject.label for subject in subjects}["early_glaucoma-3"] == "early_glaucoma"
        last = subjects[-1]
        assert (last.files, last.patient) == ({"image": root / "advanced_glaucoma" / "5.png"}, "")

    def test_numbers_are_in_their_own_order(self, archive):
        numbers = [subject.id.split("-")[1] for subject in read_ahn(archive(normal=12))[0][:12]]
        assert numbers == [str(number) for number in range(1, 13)]

    def test_the_folder_above_the_class_folders_will_do(self, archive, tmp_path):
        root = archive()
        (tmp_path / "__MACOSX").mkdir()
        assert read_ahn(tmp_path) == read_ahn(root)

    def test_a_missing_source_and_a_packed_one_are_named(self, tmp_path):
        with pytest.raises(InputError, match="absent does not exist: give that of the unpacked archive"):
            read_ahn(tmp_path / "absent")
        (tmp_path / "processed_data.zip").write_bytes(b"PK")
        with pytest.raises(InputError, match=r"processed_data\.zip is a file: unpack the archive"):
            read_ahn(tmp_path / "processed_data.zip")

    def test_a_missing_class_folder_names_the_nearest_one(self, archive):
        root = archive()
        (root / "early_glaucoma").rename(root / "bearly_glaucoma")
        with pytest.raises(InputError, match=r"no folder early_glaucoma, only .* \(is it 'bearly_glaucoma', then"):
            read_ahn(root)

    def test_an_empty_class_folder_is_named(self, archive):
        with pytest.raises(InputError, match=r"early_glaucoma holds no PNG or JPEG image: unpack"):
            read_ahn(archive(early=0))


class TestDivision:
    def test_the_whole_archive_is_divided_as_published(self, archive):
        counts = (788, 289, 467)
        subjects, _ = read_ahn(archive(*counts), seed=3)
        in_test = np.array([subject.split == "test" for subject in subjects])
        y = np.repeat([0, 1, 2], counts)
        _, expected = train_test_split(np.arange(1544), test_size=0.25, stratify=y, random_state=3)
        np.testing.assert_array_equal(np.flatnonzero(in_test), np.sort(expected))
        assert np.bincount(y[in_test]).tolist() == [197, 72, 117]

    def test_the_division_depends_on_the_seed_alone(self, archive, tmp_path):
        here, there = archive(20, 20, 20), archive(20, 20, 20, root=tmp_path / "elsewhere" / "ahn")
        assert splits(read_ahn(here, seed=1)[0]) == splits(read_ahn(there, seed=1)[0])
        assert splits(read_ahn(here, seed=1)[0]) != splits(read_ahn(here, seed=2)[0])

    def test_identical_images_count_once_and_stay_on_one_side(self, archive):
        root = archive(8, 8, 8)
        for number in range(9, 21):
            (root / "normal_control" / f"{number}.png").write_bytes((root / "normal_control" / "1.png").read_bytes())
        for seed in range(5):
            split_of = splits(read_ahn(root, seed=seed)[0])
            copies = {split_of[f"normal_control-{number}"] for number in (1, *range(9, 21))}
            assert len(copies) == 1
            different = [split_of[f"{name}-{number}"] for name in CLASS_NAMES for number in range(1, 9)]
            assert different.count("test") == 6

    def test_too_few_images_for_both_sides_are_refused_with_the_numbers(self, archive):
        with pytest.raises(InputError, match=r"too few different images \(normal_control 8, early_glaucoma 1, adv"):
            read_ahn(archive(early=1))

    def test_a_class_that_test_would_lack_is_named(self, archive):
        with pytest.raises(InputError, match=r"class early_glaucoma has no image in test \(.* early_glaucoma 0"):
            read_ahn(archive(59, 2, 59))


class TestPublishedLists:
    def test_the_lists_are_the_split_and_the_rest_is_left_out(self, archive, lists):
        subjects, left_out = read_ahn(archive(4, 2, 2), **lists(TRAIN, TEST))
        assert splits(subjects) == {
            "normal_control-1": "train",
            "normal_control-2": "test",
            "normal_control-3": "train",
            "early_glaucoma-1": "train",
            "early_glaucoma-2": "test",
            "advanced_glaucoma-1": "test",
            "advanced_glaucoma-2": "train",
        }
        assert [(one.id, one.reason) for one in left_out] == [("normal_control-4", "in neither of the two lists")]

    def test_one_list_alone_is_refused(self, archive, lists):
        with pytest.raises(InputError, match="give both train_csv and test_csv, or neither"):
            read_ahn(archive(), train_csv=lists(TRAIN, TEST)["train_csv"])

    def test_of_copies_on_two_sides_the_training_copy_is_left_out(self, archive, lists):
        root = archive(4, 2, 2)
        (root / "normal_control" / "3.png").write_bytes((root / "normal_control" / "2.png").read_bytes())
        subjects, left_out = read_ahn(root, **lists(TRAIN, TEST))
        assert "normal_control-3" not in splits(subjects)
        assert left_out[-1].id == "normal_control-3"
        assert left_out[-1].reason == "identical to normal_control-2, which is in test"

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            (
                "normal_control,0,99.png",
                r"train\.csv row 6 names normal_control/99\.png, which the archive does not have",
            ),
            (
                "normal_control,0,2.png",
                r"test\.csv row 2 names normal_control/2\.png again, which .*train\.csv row 6 has",
            ),
            ("normal_control,0,1.png", r"train\.csv row 6 names normal_control/1\.png again"),
            ("normal_kontrol,0,1.png", r"row 6 has class 'normal_kontrol', .* \(did you mean 'normal_control'\?\)"),
            ("normal_control,1,4.png", "row 6 has Class_Int '1' for normal_control, but 0 is expected"),
            (
                "normal_control,0,../../x.png",
                r"row 6 has the path .*\.\./\.\./x\.png, which may leave the data's folder",
            ),
            ("/etc,0,x.png", r"row 6 has the absolute path /etc/x\.png"),
        ],
    )
    def test_bad_rows_are_named_in_one_sentence(self, archive, lists, row, message):
        with pytest.raises(InputError, match=message) as caught:
            read_ahn(archive(4, 2, 2), **lists((*TRAIN, row), TEST))
        assert "\n" not in str(caught.value)

    def test_a_class_that_a_list_lacks_is_named(self, archive, lists):
        with pytest.raises(InputError, match=r"class early_glaucoma has no image in test \(normal_control 1, early"):
            read_ahn(archive(4, 2, 2), **lists(TRAIN, TEST[:2]))


class TestImageInTwoClasses:
    def copied(self, root):
        (root / "early_glaucoma" / "2.png").write_bytes((root / "normal_control" / "7.png").read_bytes())
        return root

    def test_it_is_refused_and_both_are_named(self, archive):
        both = r"normal_control/7\.png of class normal_control is identical to .*early_glaucoma/2\.png of class early"
        with pytest.raises(InputError, match=both + "_glaucoma, one of 1 images in two classes"):
            read_ahn(self.copied(archive()))

    def test_all_its_copies_can_be_left_out(self, archive):
        subjects, left_out = read_ahn(self.copied(archive()), conflicts="leave_out")
        assert [one.id for one in left_out] == ["normal_control-7", "early_glaucoma-2"]
        assert left_out[0].reason == "the same image is in the classes early_glaucoma and normal_control"
        assert len(subjects) == 15

    def test_another_way_to_settle_it_is_refused(self, archive):
        with pytest.raises(InputError, match="conflicts must be refuse or leave_out, not 'guess'"):
            read_ahn(archive(), conflicts="guess")


def test_from_the_archive_to_a_data_set_a_corrupt_image_fails_alone(archive, tmp_path):
    root = archive(8, 4, 5)
    for file in root.rglob("*.png"):
        pixels = np.random.default_rng(list(str(file.relative_to(root)).encode())).integers(0, 256, (24, 23, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    damaged = root / "normal_control" / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    subjects, left_out = read_ahn(root)
    messages = io.StringIO()
    outcome = prepare(subjects, Photograph(size=16), tmp_path / "out", CLASS_NAMES, left_out, stream=messages)
    assert (outcome.prepared, outcome.failed) == (16, 1)
    assert f"failed: normal_control-3: The image {damaged} cannot be read" in messages.getvalue()

    dataset = open_dataset(tmp_path / "out", "index.csv", class_names=CLASS_NAMES)
    done = [subject for subject in subjects if subject.id != "normal_control-3"]
    assert dataset.ids.tolist() == [f"arrays/{subject.id}.npy" for subject in done]
    assert dataset.split.tolist() == [subject.split for subject in done]
    assert [dataset.class_names[label] for label in dataset.y] == [subject.label for subject in done]
    assert dataset.image_shape == (16, 16, 3)
    np.testing.assert_allclose(dataset.images[np.array([4])][0], Photograph(size=16)(done[4]) / 255, atol=1e-6)
