import json

import numpy as np
import pytest

from imbclf.errors import InputError
from imbclf.evaluation.evaluate import evaluate_run
from imbclf.evaluation.intervals import paired_difference, scores_with_intervals
from imbclf.evaluation.predictions import read_floors, read_predictions


def test_metrics_file_holds_the_scores_of_each_split_and_floor(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    result = evaluate_run(run, repeats=50)
    assert result == json.loads((run / "metrics.json").read_text())
    assert list(result["splits"]) == ["val", "test"]
    test, floors = read_predictions(run / "predictions.csv").select("test"), read_floors(run / "floors.csv")
    for entry, probabilities in [
        (result["splits"]["test"], test.probabilities),
        (result["floors"]["pca_logistic"], floors["pca_logistic"].probabilities),
    ]:
        expected = scores_with_intervals(test.y, probabilities, test.class_names, test.patients, repeats=50)
        assert {name: entry[name] for name in expected} == expected
    floor = floors["majority"].probabilities
    expected = paired_difference(test.y, test.probabilities, floor, test.patients, repeats=50)
    assert result["versus_floor"]["majority"] == expected
    assert result["splits"]["test"]["n"] == 400
    assert result["splits"]["test"]["patients"] == len(np.unique(test.patients))
    assert result["bootstrap"] == {"repeats": 50, "unit": "patient", "level": 0.95, "seed": 0}


def test_majority_floor_scores_chance(tmp_path, make_run):
    majority = evaluate_run(make_run(tmp_path / "run"), repeats=20)["floors"]["majority"]["scores"]
    assert majority["balanced_accuracy"] == {"value": 0.2, "low": 0.2, "high": 0.2}
    assert majority["macro_auc"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert majority["mcc"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_the_same_run_gives_the_same_file(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    evaluate_run(run, repeats=20)
    first = (run / "metrics.json").read_bytes()
    evaluate_run(run, repeats=20)
    assert (run / "metrics.json").read_bytes() == first


def test_images_are_the_unit_where_no_patient_is_named(tmp_path, make_run):
    result = evaluate_run(make_run(tmp_path / "run", patients=False), repeats=5)
    assert result["bootstrap"]["unit"] == "image"
    assert result["splits"]["test"]["patients"] is None


def test_order_of_the_floor_rows_does_not_matter(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    expected = evaluate_run(run, repeats=5)
    header, *rows = (run / "floors.csv").read_text().splitlines()
    (run / "floors.csv").write_text("\n".join([header, *rows[::-1]]) + "\n")
    shuffled = evaluate_run(run, repeats=5)
    assert shuffled["versus_floor"] == expected["versus_floor"]
    assert shuffled["floors"] == expected["floors"]


def test_no_repeats_leave_the_values_and_drop_every_interval(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    resampled, plain = evaluate_run(run, repeats=20), evaluate_run(run, repeats=0)

    def without_intervals(entry):
        if isinstance(entry, dict) and "low" in entry:
            return {"value": entry["value"], "low": None, "high": None}
        if not isinstance(entry, dict):
            return entry
        return {key: [] if key == "notes" else without_intervals(value) for key, value in entry.items()}

    for part in ("splits", "floors", "versus_floor"):
        assert plain[part] == without_intervals(resampled[part])
    assert plain["bootstrap"]["repeats"] == 0


def test_classes_are_not_called_thin_where_there_is_no_interval(tmp_path, make_run):
    counts = {"train": (20, 10), "val": (8, 4), "test": (9, 5)}
    run = make_run(tmp_path / "run", counts=counts, class_names=("a", "b"))
    assert [len(evaluate_run(run, repeats=repeats)["splits"]["test"]["notes"]) for repeats in (5, 0)] == [2, 0]


def test_a_negative_number_of_repeats_is_refused(tmp_path, make_run):
    with pytest.raises(InputError, match="0 \\(no intervals\\) or more, got -1"):
        evaluate_run(make_run(tmp_path / "run"), repeats=-1)


def test_floors_switched_off_leave_only_the_model(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    header = (run / "floors.csv").read_text().splitlines()[0]
    expected = evaluate_run(run, repeats=5)
    (run / "floors.csv").write_text(header + "\n")
    result = evaluate_run(run, repeats=5)
    assert result["splits"] == expected["splits"]
    assert result["floors"] == result["versus_floor"] == {}


def test_a_split_without_images_is_left_out(tmp_path, make_run):
    counts = {"train": (20, 10), "val": (8, 4), "test": (9, 5)}
    run = make_run(tmp_path / "run", counts=counts, class_names=("a", "b"))
    lines = (run / "predictions.csv").read_text().splitlines()
    (run / "predictions.csv").write_text("\n".join(line for line in lines if not line.startswith("val/")) + "\n")
    assert list(evaluate_run(run, repeats=5)["splits"]) == ["test"]


def test_missing_class_becomes_null_not_nan(tmp_path, make_run):
    counts = {"train": (20, 10, 5), "val": (8, 4, 3), "test": (9, 5, 0)}
    run = make_run(tmp_path / "run", counts=counts, class_names=("a", "b", "c"))
    with pytest.warns(UserWarning, match="No sample of class c"):
        evaluate_run(run, repeats=5)
    text = (run / "metrics.json").read_text()
    assert json.loads(text)["splits"]["test"]["per_class"]["c"]["f1"]["value"] is None
    assert "NaN" not in text


def test_missing_files_name_the_command_that_makes_them(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    (run / "floors.csv").unlink()
    with pytest.raises(InputError, match=r"floors\.csv is missing; `imbclf evaluate"):
        evaluate_run(run)
    assert not (run / "metrics.json").exists()
    with pytest.raises(InputError, match="not a folder"):
        evaluate_run(tmp_path / "nowhere")


def test_floors_of_another_run_are_refused(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    lines = (run / "floors.csv").read_text().splitlines()
    (run / "floors.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(InputError, match=r"floor pca_logistic: expected the 400 test images .* got 399 rows"):
        evaluate_run(run)


def test_a_floor_with_other_labels_is_refused(tmp_path, make_run):
    run = make_run(tmp_path / "run")
    header, first, *rest = (run / "floors.csv").read_text().splitlines()
    changed = first.replace(",test,0,", ",test,1,")
    (run / "floors.csv").write_text("\n".join([header, changed, *rest]) + "\n")
    with pytest.raises(InputError, match=r"has another class than in predictions\.csv"):
        evaluate_run(run)
