import zipfile

import pytest

from imbclf.data.preparation.mri.marker_table import read_marker_table
from imbclf.data.preparation.mri.spreadsheet import read_workbook
from imbclf.errors import InputError
from tests.data.preparation.workbooks import write_workbook

COLUMNS = {"id": ("Case",), "idh": ("IDH status",), "codeletion": ("1p/19q codeletion",)}


def test_texts_numbers_and_gaps_of_every_sheet_are_read(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        {"first": [["Subject", "IDH"], ["EGD-0001", 1], ["EGD-0002", -1]], "second": [[], ["", "", "Größe & <mehr>"]]},
    )
    assert read_workbook(path) == {
        "first": [["Subject", "IDH"], ["EGD-0001", "1"], ["EGD-0002", "-1"]],
        "second": [["", "", ""], ["", "", "Größe & <mehr>"]],
    }


def test_shared_formatted_and_inline_texts_are_read_and_phonetic_hints_are_not(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"s": [["plain"]]})
    parts = {}
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts["xl/sharedStrings.xml"] = parts["xl/sharedStrings.xml"].replace(
        "<si><t>plain</t></si>", "<si><r><t>IDH</t></r><r><t> status</t></r><rPh><t>hint</t></rPh></si>"
    )
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(
        "</row>", '<c r="AA1" t="inlineStr"><is><t>far</t></is></c><c r="AB1"/></row>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    (row,) = read_workbook(path)["s"]
    assert row[0] == "IDH status"
    assert row[26:] == ["far", ""]
    assert len(row) == 28


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_workbook_is_named(tmp_path, content):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.xlsx cannot be read as an Excel workbook"):
        read_workbook(path)
    with pytest.raises(InputError, match=r"b\.xlsx does not exist"):
        read_workbook(tmp_path / "b.xlsx")


def test_a_title_above_the_header_and_other_sheets_are_passed_over(tmp_path):
    rows = [["Case", "IDH status", "Age"], ["TCGA-02-0003", "WT", 50]]
    path = write_workbook(
        tmp_path / "a.xlsx", {"notes": [["x", "y"]], "S1A": [["Table S1. Patients"], *rows], "S1B": rows}
    )
    table = read_marker_table(path, COLUMNS)
    assert table.rows == [(f"{path} row 3", {"id": "TCGA-02-0003", "idh": "WT"})]


@pytest.mark.parametrize(
    "header", ["Case,IDH.status,X1p.19q.codeletion", "case,paper_IDH.status,paper_X1p.19q.codeletion"]
)
def test_columns_are_found_as_r_writes_them(tmp_path, header):
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\nTCGA-02-0003, Mutant ,codel\n")
    assert read_marker_table(path, COLUMNS).rows[0][1] == {"id": "TCGA-02-0003", "idh": "Mutant", "codeletion": "codel"}


def test_a_table_without_the_columns_is_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Case,Age\nTCGA-02-0003,50\n")
    assert read_marker_table(path, COLUMNS) is None
    with pytest.raises(InputError, match=r"must end in \.csv or \.xlsx"):
        read_marker_table(tmp_path / "a.tsv", COLUMNS)
