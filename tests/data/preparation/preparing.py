"""Recipes to test preparations with, and a program that prepares, for tests that stop it.

python tests/data/preparation/preparing.py SOURCE OUT WORKERS
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from imbclf.data.preparation.prepare import prepare
from imbclf.data.preparation.subject import Subject
from imbclf.errors import InputError

CLASS_NAMES = ("even", "odd")
SECONDS_PER_SUBJECT = "SECONDS_PER_SUBJECT"


@dataclass(frozen=True)
class Squares:
    """uint8 (4, 4, 1) of the 16 bytes of a file, times `factor`; some files make it fail in ways of their own."""

    name: ClassVar[str] = "squares"
    version: ClassVar[int] = 1
    factor: int = 1

    def __call__(self, subject):
        content = subject.files["image"].read_bytes()
        # Not a field: an array made slowly is the same array.
        time.sleep(float(os.environ.get(SECONDS_PER_SUBJECT, 0)))
        if content == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if content == b"bug":
            raise ZeroDivisionError("division\nby zero")
        if len(content) != 16:
            raise InputError(f"{subject.files['image']} must hold 16 bytes.")
        return np.frombuffer(content, np.uint8).reshape(4, 4, 1) * np.uint8(self.factor)


@dataclass(frozen=True)
class LaterSquares(Squares):
    version: ClassVar[int] = 2


@dataclass(frozen=True)
class OtherSquares(Squares):
    name: ClassVar[str] = "other"


def content_of(number):
    return np.random.default_rng(number).integers(0, 255, 16, np.uint8).tobytes()


def write_sources(folder, count):
    """A file for each of some subjects, old enough for its times to be trusted."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        write_source(folder, number, content_of(number))
    return folder


def write_source(folder, number, content, age=60):
    file = folder / f"{number:03d}.bin"
    file.write_bytes(content)
    then = time.time_ns() - age * 10**9
    os.utime(file, ns=(then, then))
    return file


def subjects_of(folder):
    return [
        Subject(file.stem, {"image": file}, CLASS_NAMES[int(file.stem) % 2], patient=f"p{file.stem}", split="train")
        for file in sorted(Path(folder).glob("*.bin"))
    ]


if __name__ == "__main__":
    source, out, workers = sys.argv[1:]
    try:
        print(prepare(subjects_of(source), Squares(), out, CLASS_NAMES, workers=int(workers)))
    except KeyboardInterrupt as stop:
        sys.exit(str(stop))
