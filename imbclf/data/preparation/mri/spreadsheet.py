"""Reading the cells of an Excel workbook (.xlsx), in which archives publish their tables."""

import re
import zipfile
import zlib
from xml.etree import ElementTree

from imbclf.errors import InputError

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_workbook(path):
    """The sheets of a workbook as text.

    Formats are left alone: a number is the text that the file stores, such as `1` or `-1`, and a date is a number. Of a
    formula the stored result is read. Layout of the file: ECMA-376, part 1, SpreadsheetML.

    Args:
        path: The `.xlsx` file.

    Returns:
        `{name of the sheet: rows}` in the order of the workbook; rows are lists of strings, row 1 of the spreadsheet
        first, all of one sheet equally long, an empty cell `""`.

    Raises:
        InputError: No such file, or no workbook.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            texts = _shared_texts(archive)
            return {name: _rows(archive, part, texts) for name, part in _sheets(archive)}
    except FileNotFoundError:
        raise InputError(f"The file {path} does not exist.") from None
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, IndexError, ValueError, ElementTree.ParseError) as error:
        raise InputError(
            f"The file {path} cannot be read as an Excel workbook ({error}): fetch it again, or save it as CSV."
        ) from None


def column_number(reference):
    """Position of a cell in its row, from its name.

    Example:

    >>> column_number("A1"), column_number("Z7"), column_number("AA12")
    (0, 25, 26)
    """
    number = 0
    for letter in re.match(r"[A-Z]+", reference).group():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _sheets(archive):
    """Name and part of each sheet."""
    parts = {
        relation.get("Id"): relation.get("Target")
        for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = parts[sheet.get(_RELATION)]
        yield sheet.get("name"), target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _shared_texts(archive):
    """The texts that cells refer to by number; formatted text comes in pieces."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    root = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
    return [_text(item) for item in root.iter(f"{_MAIN}si")]


def _text(item):
    # Text straight below, or in runs of one format each; phonetic hints (rPh) are no part of it.
    pieces = [item.find(f"{_MAIN}t"), *(run.find(f"{_MAIN}t") for run in item.findall(f"{_MAIN}r"))]
    return "".join(piece.text or "" for piece in pieces if piece is not None)


def _rows(archive, part, texts):
    cells = {}
    for row_position, row in enumerate(ElementTree.fromstring(archive.read(part)).iter(f"{_MAIN}row")):
        number = int(row.get("r", row_position + 1)) - 1
        for column, cell in enumerate(row.findall(f"{_MAIN}c")):
            place = column_number(cell.get("r")) if cell.get("r") else column
            cells[number, place] = _content(cell, texts)
    height = 1 + max((row for row, _ in cells), default=-1)
    width = 1 + max((column for _, column in cells), default=-1)
    return [[cells.get((row, column), "") for column in range(width)] for row in range(height)]


def _content(cell, texts):
    if cell.get("t") == "inlineStr":
        inline = cell.find(f"{_MAIN}is")
        return "" if inline is None else _text(inline)
    value = cell.find(f"{_MAIN}v")
    if value is None or value.text is None:
        return ""
    return texts[int(value.text)] if cell.get("t") == "s" else value.text
