import json

import numpy as np
import pytest

from imbclf.data.checking import CheckReport, Finding, check_index
from imbclf.data.checking.check import CHECKS
from imbclf.data.checking.counts import ClassCounts
from imbclf.data.checking.figure import class_distribution
from imbclf.errors import InputError
from tests.data.checking.pictures import CLEAN, only, picture


class TestSources:
    def test_a_folder_per_class(self, folder):
        root = folder({"ill/a.png": picture(0), "well/b.png": picture(1, (30, 30)), "well/c.png": picture(0)})
        report = check_index(root)
        assert report.class_names == ("ill", "well")
        assert only(report, "identical images, two labels").files == ("ill/a.png", "well/c.png")

    def test_a_medmnist_file(self, tmp_path):
        images = np.stack([picture(seed, (28, 28)) for seed in range(9)])
        np.savez(
            tmp_path / "set.npz",
            train_images=images[:6],
            train_labels=np.arange(6) % 2,
            test_images=images[[6, 7, 0]],
            test_labels=np.array([0, 1, 0]),
        )
        report = check_index(tmp_path / "set.npz")
        assert only(report, "identical images across splits").files == ("train/000000", "test/000002")

    def test_the_sample_takes_turns_among_split_class_and_site(self, checked):
        lines = [f"{number}.png,{'rare' if number == 0 else 'common'},train" for number in range(40)]
        report = checked("path,label,split\n" + "\n".join(lines), sample=2)
        assert report.opened == 2
        assert "2 of 40 images were opened" in report.opened_note
        # The first turn holds one image of each class.
        report = checked("path,label,split\n" + "\n".join(lines), {"0.png": b"damaged"}, sample=2, seed=3)
        assert only(report, "unreadable image").files == ("0.png",)

    def test_workers_do_not_change_the_report(self, checked):
        one, two = checked(CLEAN, workers=1).to_dict(), checked(CLEAN, workers=2).to_dict()
        assert one | {"seconds": 0} == two | {"seconds": 0}

    @pytest.mark.parametrize(
        ("text", "options", "message"),
        [
            ("", {}, "has no rows"),
            ("path,label\n", {}, "has no rows"),
            ("file,label\na.png,ill\n", {}, "no column 'path'"),
            ("path,class\na.png,ill\n", {}, "no column 'label'"),
            ("path,label\na.png\n", {}, "expected 2 columns, got 1"),
            (CLEAN, {"root": "nowhere"}, "The data folder nowhere does not exist"),
            (CLEAN, {"sample": -1}, "sample must be a whole number from 0 on"),
            (CLEAN, {"figure": "classes.docx"}, r"a .png or an .svg file"),
        ],
    )
    def test_an_index_that_cannot_be_read_at_all_is_refused(self, checked, text, options, message):
        with pytest.raises(InputError, match=message):
            checked(text, {}, **options)

    def test_an_index_that_is_not_there_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="does not exist"):
            check_index(tmp_path / "none.csv")


class TestReport:
    def test_text_json_and_figure_say_the_same(self, checked, tmp_path):
        report = checked(CLEAN, figure=tmp_path / "classes.svg")
        assert report.text().splitlines()[2:6] == [
            "split     ill    well  all images",
            "train       4       4           8",
            "test        2       2           4",
            "all         6       6          12",
        ]
        written = json.loads(report.write(tmp_path / "check.json").read_text())
        assert written["counts"]["split"]["train"] == {"images": 8, "counts": [4, 4]}
        assert written["leakage"] is False
        drawn = (tmp_path / "classes.svg").read_text()
        assert "4 (50 %)" in drawn
        assert "site east: 12" in drawn

    def test_many_findings_of_a_kind_are_counted_in_the_text_and_listed_in_json(self, checked, tmp_path):
        report = checked("path,label\n" + "".join(f"{number}.png,ill\n" for number in range(30)), {})
        assert "ERROR  missing file (30)" in report.text(most=3)
        assert "and 27 more of this kind" in report.text(most=3)
        assert len(report.to_dict()["findings"]) == 30

    def test_wide_tables_are_turned(self):
        names = tuple(f"a class with a long name {number}" for number in range(9))
        groups = {"train": ClassCounts(9, np.ones(9, int)), "test": ClassCounts(8, np.arange(9) // 8)}
        report = CheckReport("x", 17, 17, "", names, "images", groups, {}, (), {})
        assert max(map(len, report.text().splitlines())) < 110
        assert "a class with a long name 0      1  none" in report.text()

    def test_the_worst_comes_first(self, checked):
        report = checked(
            "path,label,patient\na.png,ill,1\nb.png,well,1\nnone.png,ill,2\n",
            {"a.png": picture(0), "b.png": picture(1)},
        )
        assert [finding.severity for finding in report.findings] == ["error", "warning"]

    def test_many_sites_and_classes_still_make_a_figure(self):
        sites = {f"site {number}": ClassCounts(number, np.array([number, 0, 0])) for number in range(1, 16)}
        figure = class_distribution(("a", "b", "c"), {"no split": ClassCounts(120, np.array([120, 0, 0]))}, sites)
        titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]
        assert len(titles) == 1 + 12
        assert "3 smallest sites are not drawn" in figure.get_supxlabel()

    def test_every_check_gives_findings(self, checked):
        assert len({check.__name__ for check in CHECKS}) == len(CHECKS)
        assert all(isinstance(finding, Finding) for finding in checked("path,label\na.png,ill\na.png,ILL\n").findings)
