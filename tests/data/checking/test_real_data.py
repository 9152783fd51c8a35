import os
from pathlib import Path

import pytest

from imbclf.data.checking import check_index
from tests.data.checking.pictures import kinds

DATA = Path(os.environ.get("IMBCLF_DATA", ""))


@pytest.mark.skipif("IMBCLF_DATA" not in os.environ, reason="IMBCLF_DATA does not name the folder of the real data")
class TestRealData:
    def test_fundus_photographs_that_all_look_alike_raise_no_false_alarm(self):
        report = check_index(DATA / "medmnist" / "retinamnist.npz", full=True)
        assert not any("alike" in kind for kind in kinds(report)), report.text()

    def test_hippocampi_of_two_scales_are_noticed(self, tmp_path):
        names = sorted(file.name for file in (DATA / "hippocampus" / "images").glob("*.nii.gz"))
        lines = [f"images/{name},labels/{name},{'test' if row % 4 == 0 else 'train'}" for row, name in enumerate(names)]
        (tmp_path / "index.csv").write_text("path,mask,split\n" + "\n".join(lines))
        report = check_index(tmp_path / "index.csv", DATA / "hippocampus", sample=40)
        assert report.class_names == ("0", "1", "2")
        assert report.exit_status == 0
        assert "intensity outlier" in kinds(report)
