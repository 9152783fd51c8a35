from pathlib import Path

import numpy as np
import pytest

from imbclf.data import open_images, read_folder, read_index, read_medmnist
from imbclf.errors import InputError


@pytest.fixture
def listed(write_images):
    """Writes images and a list of some of them, and returns the path of the list."""

    def write(text):
        file = write_images("a.png", "left/b.png") / "list.csv"
        file.write_text(text)
        return file

    return write


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "new.npz", **arrays)
        return tmp_path / "new.npz"

    return save


def pixels(count, shape=(4, 4)):
    return np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.uint8)


class TestImageFiles:
    def test_one_image_is_named_by_its_file(self, write_images):
        root = write_images("a.PNG", "b.png")
        ids, images = open_images(str(root / "a.PNG"))
        assert ids.tolist() == ["a.PNG"]
        assert images.shape == (1, 5, 4, 1)

    def test_a_folder_gives_the_images_that_training_would_read(self, write_images):
        root = write_images("sick/2.png", "sick/more/1.png", "well/3.jpg", ".hidden/4.png", "well/.thumbnails/5.png")
        (root / "notes.txt").write_text("no image")
        ids, images = open_images(root)
        trained_on = read_folder(root)
        assert ids.tolist() == trained_on.ids.tolist() == ["sick/2.png", "sick/more/1.png", "well/3.jpg"]
        np.testing.assert_array_equal(images[np.arange(3)], trained_on.images[np.arange(3)])

    def test_images_lying_in_the_folder_itself_are_read(self, write_images):
        assert open_images(write_images("b.png", "a.png"))[0].tolist() == ["a.png", "b.png"]

    def test_options_reach_the_files(self, write_images):
        _, images = open_images(write_images("a.png"), image_size=(3, 2), channels=3)
        assert images[np.array([0])].shape == (1, 3, 2, 3)


class TestLists:
    def test_the_label_may_be_missing_and_the_order_is_the_lists(self, listed):
        ids, images = open_images(listed("path\nleft/b.png\n\na.png\n"))
        assert ids.tolist() == ["left/b.png", "a.png"]
        assert images.shape == (2, 5, 4, 1)

    @pytest.mark.parametrize(
        "text", ["path,label\na.png,0\nleft/b.png,1\n", "Class,Class_Int,Filename\nleft,0,b.png\n"]
    )
    def test_a_list_for_training_serves_too(self, listed, text):
        file = listed(text)
        ids, images = open_images(file)
        trained_on = read_index(file.parent, file.name)
        assert ids.tolist() == trained_on.ids.tolist()
        np.testing.assert_array_equal(images[np.array([0])], trained_on.images[np.array([0])])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"list\.csv has no rows: it needs the header path and one row"),
            ("path\n", r"list\.csv has no rows"),
            ("paths\na.png\n", "has no column 'path', only paths: is it 'paths', then rename it"),
            ("path,note\n,first\n", r"list\.csv row 2 names no image"),
            ("path\na.png\n/etc/b.png\n", r"list\.csv row 3 has the absolute path /etc/b\.png"),
            ("path\nC:\\b.png\n", "row 2 has the absolute path"),
            ("path\n../a.png\n", r"row 2 has the path \.\./a\.png, which may leave the data's folder"),
            ("path\nleft/../../a.png\n", "row 2 has the path .* which may leave the data's folder"),
            ("path\nleft\\..\\..\\a.png\n", "row 2 has the path .* which may leave the data's folder"),
            ("path\na.png\n./a.png\n", r"row 3 names a\.png again, which .*list\.csv row 2 has"),
            ("path\nabsent.png\n", r"absent\.png does not exist"),
            ("path,note\na.png\n", "row 2: expected 2 columns, got 1"),
        ],
    )
    def test_bad_rows_are_named(self, listed, text, message):
        with pytest.raises(InputError, match=message):
            open_images(listed(text))


class TestArrays:
    def test_every_array_of_images_is_read_in_its_order(self, saved):
        first, second = pixels(2), pixels(3)
        ids, images = open_images(saved(val_images=first, test_images=second, test_labels=np.zeros(3)))
        assert ids.tolist() == ["val/000000", "val/000001", "test/000000", "test/000001", "test/000002"]
        np.testing.assert_allclose(images[np.arange(5)][..., 0], np.concatenate([first, second]) / 255, rtol=1e-6)

    def test_the_test_images_are_those_of_the_data_set(self, saved):
        file = saved(test_images=pixels(3), test_labels=np.array([0, 1, 0]))
        ids, images = open_images(file)
        dataset = read_medmnist(file)
        assert ids.tolist() == dataset.ids.tolist()
        np.testing.assert_array_equal(images[np.arange(3)], dataset.images[np.arange(3)])

    @pytest.mark.parametrize(
        ("shape", "rank", "expected"),
        [
            ((4, 5), 2, (4, 5, 1)),
            ((4, 5, 3), 2, (4, 5, 3)),
            ((4, 5, 3), 3, (4, 5, 3, 1)),
            ((4, 5, 3, 2), 3, (4, 5, 3, 2)),
        ],
    )
    def test_the_rank_tells_volumes_from_colour(self, saved, shape, rank, expected):
        ids, images = open_images(saved(images=pixels(2, shape)), rank=rank)
        assert images.shape == (2, *expected)
        assert ids.tolist() == ["images/000000", "images/000001"]

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"x": pixels(2)}, r"new\.npz must hold an array named images"),
            ({"images": np.array(3)}, r"images in .*new\.npz has shape \(\)"),
            ({"images": pixels(2, (4,))}, r"images in .*new\.npz has shape \(2, 4\)"),
            ({"images": pixels(0)}, r"new\.npz has shape \(0, 4, 4, 1\)"),
            (
                {"val_images": pixels(2), "test_images": pixels(2, (5, 5))},
                r"val_images has \(4, 4\) uint8 and test_images has \(5, 5\) uint8",
            ),
            (
                {"val_images": pixels(2), "test_images": pixels(2).astype(np.uint16)},
                r"val_images has .* uint8 and test_images has .* uint16",
            ),
            ({"images": np.full((2, 4, 4), np.nan)}, r"sample 0 of images in .*new\.npz holds NaN or infinity"),
            ({"images": pixels(2).astype(np.int64)}, r"images in .*new\.npz is int64"),
        ],
    )
    def test_arrays_that_are_no_images_are_named(self, saved, arrays, message):
        with pytest.raises(InputError, match=message):
            open_images(saved(**arrays))

    def test_pickled_objects_are_never_unpickled(self, saved, tmp_path):
        class Trap:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "sprung",))

        with pytest.raises(InputError, match=r"new\.npz holds pickled Python objects, which are never unpickled"):
            open_images(saved(images=np.array([Trap()], dtype=object)))
        assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.png", r"There is no .*absent\.png to predict on"),
        ("empty", "There is no PNG or JPEG image in .*empty"),
        ("text.txt", r"an \.npz is expected, not .*text\.txt"),
        ("scan.tif", r"an \.npz is expected, not .*scan\.tif"),
        ("mixed", r"mixed/scan\.tif is neither PNG nor JPEG"),
        ("broken.png", r"broken\.png is not a PNG or JPEG"),
        ("broken.npz", r"broken\.npz (is no readable|holds pickled)"),
    ],
)
def test_where_nothing_can_be_read_the_place_is_named(tmp_path, write_images, name, message):
    write_images("scan.tif", "mixed/scan.tif", "mixed/a.png")
    (tmp_path / "empty").mkdir()
    for file in ("text.txt", "broken.png", "broken.npz"):
        (tmp_path / file).write_text("no image")
    with pytest.raises(InputError, match=message):
        open_images(tmp_path / name)
