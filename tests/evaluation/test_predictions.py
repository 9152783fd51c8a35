import numpy as np
import pytest

from imbclf.errors import InputError
from imbclf.evaluation.predictions import Predictions, read_floors, read_predictions, write_floors, write_predictions

HEADER = "id,patient,split,y,benign,malignant"


def example(patients=("p1", "", "p1"), class_names=("benign", "malignant, late")):
    probabilities = np.random.default_rng(0).dirichlet([1, 1], 3).astype(np.float32)
    return Predictions(["a", "b,1", 'c"'], ["train", "val", "test"], [0, 1, 1], probabilities, class_names, patients)


@pytest.mark.parametrize("patients", [("p1", "", "p1"), None])
def test_predictions_read_as_they_were_written(tmp_path, patients):
    written = example(patients)
    write_predictions(tmp_path / "predictions.csv", written)
    read = read_predictions(tmp_path / "predictions.csv")
    np.testing.assert_array_equal(read.probabilities.astype(np.float32), written.probabilities.astype(np.float32))
    for name in ("ids", "split", "y"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    assert read.class_names == written.class_names
    assert (read.patients is None) if patients is None else (read.patients.tolist() == list(patients))


def test_a_class_may_be_called_y(tmp_path):
    write_predictions(tmp_path / "predictions.csv", example(class_names=("y", "id")))
    assert read_predictions(tmp_path / "predictions.csv").class_names == ("y", "id")


def test_floors_read_as_they_were_written(tmp_path):
    test = example().select("test")
    write_floors(
        tmp_path / "floors.csv", test, {"majority": np.array([[0.75, 0.25]]), "pca_logistic": np.array([[0.5, 0.5]])}
    )
    read = read_floors(tmp_path / "floors.csv")
    assert list(read) == ["majority", "pca_logistic"]
    np.testing.assert_array_equal(read["majority"].probabilities, [[0.75, 0.25]])
    assert read["pca_logistic"].ids.tolist() == test.ids.tolist()


def test_nothing_is_left_beside_the_file(tmp_path):
    write_predictions(tmp_path / "predictions.csv", example())
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "row 1: expected the columns id,patient,split,y"),
        (["id,split,y,benign,malignant"], "row 1"),
        (["id,patient,split,y,benign"], "row 1: expected at least two"),
        (["id,patient,split,y,benign,benign"], "row 1: expected at least two different"),
        ([HEADER, "a,,test,0,0.5,0.5", "b,,test,0,0.5"], "row 3: expected 6 columns, got 5"),
        ([HEADER, "a,,test,benign,0.5,0.5"], "row 2: expected a class index"),
        ([HEADER, "a,,test,2,0.5,0.5"], "row 2: expected a class index y in 0..1, got 2"),
        ([HEADER, "a,,test,-1,0.5,0.5"], "row 2: .* got -1"),
        ([HEADER, "a,,test,0,0.5,half"], "row 2: expected numbers"),
        ([HEADER, "a,,test,0,0.5,nan"], "row 2: expected probabilities between 0 and 1"),
        ([HEADER, "a,,test,0,1.5,-0.5"], "row 2: expected probabilities between 0 and 1"),
        ([HEADER, "a,,test,0,0.5,0.5", "b,,test,0,0.5,0.498"], "row 3: .* got a sum of 0.998"),
        ([HEADER, "a,,holdout,0,0.5,0.5"], "row 2: expected a split out of train, val, test, got 'holdout'"),
        ([HEADER, "a,,test,0,0.5,0.5", "a,,val,0,0.5,0.5"], "row 3: expected an id of its own"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(tmp_path, lines, message):
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=message) as raised:
        read_predictions(path)
    assert str(path) in str(raised.value)


def test_a_sum_within_a_thousandth_of_one_is_accepted(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text(f"{HEADER}\na,,test,0,0.5,0.4991\n")
    assert len(read_predictions(path)) == 1


def test_a_bad_floor_row_is_named_by_its_row_in_the_file(tmp_path):
    path = tmp_path / "floors.csv"
    path.write_text(f"floor,{HEADER}\nmajority,a,,test,0,0.5,0.5\npca_logistic,a,,test,0,0.7,0.7\n")
    with pytest.raises(InputError, match=r"floors.csv, row 3: .* got a sum of 1.4"):
        read_floors(path)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_predictions(path)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="2 values of split"):
        Predictions(["a", "b"], ["test"], [0, 1], [[1, 0], [0, 1]], ["benign", "malignant"])
    with pytest.raises(InputError, match=r"shape \(2, 3\)"):
        Predictions(["a", "b"], ["test", "test"], [0, 1], [[1, 0], [0, 1]], ["a", "b", "c"])
