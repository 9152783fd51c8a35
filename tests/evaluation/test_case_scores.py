"""Scores of single cases, `cases.csv`, and what `metrics.json` says of them."""

import csv
import json
import math

import numpy as np
import pytest
import sklearn.metrics

from imbclf.errors import InputError
from imbclf.evaluation import evaluate_segmentation, read_cases, score_case, write_cases
from imbclf.evaluation.case_scores import CASE_SCORES, COLUMNS
from imbclf.metrics import surface_distances
from tests.evaluation.segmentation_runs import CLASS_NAMES, SPACING, case_rows, make_case


def case(name, split="test", **scores):
    """One row of a case with class "lesion": perfect unless told otherwise."""
    perfect = {"dice": 1.0, "iou": 1.0, "hausdorff95": 0.0, "average_surface_distance": 0.0}
    voxels = {"true_voxels": 9, "predicted_voxels": 9}
    rest = {"normalized_surface_distance": 1.0, "tolerance": 1.0, "unit": "mm"}
    return {"id": name, "split": split, "class": "lesion", **voxels, **perfect, **rest} | scores


MISSED = {"predicted_voxels": 0, "dice": 0.0, "iou": 0.0, "normalized_surface_distance": 0.0} | dict.fromkeys(
    ("hausdorff95", "average_surface_distance"), math.inf
)
INVENTED = MISSED | {"true_voxels": 0, "predicted_voxels": 5}
NOWHERE = {"true_voxels": 0, "predicted_voxels": 0} | dict.fromkeys(CASE_SCORES, math.nan)


def evaluated(folder, rows, **options):
    folder.mkdir(exist_ok=True)
    write_cases(folder / "cases.csv", rows)
    return evaluate_segmentation(folder, **{"repeats": 50} | options)


def test_overlaps_are_those_of_scikit_learn_and_distances_those_of_the_surfaces():
    _, truth, prediction = make_case(3)
    rows = score_case(truth, prediction, CLASS_NAMES, SPACING, tolerance=2.5)
    assert [row["class"] for row in rows] == list(CLASS_NAMES[1:])
    for k, row in enumerate(rows, start=1):
        assert row["true_voxels"] == (truth == k).sum()
        assert row["predicted_voxels"] == (prediction == k).sum()
        flat = (truth == k).ravel(), (prediction == k).ravel()
        assert row["dice"] == pytest.approx(sklearn.metrics.f1_score(*flat))
        assert row["iou"] == pytest.approx(sklearn.metrics.jaccard_score(*flat))
        distances = surface_distances(truth == k, prediction == k, SPACING)
        assert row["hausdorff95"] == distances.hausdorff95
        assert row["average_surface_distance"] == distances.average_surface_distance
        assert row["normalized_surface_distance"] == distances.normalized_surface_distance(2.5)
        assert (row["tolerance"], row["unit"]) == (2.5, "mm")


def test_distances_without_a_spacing_are_in_voxels():
    _, truth, prediction = make_case(3)
    mm, voxels = score_case(truth, prediction, CLASS_NAMES, (2, 2, 2)), score_case(truth, prediction, CLASS_NAMES)
    for first, second in zip(mm, voxels):
        assert first["hausdorff95"] == pytest.approx(2 * second["hausdorff95"])
        assert (first["unit"], second["unit"]) == ("mm", "voxel")


@pytest.mark.parametrize(
    ("true", "predicted", "expected"),
    [
        (0, 0, [math.nan] * 5),
        (1, 0, [0, 0, math.inf, math.inf, 0]),
        (0, 1, [0, 0, math.inf, math.inf, 0]),
        (1, 1, [1, 1, 0, 0, 1]),
    ],
)
def test_a_structure_that_is_nowhere_has_no_score_and_one_that_was_missed_or_invented_the_worst(
    true, predicted, expected
):
    (row,) = score_case(np.full((4, 4), true), np.full((4, 4), predicted), ["background", "lesion"])
    np.testing.assert_equal([row[score] for score in CASE_SCORES], expected)


def test_an_ignored_label_equals_background_in_truth_and_prediction():
    _, truth, prediction = make_case(4)
    ignored = np.random.default_rng(0).random(truth.shape) < 0.3
    marked = np.where(ignored, 255, truth)
    expected = score_case(np.where(ignored, 0, truth), np.where(ignored, 0, prediction), CLASS_NAMES, SPACING)
    assert score_case(marked, prediction, CLASS_NAMES, SPACING, ignore_class=255) == expected


@pytest.mark.parametrize(
    ("truth", "prediction", "sentence"),
    [
        ([[0, 1]], [[0, 1, 1]], r"of one shape, got truth \(1, 2\) and prediction \(1, 3\)"),
        ([[0, 255]], [[0, 1]], r"labels 0\.\.2 in the truth, got 255: name the label .* as ignore_class"),
        ([[0, 1]], [[0, -1]], r"labels 0\.\.2 in the prediction, got -1"),
        ([[0, 1]], [[0, 0.5]], r"labels 0\.\.2 in the prediction, got 0\.5"),
    ],
)
def test_labels_that_are_no_class_are_named(truth, prediction, sentence):
    with pytest.raises(InputError, match=sentence):
        score_case(truth, prediction, CLASS_NAMES)


def test_cases_are_read_as_they_were_written(tmp_path):
    rows = [case("a", "val", **NOWHERE), case("b", **MISSED), case("c, d", dice=1 / 3)]
    write_cases(tmp_path / "cases.csv", rows)
    for before, after in zip(rows, read_cases(tmp_path / "cases.csv"), strict=True):
        assert list(after) == list(COLUMNS)
        for name in COLUMNS:
            is_number = isinstance(before[name], float)
            expected = pytest.approx(before[name], rel=1e-8, nan_ok=True) if is_number else before[name]
            assert after[name] == expected, name


def test_an_undefined_score_is_an_empty_cell_and_an_infinite_distance_says_so(tmp_path):
    write_cases(tmp_path / "cases.csv", [case("a", **NOWHERE), case("b", **MISSED)])
    with open(tmp_path / "cases.csv", newline="") as file:
        nowhere, missed = csv.DictReader(file)
    assert {nowhere[score] for score in CASE_SCORES} == {""}
    assert (missed["hausdorff95"], missed["dice"]) == ("inf", "0")


def broken(folder, change):
    path = folder / "cases.csv"
    write_cases(path, [case("a"), case("a") | {"class": "other"}, case("b"), case("b") | {"class": "other"}])
    lines = path.read_text().splitlines()
    change(lines)
    path.write_text("\n".join(lines) + "\n")
    return path


def replace(row, old, new):
    def change(lines):
        assert old in lines[row - 1]
        lines[row - 1] = lines[row - 1].replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (replace(1, ",dice", ",score"), r"row 1: expected the columns id,split,.*; dice is missing"),
        (replace(3, "9,9", "nine,9"), r"row 3: expected a number in column true_voxels, got 'nine'"),
        (replace(3, "9,9", ",9"), r"row 3: expected a number in column true_voxels, got ''"),
        (replace(4, "test", "tset"), r"row 4: expected train or val or test in column split, got 'tset'"),
        (replace(2, "mm", "cm"), r"row 2: expected mm or voxel in column unit, got 'cm'"),
        (replace(3, "other", "lesion"), r"row 3: expected each class of case a once"),
        (replace(5, "other", "third"), r"row 5: expected each class of case b once .* got class 'third'"),
        (replace(5, "test", "val"), r"row 5: expected each class of case b once and in one split, .* split 'val'"),
        (lambda lines: lines.pop(), r"case b has no row of class other; was the file cut off\?"),
        (lambda lines: lines.__delitem__(slice(1, None)), r"holds no case"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(tmp_path, change, sentence):
    with pytest.raises(InputError, match=sentence):
        read_cases(broken(tmp_path, change))


def test_means_medians_and_deviations_are_over_the_cases_that_have_a_score(tmp_path):
    dice = np.array([0.9, 0.5, 0.1, 0.7])
    rows = [case(f"case {i}", dice=float(value)) for i, value in enumerate(dice)] + [case("without", **NOWHERE)]
    entry = evaluated(tmp_path, rows)["splits"]["test"]["per_class"]["lesion"]["dice"]
    assert entry["value"] == pytest.approx(dice.mean())
    assert entry["median"] == pytest.approx(np.median(dice))
    assert entry["sd"] == pytest.approx(np.std(dice, ddof=1))
    assert entry["n"] == 4


def test_missed_and_invented_structures_are_counted_and_kept_out_of_the_mean_distances(tmp_path):
    rows = [case("a", hausdorff95=4.0), case("b", hausdorff95=2.0), case("c", **MISSED), case("d", **INVENTED)]
    of_class = evaluated(tmp_path, [*rows, case("e", **NOWHERE)])["splits"]["test"]["per_class"]["lesion"]
    assert (of_class["cases"], of_class["missed"], of_class["invented"]) == (3, 1, 1)
    assert (of_class["hausdorff95"]["value"], of_class["hausdorff95"]["n"]) == (3, 2)
    assert of_class["dice"]["value"] == pytest.approx(2 / 4)
    assert of_class["normalized_surface_distance"]["n"] == 4


def test_a_rare_class_counts_as_much_as_a_common_one(tmp_path):
    rows = []
    for i in range(10):
        rows.append(case(f"case {i}", dice=0.9))
        rare = case(f"case {i}", dice=0.3) if i == 0 else case(f"case {i}", **NOWHERE)
        rows.append(rare | {"class": "rare"})
    judged = evaluated(tmp_path, rows)["splits"]["test"]
    assert judged["mean"]["dice"]["value"] == pytest.approx((0.9 + 0.3) / 2)
    assert judged["mean"]["dice"]["median"] == pytest.approx((0.9 + 0.3) / 2)
    assert judged["per_class"]["rare"]["dice"]["sd"] is None


def test_the_interval_is_that_of_a_mean_over_cases(tmp_path):
    dice = np.random.default_rng(0).beta(6, 3, 60)
    rows = [case(f"case {i}", dice=float(value)) for i, value in enumerate(dice)]
    judged = evaluated(tmp_path, rows, repeats=2000)["splits"]["test"]
    entry = judged["per_class"]["lesion"]["dice"]
    error = dice.std() / np.sqrt(len(dice))
    # The bootstrap of a mean follows the normal law; its quantiles carry a simulation error of a few per cent.
    assert entry["low"] == pytest.approx(dice.mean() - 1.96 * error, abs=0.2 * error)
    assert entry["high"] == pytest.approx(dice.mean() + 1.96 * error, abs=0.2 * error)
    assert judged["mean"]["dice"] == pytest.approx(entry)


def test_equal_cases_have_an_interval_of_no_width_and_voxels_do_not_narrow_it(tmp_path):
    rows = [case(str(i), dice=0.25 + 0.5 * (i % 2)) for i in range(6)]
    few = evaluated(tmp_path, rows)["splits"]["test"]
    many = evaluated(tmp_path, [row | {"true_voxels": 10**6} for row in rows])["splits"]["test"]
    assert few["mean"] == many["mean"]
    entry = evaluated(tmp_path, [case(str(i), dice=0.5) for i in range(6)])["splits"]["test"]["mean"]["dice"]
    assert (entry["low"], entry["value"], entry["high"]) == (0.5, 0.5, 0.5)


def test_cases_without_a_score_do_not_move_the_interval(tmp_path):
    rows = [case(f"case {i}", dice=0.5) for i in range(5)] + [case(f"without {i}", **NOWHERE) for i in range(5)]
    entry = evaluated(tmp_path, rows)["splits"]["test"]["per_class"]["lesion"]["dice"]
    assert (entry["low"], entry["high"]) == (0.5, 0.5)


def test_the_same_cases_give_the_same_file_and_another_seed_other_intervals(tmp_path):
    rows = case_rows([0, 2, 4, 5]) + case_rows([1, 3], "val")
    evaluated(tmp_path, rows)
    first = (tmp_path / "metrics.json").read_bytes()
    evaluated(tmp_path, rows)
    assert (tmp_path / "metrics.json").read_bytes() == first
    other, written = evaluated(tmp_path, rows, seed=1)["splits"]["test"], json.loads(first)["splits"]["test"]
    assert other["mean"]["dice"]["value"] == written["mean"]["dice"]["value"]
    assert other["mean"]["dice"]["low"] != written["mean"]["dice"]["low"]


def test_without_a_bootstrap_there_is_no_interval(tmp_path):
    entry = evaluated(tmp_path, [case("a"), case("b")], repeats=0)["splits"]["test"]["mean"]["dice"]
    assert (entry["value"], entry["low"], entry["high"]) == (1, None, None)


def test_splits_are_judged_apart_and_training_cases_not_at_all(tmp_path):
    rows = [case("a", "train", dice=0.1), case("b", "val", dice=0.2), case("c", "test", dice=0.4)]
    splits = evaluated(tmp_path, rows)["splits"]
    assert {name: judged["mean"]["dice"]["value"] for name, judged in splits.items()} == {"val": 0.2, "test": 0.4}
    with pytest.raises(InputError, match="no case of the splits val and test"):
        evaluated(tmp_path, rows[:1])


def test_a_class_without_any_score_is_null_and_stays_out_of_the_mean(tmp_path):
    rows = [row for name in "ab" for row in (case(name, dice=0.5), case(name, **NOWHERE) | {"class": "never"})]
    judged = evaluated(tmp_path, rows)["splits"]["test"]
    assert {judged["per_class"]["never"]["dice"][key] for key in ("value", "low", "high", "sd", "median")} == {None}
    assert judged["mean"]["dice"]["value"] == 0.5


def test_units_and_tolerances_that_differ_are_null(tmp_path):
    result = evaluated(tmp_path, [case("a"), case("b", unit="voxel")])
    assert (result["unit"], result["tolerance"]) == (None, 1)


def test_a_missing_file_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(InputError, match=r"cases\.csv is missing; `imbclf evaluate"):
        evaluate_segmentation(tmp_path)
