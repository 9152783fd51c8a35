import numpy as np
import pytest

from imbclf.data import assign_splits, read_split, write_split
from imbclf.errors import InputError


@pytest.fixture
def divided(labelled):
    return assign_splits(labelled([0, 1] * 10, patients=[f"p{number}, the" for number in range(20)]), seed=3)


def test_a_division_is_read_as_it_was_written(tmp_path, divided, labelled):
    write_split(tmp_path / "split.csv", divided)
    fresh = labelled([0, 1] * 10)
    np.testing.assert_array_equal(read_split(tmp_path / "split.csv", fresh).split, divided.split)
    lines = (tmp_path / "split.csv").read_text().splitlines()
    assert lines[0] == "id,patient,label,split"
    assert lines[2] == f's001,"p1, the",b,{divided.split[1]}'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("id,", "name,", 1), r"split\.csv has no column 'id'"),
        (lambda text: "", r"split\.csv has no column 'id'"),
        (lambda text: text.replace("s003", "s999"), "row 5 names s999, which is not in the data"),
        (lambda text: text.replace("s003", "s002"), "row 5 names s002 again"),
        (lambda text: text.replace('s003,"p3, the",b', 's003,"p3, the",a'), "row 5 has label 'a' for s003.*say 'b'"),
        (lambda text: text.rsplit(",", 1)[0] + ",other\n", "row 21 has split 'other'"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "lists 19 of 20 samples; s019 is missing"),
        (lambda text: text.rsplit(",", 1)[0], "row 21: expected 4 columns, got 3; was the file cut off"),
    ],
)
def test_a_file_of_other_data_is_named(tmp_path, divided, change, message):
    file = tmp_path / "split.csv"
    write_split(file, divided)
    file.write_text(change(file.read_text()))
    with pytest.raises(InputError, match=message):
        read_split(file, divided)


def test_a_missing_file_is_named(tmp_path, divided):
    with pytest.raises(InputError, match=r"absent\.csv does not exist"):
        read_split(tmp_path / "absent.csv", divided)
