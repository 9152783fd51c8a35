"""Writing the smallest workbooks that ECMA-376 allows, for tests of the reader."""

import zipfile
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def write_workbook(path, sheets):
    """`sheets` is `{name: rows of str, int or float}`; an empty string leaves the cell out, as Excel does."""
    texts, parts, names, links = [], {}, [], []
    for number, (name, rows) in enumerate(sheets.items(), start=1):
        lines = []
        for line, row in enumerate(rows, start=1):
            cells = []
            for column, value in enumerate(row):
                place = f"{chr(ord('A') + column)}{line}"
                if isinstance(value, str) and value:
                    cells.append(f'<c r="{place}" t="s"><v>{len(texts)}</v></c>')
                    texts.append(f"<si><t>{escape(value)}</t></si>")
                elif value != "":
                    cells.append(f'<c r="{place}"><v>{value}</v></c>')
            if cells:
                lines.append(f'<row r="{line}">{"".join(cells)}</row>')
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
        )
        names.append(f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"/>')
        links.append(
            f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        )
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{"".join(names)}</sheets></workbook>'
    )
    parts["xl/_rels/workbook.xml.rels"] = f'<Relationships xmlns="{PACKAGE}">{"".join(links)}</Relationships>'
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{"".join(texts)}</sst>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path
