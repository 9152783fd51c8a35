"""The rows of an index: what each says, and what is wrong with it."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import PurePosixPath, PureWindowsPath

import numpy as np

from imbclf.errors import InputError
from imbclf.files import read_rows

SPLIT_WORDS = {
    "": "",
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
OPTIONAL_COLUMNS = ("patient", "split", "site")
PUBLISHED_GLAUCOMA_COLUMNS = {"Class", "Class_Int", "Filename"}


@dataclass(frozen=True)
class IndexRow:
    """One row of an index: where it stands, and what it says."""

    where: str
    path: str
    label: str = ""
    mask: str = ""
    patient: str = ""
    split: str = ""
    site: str = ""
    class_number: str = ""


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one cell of an index, or with a name in its header.

    Args:
        where: The row.
        path: The image that the row names, as written.
        column: The column.
        message: The sentence for the user.
    """

    where: str
    path: str
    column: str
    message: str


def read_index_rows(path, split="", required=("path", "label")):
    """The rows of one CSV file as `IndexRow`, their paths checked; `required` columns must be there and filled in."""
    rows, problems = collect_index_rows(path, split, required)
    if problems:
        raise InputError(problems[0].message)
    return rows


def collect_index_rows(path, split="", required=("path", "label"), called=None):
    """The rows of one CSV file, and everything that is wrong with them, in the order of the file.

    Args:
        path: The file.
        split: The split that all rows of the file are in, or "".
        required: Columns that must be there and filled in.
        called: What messages call the file; its path without it.

    Returns:
        A list of `IndexRow`, in which a cell that cannot be used is "", and a list of `RowProblem`.

    Raises:
        InputError: A missing or empty file, a column that is missing or comes twice, rows with too few or too many
            cells.
    """
    header, lines = read_rows(path)
    header = [name.strip() for name in header]
    lines = [(number, [cell.strip() for cell in cells]) for number, cells in lines if any(map(str.strip, cells))]
    if not lines:
        raise InputError(
            f"The index {path} has no rows: it needs the header {','.join(required)} and one row per image."
        )
    is_published_glaucoma = set(header) >= PUBLISHED_GLAUCOMA_COLUMNS
    problems = []
    if not is_published_glaucoma:
        _check_header(path, header, required)
        problems += _misspelt_columns(path, header)
    rows = []
    for number, cells in lines:
        where = f"{path if called is None else called} row {number}".strip()
        values = dict(zip(header, cells))
        if is_published_glaucoma:
            values["path"] = f"{values['Class']}/{values['Filename']}" if values["Class"] and values["Filename"] else ""
            values["label"] = values["Class"]
        for column, thing in (("path", "image"), ("label", "label"), ("mask", "mask")):
            if column in required and not values[column]:
                problems.append(RowProblem(where, values["path"], column, f"{where} names no {thing}."))
        usable = partial(_usable, problems, where, values["path"])
        rows.append(
            IndexRow(
                where,
                path=usable(relative_path, "path", values["path"]) if values["path"] else "",
                label=values.get("label", ""),
                mask=usable(relative_path, "mask", values["mask"]) if "mask" in required and values["mask"] else "",
                patient=values.get("patient", ""),
                split=usable(split_word, "split", values.get("split", ""), split),
                site=values.get("site", ""),
                class_number=values["Class_Int"] if is_published_glaucoma else "",
            )
        )
    return rows, problems


def _usable(problems, where, path, read, column, *cell):
    """What `read` makes of a cell, or "" and one more problem."""
    try:
        return read(where, *cell)
    except InputError as error:
        problems.append(RowProblem(where, path, column, str(error)))
        return ""


def _check_header(path, header, required):
    if len(set(header)) != len(header):
        raise InputError(f"The header of {path} names a column twice: {','.join(header)}.")
    for column in required:
        if column not in header:
            near = get_close_matches(column, [name.lower() for name in header], 1, 0.5)
            original = next((name for name in header if near and name.lower() == near[0]), None)
            hint = f": is it {original!r}, then rename it" if original else ""
            raise InputError(f"The index {path} has no column {column!r}, only {','.join(header)}{hint}.")


def _misspelt_columns(path, header):
    """A `RowProblem` for each column that looks like an optional one: unread, it would take its protection along."""
    problems = []
    for name in sorted(set(header) - {"path", "label", *OPTIONAL_COLUMNS}):
        near = get_close_matches(name.lower(), OPTIONAL_COLUMNS, 1, 0.75)
        if near and near[0] not in header:
            message = f"The index {path} has a column {name!r}: rename it to {near[0]!r}, or to something else."
            problems.append(RowProblem("the header", "", near[0], message))
    return problems


def split_word(where, word, split_of_file=""):
    """`"train"`, `"val"`, `"test"` or "" from a cell, where the file as a whole may have a split; or `InputError`."""
    if word.lower() not in SPLIT_WORDS:
        near = get_close_matches(word.lower(), SPLIT_WORDS, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"{where} has split {word!r}, but train, val, test or nothing is expected{hint}.")
    split = SPLIT_WORDS[word.lower()]
    if split and split_of_file and split != split_of_file:
        raise InputError(f"{where} has split {word!r}, but the file was given as {split_of_file}.")
    return split or split_of_file


def relative_path(where, written):
    """A path with forward slashes that stays in the folder it starts from; or `InputError`."""
    path = PurePosixPath(written.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(written).drive:
        raise InputError(f"{where} has the absolute path {written}: give it relative to the data's folder.")
    if ".." in path.parts:
        raise InputError(f"{where} has the path {written}, which may leave the data's folder: remove the '..'.")
    return str(path)


def filled_column(rows, name):
    """One column of `IndexRow`s as an array of strings, or None where no row fills it in."""
    values = np.array([getattr(row, name) for row in rows], dtype=str)
    return values if (values != "").any() else None


def check_each_path_once(rows):
    """Raise `InputError` if two of the `IndexRow` have one path."""
    first = {}
    for row in rows:
        if (earlier := first.setdefault(row.path, row)) is not row:
            raise InputError(f"{row.where} names {row.path} again, which {earlier.where} has: keep one.")
