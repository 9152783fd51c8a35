import re

import pytest

from imbclf.data import read_index
from imbclf.data.checking import check_index
from tests.data.checking.pictures import CLEAN, kinds, only, picture


def test_nothing_is_found_where_nothing_is_wrong(checked):
    report = checked(CLEAN)
    assert report.findings == ()
    assert report.exit_status == 0
    assert report.images == report.opened == 12
    assert {name: group.counts.tolist() for name, group in report.splits.items()} == {"train": [4, 4], "test": [2, 2]}
    assert report.sites["east"].counts.tolist() == [6, 6]


def test_what_check_passes_the_reader_reads(checked, tmp_path):
    assert checked(CLEAN).count("error") == 0
    assert len(read_index(tmp_path, "index.csv")) == 12


def test_everything_is_found_at_once_and_every_finding_names_row_and_file(checked):
    rows = ["a.png,ill,1,train", "b.png,ill,1,test", "c.png,Ill,2,train", "d.png,well,3,tset", "e.png,,4,"]
    text = "path,label,patient,split\n" + "\n".join(rows)
    files = {path: picture(seed) for seed, path in enumerate(["a.png", "b.png", "c.png", "d.png"])}
    report = checked(text, files | {"b.png": b"no image"})
    assert kinds(report) >= {
        "patient in two splits",
        "class in two spellings",
        "unknown split",
        "missing label",
        "missing file",
        "unreadable image",
        "class missing from a split",
    }
    assert only(report, "unreadable image").rows == ("row 3",)
    assert only(report, "unknown split").files == ("d.png",)
    assert only(report, "missing file").rows == ("row 6",)
    assert report.exit_status == 1


@pytest.mark.parametrize(
    ("rows", "kind", "severity", "message"),
    [
        ("a.png,ill,,\n,ill,,\n", "unusable path", "error", "row 3 names no image"),
        ("a.png,ill,,\n../b.png,ill,,\n", "unusable path", "error", "may leave the data's folder: remove the '..'"),
        ("a.png,ill,,\n/data/b.png,ill,,\n", "unusable path", "error", "row 3 has the absolute path /data/b.png"),
        ("a.png,ill,,\nC:\\b.png,ill,,\n", "unusable path", "error", "has the absolute path"),
        ("a.png,ill,,\nb.png,,,\n", "missing label", "error", "row 3 names no label"),
        ("a.png,ill,,\nb.png,ill,,traim\n", "unknown split", "error", "did you mean 'train'"),
        ("a.png,ill,,\na.png,ill,,\n", "path listed twice", "error", r"a.png is listed 2 times \(row 2, row 3\)"),
        ("a.png,ill,,\nz.png,ill,,\n", "missing file", "error", r"z.png \(row 3\) is not in"),
        ("a.png,ill,,\nb.png,ILL,,\n", "class in two spellings", "error", "'ILL' .* and 'ill' .* are one class"),
        ("a.png,glaucoma,,\nb.png,glaucmoa,,\n", "class misspelt?", "warning", "may be one class"),
        (
            "a.png,ill,,train\nb.png,well,,train\nc.png,well,,test\n",
            "class missing from a split",
            "warning",
            "test .* none of class ill",
        ),
        ("a.png,ill,,train\nb.png,ill,,\n", "row without split", "warning", "1 image of 2 have no split: b.png"),
        ("a.png,ill,7,\nb.png,ill,,\n", "row without patient", "warning", "name no patient: b.png"),
        ("a.png,ill,7,\nb.png,well,7,\n", "patient with two labels", "warning", "ill in a.png .* well in b.png"),
        ("a.png,ill,p7,\nb.png,ill,P7,\n", "patient in two spellings", "warning", "'P7' in b.png .* 'p7' in a.png"),
    ],
)
def test_rows_that_are_wrong(checked, rows, kind, severity, message):
    report = checked(
        f"path,label,patient,split\n{rows}", {f"{name}.png": picture(seed) for seed, name in enumerate("abc")}
    )
    finding = only(report, kind)
    assert finding.severity == severity
    assert re.search(message, finding.message)
    assert report.exit_status == 0


def test_a_class_missing_from_a_site_and_a_site_in_two_spellings(checked):
    report = checked(
        "path,label,site\na.png,ill,east\nb.png,well,east\nc.png,ill,west\nd.png,well,East \nx.png,ill,East\n"
    )
    missing = only(report, "class missing from a site")
    assert "The site west (1 image) has none of class well" in missing.message
    assert "'East' (2 images) and 'east' (2 images)" in only(report, "site in two spellings").message


def test_a_misspelt_column_is_found(checked):
    report = checked("path,label,patients\na.png,ill,1\nb.png,well,2\n")
    assert "rename it to 'patient'" in only(report, "misspelt column").message


def test_a_column_of_names_is_no_column_of_classes(folder):
    rows = "".join(f"a.png,case {number}\n" for number in range(400))
    root = folder({"a.png": picture(0), "index.csv": f"path,label\n{rows}"})
    assert "400 different labels" in only(check_index(root / "index.csv", sample=0), "many labels").message


def test_the_published_lists_are_read_and_their_class_numbers_compared(folder):
    head = "Class,Class_Int,Filename\n"
    root = folder(
        {
            "normal_control/1.png": picture(0),
            "early_glaucoma/1.png": picture(1),
            "normal_control/2.png": picture(2),
            "early_glaucoma/2.png": picture(3),
            "train.csv": f"{head}normal_control,0,1.png\nearly_glaucoma,1,1.png\n",
            "test.csv": f"{head}normal_control,0,2.png\nearly_glaucoma,1,2.png\n",
        }
    )
    lists = {"train": "train.csv", "test": "test.csv"}
    report = check_index(lists, root)
    assert report.class_names == ("normal_control", "early_glaucoma")
    assert report.findings == ()
    (root / "test.csv").write_text(f"{head}normal_control,1,2.png\nearly_glaucoma,1,2.png\n")
    assert "pairs Class normal_control with Class_Int 1" in only(check_index(lists, root), "class number").message
