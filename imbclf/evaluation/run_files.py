"""The files of a run folder: written whole or not at all, and read with an error that says what makes them."""

import csv
import io
import json
import os
import tempfile
from pathlib import Path

from imbclf.errors import InputError

MADE_BY = {
    "predictions.csv": "imbclf train CONFIG",
    "floors.csv": "imbclf train CONFIG",
    "history.csv": "imbclf train CONFIG",
    "training.json": "imbclf train CONFIG",
    "environment.json": "imbclf train CONFIG",
    "config.yaml": "imbclf train CONFIG",
    "metrics.json": "imbclf evaluate {run}",
    "features.npz": "imbclf tsne {run}",
    "figures/tsne.png": "imbclf tsne {run}",
}


def require(run_dir, name):
    """Path of a file of the run folder.

    Raises:
        InputError: the folder or the file is missing; the message names the command that makes it.
    """
    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        raise InputError(
            f"Expected the folder of a finished run, but {run_dir} is not a folder; give the one that training wrote."
        )
    path = run_dir / name
    if not path.is_file():
        command = MADE_BY[name].format(run=run_dir)
        raise InputError(f"{path} is missing; `{command}` writes it.")
    return path


def read_json(path):
    """The object in a JSON file; `InputError` where it is not JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} should hold JSON but cannot be read ({error}); write it again.") from error


def read_table(path):
    """Header and rows of a CSV file as lists of strings; `InputError` on a row of the wrong length.

    Rows are counted as a spreadsheet shows them: the header is row 1.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} should be a CSV file in UTF-8 but cannot be read ({error}).") from error
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(
                f"{path}, row {number}: expected {len(header)} columns, got {len(row)}; was the file cut off?"
            )
    return header, rows


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
