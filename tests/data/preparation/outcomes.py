"""Runs of a preparation, and what is asked of the folder that it leaves."""

import csv
import io

from imbclf.data.preparation.prepare import prepare
from tests.data.preparation.preparing import (
    CLASS_NAMES,
    Squares,
    subjects_of,
)


def run(source, out, recipe=None, stream=None, **options):
    recipe = recipe or Squares()
    return prepare(subjects_of(source), recipe, out, CLASS_NAMES, stream=stream or io.StringIO(), **options)


def rows(file):
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


def times(folder):
    """Inode and time of every file but the lock, by its name: what stays the same was not written again."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def contents(folder):
    """Bytes of every file but the records, which hold times."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "keys"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rewritten(before, after):
    return {name for name in before | after if before.get(name) != after.get(name)}
