import numpy as np
import pytest

from imbclf.data import read_folder
from imbclf.errors import InputError


def test_each_folder_is_a_class(write_images):
    root = write_images("well/2.png", "well/1.png", "sick/1.png")
    dataset = read_folder(root)
    assert dataset.class_names == ("sick", "well")
    assert dataset.ids.tolist() == ["sick/1.png", "well/1.png", "well/2.png"]
    assert dataset.y.tolist() == [0, 1, 1]
    assert dataset.split.tolist() == ["", "", ""]
    assert dataset.patients is None


def test_folders_of_splits_stand_above_the_classes(write_images):
    root = write_images("train/a/1.png", "train/b/1.png", "Validation/a/1.png", "test/b/1.png")
    dataset = read_folder(root)
    assert dataset.class_names == ("a", "b")
    assert dict(zip(dataset.ids.tolist(), dataset.split.tolist())) == {
        "train/a/1.png": "train",
        "train/b/1.png": "train",
        "Validation/a/1.png": "val",
        "test/b/1.png": "test",
    }
    assert dataset.counts("test").tolist() == [0, 1]


def test_given_class_names_set_the_order(write_images):
    root = write_images("a/1.png", "b/1.png")
    assert read_folder(root, class_names=("b", "a")).y.tolist() == [0, 1]
    assert read_folder(root, class_names=("b", "a")).ids.tolist() == ["b/1.png", "a/1.png"]


def test_folders_below_a_class_belong_to_it_and_other_files_are_left_alone(write_images):
    root = write_images("a/x/1.PNG", "b/1.jpeg", ".hidden/1.png", "a/.thumbnails/1.png")
    (root / "readme.txt").write_text("about the data")
    (root / "b" / "Thumbs.db").write_bytes(b"")
    assert read_folder(root).ids.tolist() == ["a/x/1.PNG", "b/1.jpeg"]


def test_images_can_be_resized_while_reading(write_images):
    write_images("a/1.png", size=(9, 7))
    root = write_images("b/1.png", size=(5, 5))
    dataset = read_folder(root, image_size=4, channels=3)
    assert dataset.images[np.array([0, 1])].shape == (2, 4, 4, 3)


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        ((), {}, "holds no folders"),
        (("train/1.png",), {}, "hold no class folders"),
        (("train/a/1.png", "a/1.png"), {}, "holds the split train beside a"),
        (("a/1.png", "b/1.png"), {"class_names": ("a", "c")}, "folder .*b belongs to no class: the classes are a, c"),
        (("a/1.png", "b/1.png"), {"class_names": ("a", "b", "c")}, "class c has no PNG or JPEG image"),
        (("a/1.png", "b/1.tif"), {}, r"b/1\.tif is neither PNG nor JPEG"),
    ],
)
def test_folders_that_do_not_fit_are_named(write_images, paths, options, message):
    with pytest.raises(InputError, match=message):
        read_folder(write_images(*paths), **options)


def test_an_empty_class_and_a_missing_folder_are_named(write_images):
    root = write_images("a/1.png")
    (root / "b").mkdir()
    with pytest.raises(InputError, match="class b has no PNG or JPEG image"):
        read_folder(root)
    with pytest.raises(InputError, match="absent does not exist"):
        read_folder(root / "absent")
