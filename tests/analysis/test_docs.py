import re
from pathlib import Path

import nibabel
import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "analysis.md"


def test_every_example_of_the_page_runs_on_label_volumes(tmp_path, monkeypatch):
    folder = tmp_path / "Task04_Hippocampus" / "labelsTr"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(24):
        labels = np.zeros(random.integers(9, 15, 3), "uint8")
        labels[3:6, 3:7, 3:5], labels[3:6, 3:7, 5:7] = 1, 2
        nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), folder / f"hippocampus_{number:03d}.nii.gz")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(examples) == 5
    names = {}
    for example in examples:
        exec(example.replace("size=(32, 48, 32)", "size=(8, 12, 8)"), names)
    assert names["y_true"].shape == (20, 8, 12, 8)
    for figure in re.findall(r'savefig\("(.*?)"\)', PAGE.read_text(encoding="utf-8")):
        assert (tmp_path / figure).stat().st_size > 5000


def test_every_figure_of_the_page_is_there():
    for path in re.findall(r"\]\((figures/.*?)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / path).is_file()
