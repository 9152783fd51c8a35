"""Files written whole or not at all, and read with an error that names them."""

import csv
import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from imbclf.errors import InputError


def file_digest(path):
    """Digest of the content of a file, read piece by piece."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def read_json(path):
    """The object in a JSON file; `InputError` where there is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"The file {path} does not exist.") from None
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} should hold JSON but cannot be read ({error}); write it again.") from error


def read_rows(path):
    """Header and numbered rows of a CSV file.

    Rows are counted as a spreadsheet shows them: the header is row 1. Blank lines are left out.

    Args:
        path: The file, in UTF-8.

    Returns:
        The header, a list of strings, and a list of `(number, cells)`. An empty file has an empty header.

    Raises:
        InputError: No such file, no CSV, or a row with more or fewer cells than the header.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            records = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        raise InputError(f"The file {path} does not exist.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} should be a CSV file in UTF-8 but cannot be read ({error}).") from error
    header = records[0] if records else []
    rows = [(number, cells) for number, cells in enumerate(records[1:], start=2) if cells]
    for number, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"{path}, row {number}: expected {len(header)} columns, got {len(cells)}; was the file cut off?"
            )
    return header, rows


def read_table(path):
    """Header and rows of a CSV file as lists of strings; see `read_rows`."""
    header, rows = read_rows(path)
    return header, [cells for _, cells in rows]


def read_arrays(path, is_wanted=lambda name: True):
    """Arrays of an .npz file by name; objects are never unpickled.

    Args:
        path: The file.
        is_wanted: Says of a name whether its array is read.

    Raises:
        InputError: No such file, no .npz, a damaged one, or pickled objects.
    """
    if not Path(path).is_file():
        raise InputError(f"The file {path} does not exist.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if is_wanted(name)}
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        # A plain .npy file gives an array, which has neither `with` nor `files`.
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        if "pickle" in str(error):
            raise InputError(
                f"The file {path} holds pickled Python objects, which are never unpickled because that can run any "
                "code: save plain arrays of numbers."
            ) from None
        raise InputError(f"The file {path} is no readable .npz archive ({error}): fetch it again.") from None


def write_bytes(path, content):
    """Write bytes to a temporary file beside `path`, then put it in place, so that no reader sees half a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        # mkstemp makes files only their owner can read; results are meant to be shared.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def write_text(path, text):
    """Write text as UTF-8 with `write_bytes`."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path, value):
    """Write strict JSON (no NaN) with `write_text`; a missing score is null."""
    return write_text(path, json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_table(path, header, rows):
    """Write a CSV file with `write_text`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return write_text(path, buffer.getvalue())
