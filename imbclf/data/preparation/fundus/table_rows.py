"""Rows of a table of images whose columns have names of its own."""

import re

from imbclf.data.index_rows import IndexRow, check_each_path_once, relative_path, split_word
from imbclf.data.preparation.fundus.photographs import PHOTOGRAPH_SUFFIXES
from imbclf.errors import InputError
from imbclf.files import read_rows

# Spellings of each column, in lower case with `_` for spaces and hyphens.
COLUMN_NAMES = {
    "path": ("path", "image", "filename", "file", "file_name", "image_path", "image_name", "image_id", "id_code"),
    "label": ("label", "class", "diagnosis", "grade"),
    "patient": ("patient", "patient_id", "subject", "subject_id", "participant", "participant_id"),
    "eye": ("eye", "laterality", "exam_eye"),
    "site": ("site", "hospital", "center", "centre"),
    "split": ("split", "subset"),
}
REQUIRED = ("path", "label", "patient")


def read_image_rows(source, table, columns):
    """The rows of a table, whose images are all there.

    Args:
        source: Folder that the paths start from. A path without an ending finds the one image of that name.
        table: CSV file.
        columns: Mapping from some of `path`, `label`, `patient`, `eye`, `site` and `split` to the names that the table
            has for them, None for a column that is not there. The others are found by `COLUMN_NAMES`.

    Returns:
        A list of `IndexRow`, and the eye of each path, a dictionary.

    Raises:
        InputError: No such table, or no rows; a column that is missing, comes twice, or could be two; a row without a
            path, or whose path comes twice, is absolute, has `..`, or is of no file; an unknown split.
    """
    header, lines = read_rows(table)
    header = [name.strip() for name in header]
    lines = [(number, [cell.strip() for cell in cells]) for number, cells in lines if any(map(str.strip, cells))]
    if not lines:
        raise InputError(f"The table {table} has no rows: it needs a header and one row per image.")
    place_of = _places(table, header, columns)
    rows, eyes = [], {}
    for number, cells in lines:
        where = f"{table} row {number}"
        values = {column: cells[place] for column, place in place_of.items()}
        if not values["path"]:
            raise InputError(f"{where} names no image.")
        path = _find_image(where, source, relative_path(where, values["path"]))
        eyes[path] = values.pop("eye", "")
        split = split_word(where, values.get("split", ""))
        rows.append(IndexRow(where, **{**values, "path": path, "split": split}))
    check_each_path_once(rows)
    return rows, eyes


def _places(table, header, columns):
    """Place of each column in the header, from the names given or the usual ones."""
    for column in columns:
        if column not in COLUMN_NAMES:
            raise InputError(f"There is no column {column!r} to be named: they are {', '.join(COLUMN_NAMES)}.")
    if len(set(header)) != len(header):
        raise InputError(f"The header of {table} names a column twice: {','.join(header)}.")
    place_of = {}
    for column, usual in COLUMN_NAMES.items():
        if column in columns:
            found = [columns[column]] if columns[column] is not None else []
        else:
            found = [name for name in header if re.sub(r"[\s-]", "_", name.lower()) in usual]
        if len(found) > 1:
            raise InputError(f"In {table} {' and '.join(found)} could each be the {column}: say which in columns.")
        if found and found[0] not in header:
            raise InputError(f"The table {table} has no column {found[0]!r}, only {','.join(header)}.")
        if found:
            place_of[column] = header.index(found[0])
        elif column in REQUIRED and column not in columns:
            none = ", or say that there is none (then each image counts as a patient)" if column == "patient" else ""
            raise InputError(
                f"The table {table} has no column for the {column} among {','.join(header)}: name it in columns{none}."
            )
    for column in ("path", "label"):
        if column not in place_of:
            raise InputError(f"A table needs a column for the {column}, but columns says that there is none.")
    return place_of


def _find_image(where, source, path):
    """The path of an image, with its ending where it is written without one."""
    if (source / path).is_file():
        return path
    endings = [ending for lower in PHOTOGRAPH_SUFFIXES for ending in (lower, lower.upper())]
    found = [path + ending for ending in endings if (source / (path + ending)).is_file()]
    if len(found) != 1:
        several = f", only {' and '.join(found)}" if found else ""
        raise InputError(f"{where} names the image {path}, which is not in {source}{several}.")
    return found[0]
