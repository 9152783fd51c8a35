"""The report of a segmentation: what stands in it, and that it is one file."""

import math
import re
import subprocess
import sys

import pytest

from imbclf.errors import InputError
from imbclf.evaluation import evaluate_segmentation, montage, write_segmentation_report
from imbclf.evaluation.case_scores import DISTANCES
from imbclf.evaluation.segmentation_wording import cautions
from imbclf.evaluation.wording import number
from imbclf.files import read_json
from tests.evaluation.segmentation_runs import SPACING, case_rows, make_case, make_run

SHIFTS = [0, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6]


@pytest.fixture
def undrawn(monkeypatch):
    """Reports without pictures, for tests of what is written: drawing takes most of the time."""
    monkeypatch.setattr("imbclf.evaluation.page.render", lambda figure, kind="svg": b"picture")


@pytest.fixture
def evaluated(tmp_path):
    """Function that makes a run folder, scores it and gives (folder, metrics)."""

    def make(rows=None, repeats=100, **training):
        rows = case_rows(SHIFTS) + case_rows([1] * 6, "val") if rows is None else rows
        run = make_run(tmp_path / "run", rows, **training)
        return run, evaluate_segmentation(run, repeats=repeats)

    return make


def visible(html):
    """Text of a page without tags, styles and runs of white space."""
    html = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def text_of(run):
    return visible(write_segmentation_report(run).read_text(encoding="utf-8"))


def spoilt(rows, name, failure):
    """Rows in which one case of one class was missed or invented."""
    worst = {"dice": 0.0, "iou": 0.0, "normalized_surface_distance": 0.0} | dict.fromkeys(DISTANCES, math.inf)
    voxels = {"predicted_voxels": 0} if failure == "missed" else {"true_voxels": 0}
    return [row | worst | voxels if (row["id"], row["class"]) == name else row for row in rows]


def test_report_shows_every_mean_interval_median_and_deviation(evaluated, undrawn):
    run, metrics = evaluated()
    text = text_of(run)
    judged = metrics["splits"]["test"]
    for entries in (judged["mean"], *judged["per_class"].values()):
        for score, entry in entries.items():
            if not isinstance(entry, dict):
                continue
            value, low, high, median, sd = (
                number(entry[key], 2 if score in DISTANCES else 3) for key in ("value", "low", "high", "median", "sd")
            )
            assert f"{value} [{low}, {high}] median {median} sd {sd}" in text, score


def test_headline_says_what_was_trained_on_what_and_how_rare_foreground_is(evaluated, undrawn):
    run, metrics = evaluated()
    text = text_of(run)
    entry = metrics["splits"]["test"]["mean"]["dice"]
    score = f"{number(entry['value'])} [{number(entry['low'])}, {number(entry['high'])}]"
    assert "UNet 3D, width 32, trained on 120 cases of Lesions with DiceCE on patches of 64 × 64 × 32" in text
    assert f"has a mean Dice of {score} over 2 foreground classes on 11 test cases, from 0." in text
    assert "Foreground makes up 1.07 % of the training voxels." in text


def test_report_is_one_light_file_without_script_or_address_outside(evaluated):
    run, _ = evaluated()
    made = []
    for i, shift in enumerate(SHIFTS):
        image, truth, prediction = make_case(shift)
        scores = [row for row in case_rows(SHIFTS) if row["id"] == f"test-{i:02d}"] if i in (0, 5, 10) else None
        if scores:
            made.append((f"test-{i:02d}", image, truth, prediction, SPACING, scores))
    montage(run / "figures" / "montage.png", made)
    path = write_segmentation_report(run)
    html = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 1_500_000
    assert "http" not in html
    assert "<script" not in html
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(addresses) == 3 + 6
    assert all(address.startswith(("data:image/", "#")) for address in addresses)
    anchors = {address[1:] for address in addresses if address.startswith("#")}
    assert anchors == set(re.findall(r'<h2 id="([^"]*)"', html))
    pictures = re.findall(r"<img [^>]*>", html)
    assert all(len(re.search(r'alt="([^"]*)"', picture).group(1)) > 30 for picture in pictures)
    assert write_segmentation_report(run).read_text(encoding="utf-8") == html


def test_names_from_the_data_are_escaped(evaluated, undrawn):
    rows = [row | {"class": row["class"].replace("oedema", "a<b>")} for row in case_rows([1, 2])]
    run, _ = evaluated([row | {"id": "<script>" + row["id"]} for row in rows], name="<script>alert(1)</script>")
    html = write_segmentation_report(run).read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "a&lt;b&gt;" in html


@pytest.mark.parametrize("failure", ["missed", "invented"])
def test_the_worst_cases_stand_first_with_what_went_wrong(evaluated, undrawn, failure):
    rows = spoilt(case_rows([0, 6, 3]), ("test-02", "enhancing tumour"), failure)
    run, _ = evaluated(rows)
    table = text_of(run).split("Case Mean Dice oedema enhancing tumour ")[1]
    oedema = {row["id"]: row["dice"] for row in rows if row["class"] == "oedema"}
    expected = f"test-02 {number(oedema['test-02'] / 2)} {number(oedema['test-02'])} 0.000 {failure}"
    first, second, third = sorted(("test-00", "test-01", "test-02"), key=table.index)
    assert third == "test-00"
    assert expected in table
    mean = {name: sum(row["dice"] for row in rows if row["id"] == name) / 2 for name in oedema}
    assert mean[first] <= mean[second] <= mean[third]


def test_voxel_shares_are_shown_however_small(evaluated, undrawn):
    run, _ = evaluated()
    text = text_of(run)
    assert "background 98.9 % 1 11" in text
    assert "enhancing tumour 0.002 % 50,000 11" in text


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        ("missed", "Class enhancing tumour was missed altogether in 1 of the 11 test cases with it."),
        ("invented", "Class enhancing tumour was predicted in 1 of the 1 test case without it."),
    ],
)
def test_missed_and_invented_structures_are_named_and_said_to_be_outside_the_distances(
    evaluated, undrawn, failure, sentence
):
    run, metrics = evaluated(spoilt(case_rows(SHIFTS), ("test-03", "enhancing tumour"), failure))
    text = text_of(run)
    assert metrics["splits"]["test"]["per_class"]["enhancing tumour"][failure] == 1
    assert sentence in text
    assert "The mean distances leave out a structure that was missed or invented" in text


def test_a_class_that_was_never_found_is_named(evaluated, undrawn):
    rows = case_rows(SHIFTS)
    for i in range(len(SHIFTS)):
        rows = spoilt(rows, (f"test-{i:02d}", "oedema"), "missed")
    run, _ = evaluated(rows)
    text = text_of(run)
    assert "Class oedema was never found in the 11 test cases with it." in text
    assert "The mean distances leave out 11 structures" in text


def test_a_class_that_no_test_case_has_is_named_and_shown_without_numbers(evaluated, undrawn):
    run, _ = evaluated(case_rows(SHIFTS, tumour=0))
    text = text_of(run)
    assert "Class enhancing tumour occurs in no test case, so nothing is known" in text
    assert "enhancing tumour – – – – – 0 0 0" in text


@pytest.mark.parametrize(
    ("training", "sentence"),
    [
        ({"stopped": "interrupted", "epochs_planned": 40}, "Training was interrupted after 12 of 40 epochs."),
        ({"best_epoch": 12}, "The best epoch is the last (12 of 12)"),
        ({"selection": "last"}, "The weights are those of the last epoch"),
        ({"counts": {"train": 9, "val": 2, "test": 11}}, "The epoch was chosen on only 2 validation cases."),
    ],
)
def test_report_says_what_weakens_the_training(evaluated, undrawn, training, sentence):
    run, _ = evaluated(**training)
    assert sentence in text_of(run)


def test_few_cases_and_wide_intervals_are_named(evaluated, undrawn):
    run, _ = evaluated(case_rows([0, 3, 6]))
    text = text_of(run)
    assert "There are only 3 test cases: every interval is rough" in text
    assert "is uncertain" not in text
    run, metrics = evaluated(case_rows([0, 0, 0, 0, 0, 9, 9, 9, 9, 9]))
    entry = metrics["splits"]["test"]["per_class"]["oedema"]["dice"]
    assert entry["high"] - entry["low"] > 0.2
    low, value, high = (number(entry[key], 2) for key in ("low", "value", "high"))
    assert f"The mean Dice of class oedema is uncertain: {value} [{low}, {high}]." in text_of(run)


def test_a_class_in_few_of_many_cases_is_named(evaluated, undrawn):
    rows = case_rows([1] * 9, tumour=0)
    rare = [row | {"id": f"with-{row['id']}"} for row in case_rows([1, 2])]
    run, _ = evaluated(rows + rare)
    assert "Class enhancing tumour occurs in only 2 test cases" in text_of(run)


def test_a_finished_training_with_enough_good_cases_has_no_caution(evaluated, undrawn):
    run, metrics = evaluated(case_rows([1] * 12) + case_rows([1] * 6, "val"))
    assert cautions(read_json(run / "training.json"), metrics, "test") == []
    assert "Be careful" not in write_segmentation_report(run).read_text(encoding="utf-8")


def test_run_without_test_cases_is_reported_on_validation(evaluated, undrawn):
    run, _ = evaluated(case_rows(SHIFTS, "val"))
    text = text_of(run)
    assert "Scores on the validation cases" in text
    assert "There is no test case" in text


def test_mixed_units_and_tolerances_are_named(evaluated, undrawn):
    rows = case_rows(SHIFTS)
    rows = [row | ({"unit": "voxel", "tolerance": 2.0} if row["id"] == "test-00" else {}) for row in rows]
    run, _ = evaluated(rows)
    text = text_of(run)
    assert "Hausdorff 95 %, mm or voxels" in text.replace("\u00a0", " ")
    assert "their means mix both" in text
    assert "taken at different tolerances" in text


def test_report_without_a_bootstrap_shows_no_interval_and_says_so(evaluated, undrawn):
    run, _ = evaluated(repeats=0)
    text = text_of(run)
    assert "the bootstrap was switched off" in text
    assert not re.search(r"\[[−0-9]", text)


def test_run_without_a_montage_says_how_to_get_it(evaluated, undrawn):
    run, _ = evaluated()
    html = write_segmentation_report(run).read_text(encoding="utf-8")
    assert "No pictures of the cases yet: <code>imbclf evaluate" in html
    assert html.count("<img ") == 2


def test_a_single_foreground_class_has_no_row_of_means(evaluated, undrawn):
    run, _ = evaluated([row for row in case_rows(SHIFTS) if row["class"] == "oedema"])
    text = text_of(run)
    assert "Mean over classes" not in text
    assert "of class oedema on 11 test cases." in text


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("metrics.json", "imbclf report"),
        ("cases.csv", "imbclf evaluate"),
        ("history.csv", "imbclf train"),
        ("training.json", "imbclf train"),
    ],
)
def test_a_missing_file_is_named_with_the_command_that_makes_it(evaluated, undrawn, name, command):
    run, _ = evaluated()
    (run / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing; `{command}"):
        write_segmentation_report(run)
    assert not (run / "report.html").exists()


def test_scores_of_other_cases_and_other_classes_are_refused(evaluated, undrawn):
    run, _ = evaluated(class_names=["background", "oedema", "necrosis"])
    with pytest.raises(InputError, match="should hold the classes oedema, necrosis of"):
        write_segmentation_report(run)
    with open(run / "cases.csv", "a") as file:
        file.write("\n")
    with pytest.raises(InputError, match="computed from other cases"):
        write_segmentation_report(run)


def test_a_report_needs_no_backend():
    loaded = "import sys, imbclf.evaluation; print([m for m in ('keras', 'tensorflow', 'jax') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
