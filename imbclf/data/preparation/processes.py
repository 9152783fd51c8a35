"""Working through a list in several processes, each of which may die, within a bound on their memory."""

import contextlib
import multiprocessing
import os
import re
import signal
import sys
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from imbclf.errors import InputError

# What all processes together may hold, or three quarters of the machine where that is less.
MEMORY = 20 * 2**30
# Exit code of a process that SIGKILL ended, which Windows does not know by name.
KILLED = -9


try:
    import resource
except ImportError:
    # Windows does not say how much memory a process has held.
    resource = None


@dataclass(frozen=True)
class Died:
    """The outcome of an item whose process ended before it answered.

    Args:
        exit_code: Of the process; negative is the number of the signal that ended it.
    """

    exit_code: int

    def __str__(self):
        if self.exit_code == KILLED:
            return "its process was killed, most likely because memory ran out: use fewer workers."
        how = f"by signal {-self.exit_code}" if self.exit_code < 0 else f"with exit status {self.exit_code}"
        return f"its process ended {how}."


def work_through(function, items, workers):
    """Call a function on every item, here with one worker and in processes with more: see `run_in_processes`.

    Yields:
        `(item, result)`, in the order in which they are done.
    """
    if workers > 1:
        yield from run_in_processes(function, items, workers)
        return
    for item in items:
        yield item, function(item)


def run_in_processes(function, items, workers, memory=None):
    """Call a function on every item in up to `workers` processes, and give the results as they come.

    Processes are spawned, never forked, and each holds one item at a time; results come back through a pipe, so they
    should be small. The first process works alone until it is known how much memory an item takes at most. From then
    on there are as many processes as that allows, whatever number was asked for. A process that dies costs its item
    and is replaced; killed ones are replaced by one fewer, since memory is the usual reason. When this process ends
    in whatever way, the others end with their item.

    Args:
        function: Picklable function of one item.
        items: The items, picklable.
        workers: Processes at most.
        memory: Bytes that all of them together may hold; None is 20 GiB, or 3/4 of the machine where that is less.

    Yields:
        `(item, result)`, in the order in which they are done; the result is a `Died` where the process died.

    Raises:
        InputError: A process ended before it began to work.
    """
    memory = min(MEMORY, 0.75 * _installed_memory()) if memory is None else memory
    context = multiprocessing.get_context("spawn")
    waiting, team, largest = deque(items), [], 0
    try:
        while waiting or any(worker.is_busy for worker in team):
            affordable = max(1, int(memory // largest)) if largest else 1
            while len(team) > min(workers, affordable) and (idle := _idle(team)):
                team.remove(idle)
                idle.dismiss()
            while waiting:
                worker = _idle(team)
                if worker is None and len(team) < min(workers, affordable):
                    worker = _Worker(context, function)
                    team.append(worker)
                if worker is None:
                    break
                worker.give(waiting.popleft())
            for connection in wait([worker.connection for worker in team if worker.is_busy]):
                worker = next(worker for worker in team if worker.connection is connection)
                item = worker.item
                result = worker.answer()
                if isinstance(result, Died):
                    team.remove(worker)
                    if result.exit_code == KILLED:
                        workers = max(1, workers - 1)
                    yield item, result
                elif result is not None:
                    largest = max(largest, result[1])
                    yield item, result[0]
    finally:
        for worker in team:
            worker.dismiss()


class _Worker:
    """One process, and this end of the pipe to it."""

    def __init__(self, context, function):
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(function, theirs), daemon=True)
        self.is_up = False
        self.is_busy = False
        self.item = None
        with _held_interrupts():
            self.process.start()
        # With this copy open, the end of the process would not end the pipe.
        theirs.close()

    def give(self, item):
        self.item, self.is_busy = item, True
        # A process that is gone is noticed when its answer is read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(item)

    def answer(self):
        """Result and peak memory; `Died`; or None where the process only says that it is up."""
        try:
            message = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            if not self.is_up:
                raise InputError(
                    f"A process to prepare in ended before it began, with exit status {self.process.exitcode}: see "
                    'above, use workers=1, or put what calls it under `if __name__ == "__main__":` in a script.'
                ) from None
            return Died(self.process.exitcode)
        if message is None:
            self.is_up = True
            return None
        self.is_busy = False
        return message

    def dismiss(self):
        """End the process: at once where it works, else by the end of its pipe."""
        self.connection.close()
        if self.is_busy:
            self.process.terminate()
        self.process.join()


def _work(function, connection):
    # Ctrl-C reaches every process of a terminal; what to do about it is decided by the one that started them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        connection.send(None)
        while True:
            connection.send((function(connection.recv()), peak_memory()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The other process has ended, or wants no more.
        return


def _idle(team):
    return next((worker for worker in team if not worker.is_busy), None)


@contextlib.contextmanager
def _held_interrupts():
    """Holds Ctrl-C back while a process is started, which would otherwise answer it with a traceback of its own."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def peak_memory():
    """The most memory that this process has held, in bytes; 0 where the system does not say."""
    # On Linux getrusage starts from the peak of the process that started this one; the kernel's own file does not.
    status = Path("/proc/self/status")
    if status.exists() and (peak := re.search(r"VmHWM:\s*(\d+) kB", status.read_text(encoding="ascii"))):
        return int(peak[1]) * 1024
    if resource is None:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _installed_memory():
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")
