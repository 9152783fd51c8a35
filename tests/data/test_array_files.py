import json
import os
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from imbclf.data import ImageFiles, open_images, read_index
from imbclf.data.array_files import ArrayFiles
from imbclf.data.checking import check_index
from imbclf.data.leakage import check_leakage
from imbclf.data.preparation.prepare import prepare
from imbclf.data.preparation.subject import Subject
from imbclf.errors import InputError

RANDOM = np.random.default_rng(0)


def save(folder, name, array):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    np.save(folder / name, array)
    return name


def volumes(count, shape=(6, 5, 4, 2), dtype=np.float16):
    if dtype == np.uint8:
        return RANDOM.integers(0, 256, (count, *shape)).astype(np.uint8)
    return RANDOM.random((count, *shape)).astype(np.float16)


@pytest.fixture
def saved(tmp_path):
    """Saves an array per image and opens them."""

    def make(arrays):
        return ArrayFiles([save(tmp_path, f"{number}.npy", array) for number, array in enumerate(arrays)], tmp_path)

    return make


class TestValues:
    @pytest.mark.parametrize("shape", [(7, 3), (6, 5, 3), (6, 5, 4, 2)])
    def test_float16_is_given_out_as_it_is(self, saved, shape):
        arrays = volumes(3, shape)
        images = saved(arrays)
        assert images.shape == (3, *shape)
        given = images[np.array([2, 0, 2])]
        assert given.dtype == np.float32
        np.testing.assert_array_equal(given, arrays[[2, 0, 2]].astype(np.float32))

    def test_uint8_is_divided_by_255_even_where_only_0_and_1_occur(self, saved):
        arrays = volumes(2, dtype=np.uint8)
        arrays[1] = arrays[1] > 127
        np.testing.assert_allclose(saved(arrays)[np.arange(2)], arrays / 255, rtol=1e-6)

    def test_indices_of_any_shape(self, saved):
        arrays = volumes(3)
        images = saved(arrays)
        np.testing.assert_array_equal(images[1], arrays[1])
        np.testing.assert_array_equal(images[np.array([[0, 1], [2, 0]])], arrays[[[0, 1], [2, 0]]])
        assert images[np.array([], int)].shape == (0, 6, 5, 4, 2)

    def test_a_selection_counts_within_itself(self, saved):
        arrays = volumes(4)
        selected = saved(arrays).select(np.array([3, 1])).select(np.array([1]))
        assert len(selected) == 1
        np.testing.assert_array_equal(selected[np.array([0])], arrays[[1]])

    def test_the_newer_form_of_npy_is_read(self, tmp_path):
        array = volumes(1)[0]
        with open(tmp_path / "a.npy", "wb") as file:
            np.lib.format.write_array(file, array, version=(2, 0))
        np.testing.assert_array_equal(ArrayFiles(["a.npy"], tmp_path)[0], array)


class TestWindows:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float16])
    def test_windows_are_those_of_the_whole_image(self, saved, dtype):
        images = saved(volumes(3, dtype=dtype))
        starts = np.array([[0, 0, 0], [3, 2, 1], [2, 0, 1]])
        given = images.windows(np.array([2, 0, 0]), starts, (3, 3, 3))
        whole = images[np.array([2, 0, 0])]
        for window, image, (x, y, z) in zip(given, whole, starts):
            np.testing.assert_array_equal(window, image[x : x + 3, y : y + 3, z : z + 3])

    @pytest.mark.parametrize("start", [[-1, 0, 0], [4, 0, 0], [0, 0, 2]])
    def test_a_window_beyond_the_image_is_refused(self, saved, start):
        with pytest.raises(InputError, match=r"A window of \[3, 3, 3\] at .* reaches beyond an image of \[6, 5, 4\]"):
            saved(volumes(1)).windows([0], [start], (3, 3, 3))

    @pytest.mark.skipif(not os.path.exists("/proc/self/smaps"), reason="only Linux tells which pages were touched")
    def test_only_the_pages_of_the_window_are_touched(self, tmp_path, monkeypatch):
        # Each step along the first axis is 64 pages long; faults bring 16 pages around the one that was asked for.
        save(tmp_path, "a.npy", np.zeros((64, 64, 64, 32), np.float16))
        images = ArrayFiles(["a.npy"], tmp_path)
        touched = []

        def measuring(values, out):
            out[...] = values
            touched.append(resident_kilobytes(str(tmp_path / "a.npy")))

        monkeypatch.setattr("imbclf.data.array_files._copy", measuring)
        images.windows([0], [[30, 0, 0]], (4, 64, 64))
        images[0]
        assert touched[0] <= (4 + 2) * 64 * 4
        assert touched[1] == pytest.approx(64 * 64 * 4, rel=0.01)

    def test_no_file_stays_open(self, saved):
        images = saved(volumes(40))
        before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
        images[np.arange(40)]
        images.windows(np.arange(40), np.zeros((40, 3), int), (2, 2, 2))
        assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


def resident_kilobytes(path):
    with open("/proc/self/smaps") as maps:
        lines = iter(maps)
        for line in lines:
            if line.rstrip().endswith(path):
                return next(int(entry.split()[1]) for entry in lines if entry.startswith("Rss:"))
    raise AssertionError(f"{path} is not mapped.")


class TestBadFiles:
    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda file: file.unlink(), r"1\.npy does not exist"),
            (lambda file: file.write_bytes(b""), r"1\.npy is no readable \.npy"),
            (lambda file: file.write_bytes(b"PNG" * 100), r"1\.npy is no readable \.npy"),
            (lambda file: os.truncate(file, 90), r"1\.npy is no readable \.npy"),
            (lambda file: os.truncate(file, 200), r"1\.npy has 200 bytes, but its head promises 608"),
            (lambda file: file.write_bytes(file.read_bytes() + b"x"), r"has 609 bytes, but its head promises 608"),
            (lambda file: np.save(file, np.array([{}])), "pickled Python objects, which are never unpickled"),
            (lambda file: np.save(file, np.zeros((6, 5, 4, 2), np.float32)), r"but .*1\.npy is float32"),
            (lambda file: np.save(file, np.zeros((6, 5, 4, 2), ">f2")), r"but .*1\.npy is >f2"),
            (lambda file: np.save(file, np.zeros((6, 5), np.uint8, "F")), "in Fortran order"),
            (lambda file: np.save(file, np.zeros(5, np.uint8)), r"has \(5,\)"),
            (lambda file: np.save(file, np.zeros((6, 0, 1), np.uint8)), r"has \(6, 0, 1\)"),
            (lambda file: np.save(file, volumes(1, (6, 5, 3, 2))[0]), r"0\.npy has \(6, 5, 4, 2\) and 1\.npy has"),
        ],
    )
    def test_they_are_named_before_anything_is_read(self, tmp_path, saved, spoil, message):
        saved(volumes(2))
        spoil(tmp_path / "1.npy")
        with pytest.raises(InputError, match=message) as caught:
            ArrayFiles(["0.npy", "1.npy"], tmp_path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("spoil", [os.unlink, lambda file: os.truncate(file, 300)])
    def test_a_file_that_changed_after_it_was_listed(self, tmp_path, saved, spoil):
        images = saved(volumes(2))
        spoil(tmp_path / "1.npy")
        with pytest.raises(InputError, match=r"1\.npy (changed its size|cannot be read)"):
            images[np.array([1])]
        if not (tmp_path / "1.npy").exists():
            with pytest.raises(InputError, match=r"1\.npy cannot be read"):
                images.fingerprints()

    def test_no_files(self, tmp_path):
        with pytest.raises(InputError, match="no arrays in"):
            ArrayFiles([], tmp_path)


@dataclass(frozen=True)
class Constant:
    name: ClassVar[str] = "constant"
    version: ClassVar[int] = 1

    def __call__(self, subject):
        return np.full((4, 4, 1), int(subject.files["image"].read_text()), np.uint8)


@pytest.fixture
def prepared(tmp_path):
    """Four prepared arrays, of which the first and the last are equal."""
    subjects = []
    for name, value in (("a", 1), ("b", 2), ("c", 3), ("d", 1)):
        (tmp_path / name).write_text(str(value))
        subjects.append(Subject(name, {"image": tmp_path / name}, "well", split="test" if name == "d" else "train"))
    with open(os.devnull, "w") as stream:
        prepare(subjects, Constant(), tmp_path / "out", ("well", "sick"), stream=stream)
    return tmp_path / "out"


class TestFingerprints:
    def test_equal_arrays_have_equal_ones(self, prepared):
        first, second, third, last = read_index(prepared, "index.csv").images.fingerprints()
        assert first == last
        assert len({first, second, third}) == 3

    def test_they_are_read_from_the_records_where_the_arrays_are_as_they_were(self, prepared, monkeypatch):
        expected = read_index(prepared, "index.csv").images.fingerprints()
        os.utime(prepared / "arrays/b.npy", ns=(0, 0))
        (prepared / "keys/c.json").unlink()
        read = []

        def digest(path):
            read.append(path.name)
            return expected["abcd".index(path.stem)]

        monkeypatch.setattr("imbclf.data.array_files.file_digest", digest)
        images = read_index(prepared, "index.csv").images
        assert images.fingerprints() == expected
        assert images.select(np.array([1])).fingerprints() == expected[1:2]
        assert read == ["b.npy", "c.npy"]

    def test_a_record_is_not_believed_of_an_array_that_was_replaced(self, prepared):
        before = read_index(prepared, "index.csv").images.fingerprints()
        np.save(prepared / "arrays/a.npy", np.full((4, 4, 1), 2, np.uint8))
        after = read_index(prepared, "index.csv").images.fingerprints()
        assert after == [before[1], *before[1:]]

    def test_an_equal_array_on_both_sides_of_a_split_is_leakage(self, prepared):
        with pytest.raises(InputError, match=r"arrays/a\.npy in train is identical to arrays/d\.npy in test"):
            check_leakage(read_index(prepared, "index.csv"))


class TestReadIndex:
    def test_paths_that_end_in_npy_are_arrays_and_others_images(self, prepared, write_images):
        assert isinstance(read_index(prepared, "index.csv").images, ArrayFiles)
        root = write_images("a.png")
        (root / "index.csv").write_text("path,label\na.png,0\n")
        assert isinstance(read_index(root, "index.csv").images, ImageFiles)

    @pytest.mark.parametrize(
        ("recorded", "expected"),
        [
            (["two", "one", "three"], ("two", "one", "three")),
            # Other classes than the index has: it was edited since.
            (["two", "three"], ("one", "two")),
            ("two", ("one", "two")),
            (None, ("one", "two")),
        ],
    )
    def test_classes_are_in_the_order_that_the_preparation_recorded(self, prepared, recorded, expected):
        rows = "".join(f"arrays/{name}.npy,{label}\n" for name, label in zip("abcd", ["one", "two"] * 2))
        (prepared / "index.csv").write_text(f"path,label\n{rows}")
        if recorded is not None:
            (prepared / "prepare.json").write_text(json.dumps({"class_names": recorded}))
        dataset = read_index(prepared, "index.csv")
        assert dataset.class_names == expected
        assert [expected[y] for y in dataset.y] == ["one", "two"] * 2
        assert check_index(prepared / "index.csv", sample=0).class_names == expected
        assert read_index(prepared, "index.csv", ("one", "two")).class_names == ("one", "two")

    def test_a_mix_is_refused(self, write_images):
        root = write_images("a.png")
        save(root, "b.npy", volumes(1)[0])
        (root / "index.csv").write_text("path,label\na.png,0\nb.npy,1\n")
        with pytest.raises(InputError, match=r"all \.npy arrays or none, but in .* there are b\.npy and a\.png"):
            read_index(root, "index.csv")

    @pytest.mark.parametrize("option", [{"image_size": 8}, {"channels": 3}])
    def test_what_arrays_cannot_do_is_refused(self, prepared, option):
        with pytest.raises(InputError, match=f"leave {next(iter(option))}=. away"):
            read_index(prepared, "index.csv", **option)

    def test_arrays_are_read_to_predict_on(self, prepared):
        ids, images = open_images(prepared / "index.csv")
        assert ids.tolist() == [f"arrays/{name}.npy" for name in "abcd"]
        assert images.shape == (4, 4, 4, 1)
        ids, images = open_images(prepared / "arrays" / "b.npy")
        assert ids.tolist() == ["b.npy"]
        assert images[0].max() * 255 == pytest.approx(2)
