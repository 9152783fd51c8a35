import numpy as np
import pytest

from imbclf.data import fingerprints
from imbclf.data.fingerprints import file_fingerprints


@pytest.fixture
def write(tmp_path):
    """Files of the contents given, in order."""

    def make(*contents):
        files = [tmp_path / f"{position}.bin" for position in range(len(contents))]
        for file, content in zip(files, contents):
            file.write_bytes(content)
        return files

    return make


def changed(content, place):
    """The content with one other byte."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("size", [0, 1, 4096, 5000, 32768, 200_000])
def test_words_are_equal_where_all_bytes_are_and_nowhere_else(write, size):
    random = np.random.default_rng(size)
    content = random.bytes(size)
    others = [changed(content, place) for place in {0, size // 2, size // 3, size - 1}] if size else []
    contents = [content, content + b"x", *others, content, content + b"x", random.bytes(size + 7)]
    words = file_fingerprints(write(*contents))
    equal = np.array([[one == other for other in contents] for one in contents])
    np.testing.assert_array_equal(np.equal.outer(np.array(words), np.array(words)), equal)


def test_a_change_between_the_pieces_is_seen(write):
    content = bytes(200_000)
    first, second, third = file_fingerprints(write(content, changed(content, 10_000), content))
    assert first == third != second


def test_files_of_a_size_of_their_own_are_not_opened_and_different_ones_not_read_in_full(write, monkeypatch):
    files = write(bytes(100_000), bytes(100_001), b"\1" * 100_001)
    monkeypatch.setattr(fingerprints, "file_digest", lambda file: pytest.fail(f"read {file}"))
    pieces = fingerprints._pieces
    opened = []
    monkeypatch.setattr(fingerprints, "_pieces", lambda file: opened.append(file) or pieces(file))
    assert len(set(file_fingerprints(files))) == 3
    assert opened == files[1:]


def test_a_file_that_cannot_be_read_is_like_no_other(write, tmp_path):
    present = write(b"one", b"one")
    missing = [tmp_path / "none", tmp_path / "none"]
    first, second, *rest = file_fingerprints([*present, *missing])
    assert first == second
    assert len({first, *rest}) == 3


def test_nothing_has_no_words():
    assert file_fingerprints([]) == []
