import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbclf.errors import InputError
from imbclf.files import read_arrays, read_json, read_rows, read_table, write_bytes, write_json, write_table

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


class TestWriting:
    def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(self, tmp_path, monkeypatch):
        (tmp_path / "a.json").write_text("old")

        def full(*names):
            raise OSError("No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            write_bytes(tmp_path / "a.json", b"new")
        assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
        assert (tmp_path / "a.json").read_text() == "old"

    def test_what_cannot_be_written_as_json_leaves_the_old_file(self, tmp_path):
        write_json(tmp_path / "a.json", {"score": 1})
        with pytest.raises(ValueError, match="not JSON compliant"):
            write_json(tmp_path / "a.json", {"score": float("nan")})
        assert read_json(tmp_path / "a.json") == {"score": 1}

    def test_others_can_read_a_written_file_in_a_new_folder(self, tmp_path):
        path = write_bytes(tmp_path / "new" / "a.bin", b"x")
        assert path.stat().st_mode & 0o777 == 0o644

    @given(rows=st.lists(st.tuples(cells, cells, cells), max_size=5))
    def test_a_table_is_read_as_it_was_written(self, tmp_path_factory, rows):
        path = tmp_path_factory.getbasetemp() / "table.csv"
        write_table(path, ["a", "b", "c"], rows)
        assert read_table(path) == (["a", "b", "c"], [list(row) for row in rows])


class TestReadingRows:
    def test_rows_are_counted_as_a_spreadsheet_shows_them(self, tmp_path):
        (tmp_path / "a.csv").write_text('\ufeffid,note\np,"two\nlines"\n\nq,one\n', encoding="utf-8")
        assert read_rows(tmp_path / "a.csv") == (["id", "note"], [(2, ["p", "two\nlines"]), (4, ["q", "one"])])

    def test_an_empty_file_has_no_header_and_no_rows(self, tmp_path):
        (tmp_path / "a.csv").touch()
        assert read_rows(tmp_path / "a.csv") == ([], [])

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"a,b\n1,2\n3\n", r"a\.csv, row 3: expected 2 columns, got 1"),
            (b"a,b\n1,2,3\n", r"a\.csv, row 2: expected 2 columns, got 3"),
            (b"a,b\n\xff,1\n", r"a\.csv should be a CSV file in UTF-8"),
            (b'a,b\n"1,2\n', r"a\.csv should be a CSV file in UTF-8"),
        ],
    )
    def test_a_file_that_is_no_table_is_named(self, tmp_path, content, message):
        (tmp_path / "a.csv").write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_rows(tmp_path / "a.csv")


@pytest.mark.parametrize("read", [read_json, read_table, read_arrays])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(InputError, match=r"The file .*absent does not exist"):
        read(tmp_path / "absent")


@pytest.mark.parametrize("content", [b"{", b'"\xff"', b""])
def test_a_file_that_is_no_json_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json should hold JSON"):
        read_json(tmp_path / "a.json")


class TestReadingArrays:
    def test_only_the_wanted_arrays_are_read(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=np.arange(3), y=np.array([object()], dtype=object))
        arrays = read_arrays(tmp_path / "a.npz", lambda name: name == "x")
        assert list(arrays) == ["x"]
        assert arrays["x"].tolist() == [0, 1, 2]

    def test_pickled_objects_are_never_unpickled(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "sprung",))

        np.savez(tmp_path / "a.npz", x=np.array([Trap()], dtype=object))
        with pytest.raises(InputError, match=r"a\.npz holds pickled Python objects, which are never unpickled"):
            read_arrays(tmp_path / "a.npz")
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize("damage", ["truncated", "overwritten"])
    def test_a_damaged_file_is_named(self, tmp_path, damage):
        path = tmp_path / "a.npz"
        np.savez_compressed(path, x=np.random.default_rng(0).integers(0, 256, 2000).astype(np.uint8))
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(
            content[:middle] if damage == "truncated" else content[:middle] + bytes(100) + content[middle + 100 :]
        )
        with pytest.raises(InputError, match=r"a\.npz is no readable \.npz archive"):
            read_arrays(path)
