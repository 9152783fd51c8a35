import io
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from imbclf.data.preparation.processes import Died, run_in_processes
from tests.data.preparation.outcomes import contents, run
from tests.data.preparation.preparing import (
    SECONDS_PER_SUBJECT,
    Squares,
    write_source,
    write_sources,
)


class TestProcesses:
    def test_two_make_what_one_makes_and_one_that_dies_costs_its_subject(self, source, out):
        write_source(source, 1, b"kill")
        stream = io.StringIO()
        outcome = run(source, out, stream=stream, workers=2)
        assert (outcome.prepared, outcome.failed) == (4, 1)
        assert "failed: 001: its process was killed, most likely because memory ran out" in stream.getvalue()
        (source / "001.bin").unlink()
        run(source, out.with_name("alone"))
        run(source, out)
        assert contents(out) == contents(out.with_name("alone"))

    def test_as_many_as_the_memory_allows(self):
        alone = {result for _, result in run_in_processes(process_of, range(6), workers=2, memory=1)}
        assert len(alone) == 1
        assert os.getpid() not in alone

    def test_one_that_leaves_by_itself_is_told_from_one_that_was_killed(self):
        assert dict(run_in_processes(os._exit, [3], workers=1)) == {3: Died(3)}
        assert str(Died(3)) == "its process ended with exit status 3."
        assert str(Died(-signal.SIGTERM)) == f"its process ended by signal {int(signal.SIGTERM)}."


def process_of(item):
    return os.getpid()


def started(source, out, workers):
    """A process that prepares so slowly that a test can stop it in the middle."""
    program = [sys.executable, str(Path(__file__).with_name("preparing.py")), source, out, str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), SECONDS_PER_SUBJECT: "0.3"}
    return subprocess.Popen(
        program,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that run in the background of a shell ignore Ctrl-C, and what they start would inherit that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def until_some_are_made(process, out, count):
    deadline = time.monotonic() + 60
    while len(list(out.glob("keys/[0-9]*.json"))) < count:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)


def until_all_have_ended(group):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("A process of the group lives on.")


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_and_started_again_it_ends_as_if_it_had_not_been(tmp_path, out, workers):
    source = write_sources(tmp_path / "source", 40)
    process = started(source, out, workers)
    until_some_are_made(process, out, 5)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (out / "index.csv").exists()
    # What a kill in the middle of a write leaves behind.
    (out / "arrays" / ".039.npy.abcd1234").write_bytes(b"half")
    outcome = run(source, out, Squares())
    # A worker finishes its subject before it notices that nobody waits for it.
    assert 5 <= outcome.kept < 40
    assert outcome.kept + outcome.prepared == 40
    run(source, out.with_name("expected"), Squares())
    assert contents(out) == contents(out.with_name("expected"))


def test_ctrl_c_stops_every_process_with_one_sentence_and_a_second_run_goes_on(tmp_path, out):
    source = write_sources(tmp_path / "source", 40)
    process = started(source, out, 2)
    until_some_are_made(process, out, 3)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "of 40 subjects prepared; the same command goes on from there" in said
    assert "Traceback" not in said
    until_all_have_ended(process.pid)
    assert not list(out.glob("arrays/.*"))
    assert run(source, out, Squares()).kept >= 3
