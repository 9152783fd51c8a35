"""The table of an archive that says which markers a patient's tumour has."""

import re
from dataclasses import dataclass
from pathlib import Path

from imbclf.data.preparation.mri.spreadsheet import read_workbook
from imbclf.errors import InputError
from imbclf.files import read_rows

TABLE_SUFFIXES = (".csv", ".xlsx")
# A sheet may carry a title above its header.
_ROWS_ABOVE = 3


@dataclass(frozen=True)
class MarkerTable:
    """Rows of a table, of the wanted columns alone.

    Args:
        path: The file.
        rows: `(where, {column: text})`; `where` names file and row as a spreadsheet counts them.
    """

    path: Path
    rows: list[tuple[str, dict[str, str]]]


def read_marker_table(path, columns):
    """The wanted columns of a table.

    Columns are found whatever the case and the punctuation of their names, and as R writes them: `1p/19q codeletion`,
    `X1p.19q.codeletion` and `paper_1p.19q.codeletion` are one name.

    Args:
        path: `.csv`, or `.xlsx` of which the first sheet that has the columns is read.
        columns: `{column: names}`: the names in the file that a column may have.

    Returns:
        A `MarkerTable`, or None where a column of `"id"`, and any one other column, is missing.

    Raises:
        InputError: The file cannot be read, or has another suffix.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        header, lines = read_rows(path)
        sheets = {"": [(1, header), *lines]}
    elif path.suffix.lower() == ".xlsx":
        sheets = {name: list(enumerate(rows, start=1)) for name, rows in read_workbook(path).items()}
    else:
        raise InputError(f"A table must end in {' or '.join(TABLE_SUFFIXES)}, but the file is {path}.")
    for lines in sheets.values():
        for above, (_, header) in enumerate(lines[:_ROWS_ABOVE]):
            places = _places(header, columns)
            if "id" in places and len(places) > 1:
                return MarkerTable(path, [_row(path, line, places) for line in lines[above + 1 :]])
    return None


def find_marker_table(paths, columns, name, folder):
    """The one table among some files that has the columns.

    Raises:
        InputError: None has them, or several do.
    """
    tables, unread = [], []
    for path in paths:
        try:
            table = read_marker_table(path, columns)
        except InputError as error:
            unread.append(str(error))
            continue
        if table is not None:
            tables.append(table)
    if len(tables) > 1:
        paths = ", ".join(str(table.path) for table in tables)
        raise InputError(f"Several tables in {folder} hold the markers of {name} ({paths}): keep one, or name one.")
    if not tables:
        wanted = ", ".join(f"{column} ({' or '.join(names)})" for column, names in columns.items())
        seen = f"; {'; '.join(unread)}" if unread else ""
        raise InputError(
            f"No table with the markers of {name} lies in {folder}: put the archive's .csv or .xlsx there, with the "
            f"columns {wanted}{seen}."
        )
    return tables[0]


def plain_name(name):
    """The name of a column without case, punctuation and what R puts before it.

    Example:

    >>> plain_name("1p/19q codeletion"), plain_name("paper_X1p.19q.codeletion")
    ('1p19qcodeletion', '1p19qcodeletion')
    """
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return re.sub(r"^(paper)?x?(?=\d)", "", letters).removeprefix("paper")


def _places(header, columns):
    names = [plain_name(cell) for cell in header]
    places = {}
    for column, wanted in columns.items():
        found = [names.index(plain_name(name)) for name in wanted if plain_name(name) in names]
        if found:
            places[column] = found[0]
    return places


def _row(path, line, places):
    number, cells = line
    return f"{path} row {number}", {column: cells[place].strip() for column, place in places.items()}
