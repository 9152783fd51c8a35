import shutil

import numpy as np
import pytest

from imbclf.data import assign_splits, check_split, long_tailed_digits, open_dataset
from imbclf.errors import InputError


@pytest.fixture
def folder(write_images):
    root = write_images("a/1.png", "a/2.png", "b/1.png")
    (root / "index.csv").write_text("path,label\na/1.png,x\nb/1.png,y\n")
    images, labels = np.arange(48, dtype=np.uint8).reshape(3, 4, 4), np.array([0, 1, 0])
    np.savez(root / "set.npz", train_images=images, train_labels=labels)
    return root


@pytest.mark.parametrize(
    ("index", "format", "class_names"),
    [
        (None, "auto", ("a", "b")),
        ("", "auto", ("a", "b")),
        (None, "folder", ("a", "b")),
        ("index.csv", "auto", ("x", "y")),
        ({"train": "index.csv"}, "auto", ("x", "y")),
        ("set.npz", "auto", ("0", "1")),
        ("set.npz", "npz", ("0", "1")),
    ],
)
def test_the_format_follows_the_index(folder, index, format, class_names):
    assert open_dataset(folder, index, format).class_names == class_names


def test_the_root_may_be_the_file_itself(folder):
    assert open_dataset(str(folder / "set.npz")).images.shape == (3, 4, 4, 1)
    assert open_dataset(folder / "index.csv").class_names == ("x", "y")


def test_options_reach_the_files(folder):
    assert open_dataset(folder, image_size=(3, 2), channels=3).image_shape == (3, 2, 3)
    assert open_dataset(folder, class_names=["b", "a"]).class_names == ("b", "a")
    assert open_dataset(folder, "set.npz", image_size=4, channels=1).image_shape == (4, 4, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"index": "index.xlsx"}, r"an \.npz or a \.csv file, not 'index.xlsx'"),
        ({"format": "tfrecord"}, "format must be one of auto, npz, folder, csv, digits"),
        ({"format": "csv"}, "format csv needs the index"),
        ({"format": "npz"}, "format npz needs the index"),
        ({"format": "folder", "index": "index.csv"}, "has no index, but 'index.csv' is given"),
        ({"index": "set.npz", "image_size": 8}, r"shape \(4, 4, 1\) and are not resized: leave image_size=8 away"),
        ({"index": "set.npz", "channels": 3}, "leave channels=3 away"),
        ({"root": None}, "folder of the data .* not given"),
        ({"root": "/absent"}, "data folder /absent does not exist"),
    ],
)
def test_arguments_that_do_not_fit_are_an_error(folder, arguments, message):
    with pytest.raises(InputError, match=message):
        open_dataset(**({"root": folder} | arguments))


def test_identical_files_in_two_splits_are_leakage_unless_allowed(write_images):
    root = write_images("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png")
    shutil.copy(root / "train/b/1.png", root / "test/b/1.png")
    with pytest.raises(InputError, match=r"test/b/1\.png in test is identical to train/b/1\.png in train"):
        open_dataset(root)
    assert len(open_dataset(root, allow_duplicate_images=True)) == 4


def test_a_patient_in_two_splits_is_leakage_unless_allowed(write_images):
    root = write_images("1.png", "2.png")
    (root / "index.csv").write_text("path,label,patient,split\n1.png,0,eve,train\n2.png,1,eve,test\n")
    with pytest.raises(InputError, match="Patient eve is in train"):
        open_dataset(root, "index.csv")
    assert len(open_dataset(root, "index.csv", allow_patient_overlap=True)) == 2


class TestDigits:
    def test_the_training_split_has_a_long_tail_and_the_test_split_none(self):
        digits = long_tailed_digits(ratio=1 / 10)
        assert digits.counts("train").tolist() == [round(130 * 0.1 ** (k / 9)) for k in range(10)]
        assert set(digits.counts("test").tolist()) == {40}
        assert digits.images[np.arange(5)].shape == (5, 8, 8, 1)
        everything = digits.images[np.arange(len(digits))]
        assert everything.min() == 0
        assert everything.max() == 1

    def test_they_can_be_divided_and_trained_on(self):
        check_split(assign_splits(open_dataset(format="digits")))

    def test_the_seed_chooses_the_images(self):
        ids = [set(long_tailed_digits(seed=seed).ids.tolist()) for seed in (0, 0, 1)]
        assert ids[0] == ids[1] != ids[2]

    @pytest.mark.parametrize("ratio", [0, -1, 2, 1e-3])
    def test_a_ratio_that_leaves_no_sample_is_an_error(self, ratio):
        with pytest.raises(InputError, match="ratio must lie between"):
            long_tailed_digits(ratio=ratio)
