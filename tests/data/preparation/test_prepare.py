import io
import json
import os
import shutil

import numpy as np
import pytest

from imbclf.data import read_index
from imbclf.data.preparation.prepare import prepare
from imbclf.data.preparation.subject import LeftOut, Subject
from imbclf.errors import InputError
from tests.data.preparation.outcomes import contents, rewritten, rows, run, times
from tests.data.preparation.preparing import (
    CLASS_NAMES,
    LaterSquares,
    OtherSquares,
    Squares,
    content_of,
    subjects_of,
    write_source,
    write_sources,
)


class TestFolder:
    def test_every_subject_has_its_array_and_its_row(self, source, out):
        outcome = run(source, out, left_out=[LeftOut("x", "no label")])
        assert (outcome.prepared, outcome.kept, outcome.failed, outcome.left_out) == (5, 0, 0, 1)
        assert rows(out / "index.csv")[3] == {
            "path": "arrays/003.npy",
            "label": "odd",
            "patient": "p003",
            "split": "train",
            "site": "",
        }
        for number in range(5):
            expected = np.frombuffer(content_of(number), np.uint8).reshape(4, 4, 1)
            np.testing.assert_array_equal(np.load(out / f"arrays/{number:03d}.npy"), expected)
        assert rows(out / "left_out.csv") == [{"id": "x", "reason": "no label"}]
        assert rows(out / "failed.csv") == []
        described = json.loads((out / "prepare.json").read_text())
        assert described["fields"] == {"factor": 1}
        assert described["counts"] == {"arrays": 5, "failed": 0, "left_out": 1, "by_class": {"even": 3, "odd": 2}}

    def test_it_is_read_as_a_data_set(self, source, out):
        run(source, out)
        dataset = read_index(out, "index.csv", CLASS_NAMES)
        assert dataset.images.shape == (5, 4, 4, 1)
        np.testing.assert_allclose(
            dataset.images[np.array([2])].ravel(), np.frombuffer(content_of(2), np.uint8) / 255, rtol=1e-6
        )

    def test_nothing_temporary_is_left(self, source, out):
        run(source, out)
        assert {path.name for path in out.iterdir() if path.name.startswith(".")} == {".lock"}
        assert all(path.suffix == ".npy" for path in (out / "arrays").iterdir())


class TestAgain:
    def test_a_second_run_writes_nothing(self, source, out):
        run(source, out, left_out=[LeftOut("x", "no label")])
        before = times(out)
        outcome = run(source, out, left_out=[LeftOut("x", "no label")])
        assert (outcome.prepared, outcome.kept) == (0, 5)
        assert times(out) == before

    def test_a_second_run_reads_no_source(self, source, out, monkeypatch):
        run(source, out)
        monkeypatch.setattr("imbclf.data.preparation.record.file_digest", lambda path: pytest.fail(f"read {path}"))
        assert run(source, out).kept == 5

    def test_a_changed_source_remakes_its_array_alone(self, source, out):
        run(source, out)
        before = times(out)
        write_source(source, 3, content_of(77))
        outcome = run(source, out)
        assert (outcome.prepared, outcome.kept) == (1, 4)
        changed = rewritten(before, times(out))
        assert {name for name in changed if name.startswith(("arrays", "keys"))} == {"arrays/003.npy", "keys/003.json"}
        assert np.load(out / "arrays/003.npy").tobytes() == content_of(77)

    def test_a_source_that_was_only_touched_is_kept(self, source, out):
        run(source, out)
        before = times(out)
        os.utime(source / "003.bin")
        assert run(source, out).prepared == 0
        assert "arrays/003.npy" not in rewritten(before, times(out))

    def test_a_source_modified_within_a_tick_of_the_clock_is_read_again(self, tmp_path, out):
        source = write_sources(tmp_path / "source", 1)
        file = write_source(source, 0, content_of(5), age=0)
        run(source, out)
        stat = file.stat()
        with open(file, "r+b") as same_file:
            same_file.write(content_of(6))
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert run(source, out).prepared == 1

    def test_two_sources_of_equal_size_and_time_that_were_swapped_are_noticed(self, source, out):
        for number in (1, 2):
            os.utime(source / f"00{number}.bin", ns=(10**18, 10**18))
        run(source, out)
        (source / "001.bin").rename(source / "between")
        (source / "002.bin").rename(source / "001.bin")
        (source / "between").rename(source / "002.bin")
        assert run(source, out).prepared == 2
        assert np.load(out / "arrays/001.npy").tobytes() == content_of(2)

    @pytest.mark.parametrize("recipe", [Squares(factor=2), LaterSquares()])
    def test_a_changed_recipe_remakes_everything(self, source, out, recipe):
        run(source, out)
        assert run(source, out, recipe).prepared == 5
        assert run(source, out, recipe).kept == 5

    def test_other_labels_change_the_index_alone(self, source, out):
        run(source, out)
        before = times(out)
        renamed = [Subject(one.id, one.files, "odd") for one in subjects_of(source)]
        assert prepare(renamed, Squares(), out, CLASS_NAMES, stream=io.StringIO()).kept == 5
        assert rewritten(before, times(out)) == {"index.csv", "prepare.json"}

    def test_subjects_no_longer_wanted_are_not_in_the_index(self, source, out):
        run(source, out)
        prepare(subjects_of(source)[:2], Squares(), out, CLASS_NAMES, stream=io.StringIO())
        assert [row["path"] for row in rows(out / "index.csv")] == ["arrays/000.npy", "arrays/001.npy"]
        assert run(source, out).kept == 5

    def test_a_copy_of_the_folder_is_kept_though_all_times_differ(self, source, out, tmp_path):
        run(source, out)
        shutil.copytree(out, tmp_path / "copy", copy_function=shutil.copyfile)
        assert run(source, tmp_path / "copy").kept == 5
        assert run(source, tmp_path / "copy").kept == 5

    @pytest.mark.parametrize(
        "damage",
        [
            lambda out: (out / "arrays/002.npy").unlink(),
            lambda out: os.truncate(out / "arrays/002.npy", 100),
            lambda out: (out / "arrays/002.npy").write_bytes(bytes(144)),
            lambda out: (out / "keys/002.json").unlink(),
            lambda out: os.truncate(out / "keys/002.json", 100),
            lambda out: (out / "keys/002.json").write_text('{"recipe": "", "sources": [], "array": 3}'),
        ],
    )
    def test_what_was_damaged_is_made_again(self, source, out, damage):
        run(source, out)
        whole = contents(out)
        damage(out)
        assert run(source, out).prepared == 1
        assert contents(out) == whole

    def test_a_source_may_be_a_folder_of_files(self, tmp_path, out):
        series = tmp_path / "series"
        series.mkdir()
        for number in range(3):
            write_source(series, number, b"slice")

        class OfFolder(Squares):
            def __call__(self, subject):
                return np.full((2, 2, 1), len(list(subject.files["image"].iterdir())), np.uint8)

        subjects = [Subject("a", {"image": series}, "even")]
        for expected in ("prepared", "kept"):
            assert getattr(prepare(subjects, OfFolder(), out, CLASS_NAMES, stream=io.StringIO()), expected) == 1
        write_source(series, 3, b"slice")
        assert prepare(subjects, OfFolder(), out, CLASS_NAMES, stream=io.StringIO()).prepared == 1
        assert np.load(out / "arrays/a.npy").max() == 4


class TestFolderIsRefused:
    def test_when_it_holds_something_else_and_nothing_is_written_there(self, source, out):
        out.mkdir()
        (out / "thesis.txt").write_text("precious")
        with pytest.raises(InputError, match=r"holds something else \(thesis\.txt\) and no prepare\.json"):
            run(source, out)
        assert [path.name for path in out.iterdir()] == ["thesis.txt"]

    def test_when_it_is_a_file(self, source, out):
        out.write_text("")
        with pytest.raises(InputError, match="out is a file"):
            run(source, out)

    def test_when_another_recipe_made_it(self, source, out):
        run(source, out)
        with pytest.raises(InputError, match="was made by the preparation 'squares', not 'other'"):
            run(source, out, OtherSquares())

    def test_while_another_process_prepares_into_it(self, source, out):
        fcntl = pytest.importorskip("fcntl")
        run(source, out)
        with open(out / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(InputError, match="Another process is preparing into"):
                run(source, out)
        assert run(source, out).kept == 5

    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
    def test_when_it_cannot_be_written(self, source, out):
        out.mkdir(mode=0o500)
        with pytest.raises(InputError, match="cannot be written"):
            run(source, out)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": ""}, "The id '' cannot name a file"),
        ({"id": "../x"}, r"The id '\.\./x' cannot name a file"),
        ({"id": "a/b"}, "cannot name a file"),
        ({"id": ".hidden"}, "cannot name a file"),
        ({"id": "a\n"}, "cannot name a file"),
        ({"id": "ü"}, "cannot name a file"),
        ({"id": "x" * 201}, "cannot name a file"),
        ({"id": "000"}, "Two subjects have the id 000"),
        ({"label": "sick"}, "label 'sick', but the classes are even, odd"),
        ({"split": "training"}, "split 'training', not train, val, test or nothing"),
    ],
)
def test_subjects_that_cannot_be_listed_are_refused_before_anything_is_written(source, out, change, message):
    fields = {"id": "new", "files": {"image": source / "000.bin"}, "label": "even"} | change
    with pytest.raises(InputError, match=message):
        prepare([*subjects_of(source), Subject(**fields)], Squares(), out, CLASS_NAMES)
    assert not out.exists()


def test_ids_that_differ_only_in_capitals_are_refused(source, out):
    subjects = [Subject(name, {"image": source / "000.bin"}, "even") for name in ("a", "A")]
    with pytest.raises(InputError, match=r"Two subjects have the id A \(a\)"):
        prepare(subjects, Squares(), out, CLASS_NAMES)


@pytest.mark.parametrize("workers", [0, True, 2.0])
def test_no_workers_are_refused(source, out, workers):
    with pytest.raises(InputError, match="workers must be a whole number from 1 on"):
        run(source, out, workers=workers)


def test_no_subject_is_refused(out):
    with pytest.raises(InputError, match="no subject to prepare"):
        prepare([], Squares(), out, CLASS_NAMES)
