import errno
import io
import os

import numpy as np
import pytest

from imbclf.data.preparation import making
from imbclf.data.preparation.prepare import prepare
from imbclf.data.preparation.subject import Subject
from imbclf.errors import InputError
from tests.data.preparation.outcomes import contents, rows, run
from tests.data.preparation.preparing import (
    CLASS_NAMES,
    Squares,
    content_of,
    subjects_of,
    write_source,
)


class TestFailures:
    def test_a_subject_that_fails_has_a_line_and_the_others_are_done(self, source, out):
        write_source(source, 1, b"short")
        write_source(source, 3, b"bug")
        stream = io.StringIO()
        outcome = run(source, out, stream=stream)
        assert (outcome.prepared, outcome.failed) == (3, 2)
        assert "failed: 001: " in stream.getvalue()
        assert [row["path"] for row in rows(out / "index.csv")] == [f"arrays/00{number}.npy" for number in (0, 2, 4)]
        reasons = {row["id"]: row["reason"] for row in rows(out / "failed.csv")}
        assert "must hold 16 bytes" in reasons["001"]
        assert reasons["003"] == "ZeroDivisionError: division by zero"

    def test_a_subject_that_was_mended_joins_the_others(self, source, out):
        write_source(source, 1, b"short")
        run(source, out)
        write_source(source, 1, content_of(1))
        outcome = run(source, out)
        assert (outcome.prepared, outcome.kept, outcome.failed) == (1, 4, 0)
        assert len(rows(out / "index.csv")) == 5

    def test_an_array_whose_source_has_gone_bad_is_not_in_the_index(self, source, out):
        run(source, out)
        (source / "001.bin").unlink()
        subjects = [*subjects_of(source), Subject("001", {"image": source / "001.bin"}, "odd")]
        outcome = prepare(subjects, Squares(), out, CLASS_NAMES, stream=io.StringIO())
        assert (outcome.kept, outcome.failed) == (4, 1)
        assert "001.bin cannot be read (No such file" in rows(out / "failed.csv")[0]["reason"]
        assert "arrays/001.npy" not in [row["path"] for row in rows(out / "index.csv")]

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.zeros((2, 2, 1), np.float32), "uint8 or float16, not float32"),
            ([1, 2], "uint8 or float16, not list"),
            (np.zeros(3, np.uint8), r"arrays \(\*space, channels\)"),
            (np.zeros((2, 0, 1), np.uint8), r"arrays \(\*space, channels\)"),
            (np.full((2, 2, 1), 1.5, np.float16), "from 1.5 to 1.5"),
            (np.full((2, 2, 1), np.nan, np.float16), "from nan to nan"),
        ],
    )
    def test_arrays_that_cannot_be_stored_are_refused(self, array, message):
        with pytest.raises(InputError, match=message):
            making.checked_array(array)

    def test_a_source_that_changes_while_it_is_read_fails(self, source, out):
        class Racing(Squares):
            def __call__(self, subject):
                made = super().__call__(subject)
                write_source(source, 0, content_of(99))
                return made

        prepare(subjects_of(source)[:1], Racing(), out, CLASS_NAMES, stream=io.StringIO())
        assert "changed while it was read" in rows(out / "failed.csv")[0]["reason"]


class TestFullDisk:
    @pytest.mark.parametrize("full_after", [0, 1, 4, 7, 12])
    def test_it_is_named_leaves_no_torn_file_and_the_next_run_goes_on(self, source, out, monkeypatch, full_after):
        run(source, out.with_name("expected"))
        opened = os.fdopen
        written = []

        class Full:
            def __init__(self, file):
                self.file = file

            def __enter__(self):
                return self

            def __exit__(self, *_):
                self.file.close()

            def write(self, content):
                self.file.write(content[: len(content) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")

        def fill_up(descriptor, mode):
            written.append(descriptor)
            return opened(descriptor, mode) if len(written) <= full_after else Full(opened(descriptor, mode))

        with monkeypatch.context() as patch:
            patch.setattr("imbclf.files.os.fdopen", fill_up)
            with pytest.raises(InputError, match=r"out/.* cannot be written \(No space left on device; .* MB are free"):
                run(source, out)
        assert not (out / "index.csv").exists()
        for array in (out / "arrays").iterdir():
            np.load(array)
        run(source, out)
        assert contents(out) == contents(out.with_name("expected"))

    def test_it_is_told_from_a_bad_subject_in_processes_too(self, source, out, monkeypatch):
        # A folder where the array should go cannot be replaced by a file, in whichever process.
        (out / "arrays" / "002.npy").mkdir(parents=True)
        (out / "prepare.json").write_text('{"recipe": "squares"}')
        with pytest.raises(InputError, match=r"002\.npy cannot be written \(Is a directory"):
            run(source, out, workers=2)
