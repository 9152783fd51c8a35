import json
import re

import pytest

from imbclf.errors import InputError
from imbclf.evaluation.curves import precision_recall_curves, roc_curves
from imbclf.evaluation.evaluate import evaluate_run
from imbclf.evaluation.predictions import read_predictions
from imbclf.evaluation.report import write_report
from imbclf.evaluation.wording import against_floor, cautions, number, with_interval


@pytest.fixture
def undrawn(monkeypatch):
    """Reports without pictures, for tests of what is written: drawing takes most of the time."""
    monkeypatch.setattr("imbclf.evaluation.page.render", lambda figure, kind="svg": b"picture")


def visible(html):
    """Text of a page without tags, styles and runs of white space."""
    html = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_report_shows_every_number_of_the_metrics(evaluated, undrawn):
    run, metrics = evaluated()
    text = visible(write_report(run).read_text(encoding="utf-8"))
    for judged in (metrics["splits"]["test"], *metrics["floors"].values()):
        for name, entry in judged["scores"].items():
            assert number(entry["value"]) in text, name
            if number(entry["low"]) != number(entry["high"]):
                assert f"[{number(entry['low'])}, {number(entry['high'])}]" in text, name
    for floor in metrics["versus_floor"].values():
        for entry in floor.values():
            assert f"{number(entry['value'])} [{number(entry['low'])}, {number(entry['high'])}]" in text
    for name, of_class in metrics["splits"]["test"]["per_class"].items():
        assert f"{name} {of_class['support']} {number(of_class['precision']['value'], 2)}" in text


def test_headline_says_what_was_trained_on_what_and_that_it_beats_the_floors(evaluated, undrawn):
    run, metrics = evaluated()
    text = visible(write_report(run).read_text(encoding="utf-8"))
    score = with_interval(metrics["splits"]["test"]["scores"]["balanced_accuracy"])
    assert "trained on 540 images of RetinaMNIST in 5 classes with CEPlusF1 and balanced batches" in text
    assert f"has a balanced accuracy of {score} on 400 test images of 200 patients." in text
    assert "It beats the majority class by" in text
    assert "It beats PCA + logistic regression by" in text


def test_report_says_so_where_a_floor_is_not_beaten(evaluated, undrawn):
    run, metrics = evaluated(skill=0.0, floor_skill=2.0)
    assert metrics["versus_floor"]["pca_logistic"]["balanced_accuracy"]["high"] < 0
    text = visible(write_report(run).read_text(encoding="utf-8"))
    assert "It does NOT beat the majority class beyond chance" in text
    assert "It does NOT beat PCA + logistic regression: it is worse by 0." in text


def test_report_is_one_light_file_without_script_or_address_outside(evaluated):
    run, _ = evaluated()
    path = write_report(run)
    html = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 1_500_000
    assert "http" not in html.replace("http-equiv", "")
    assert "<script" not in html
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(addresses) > 7
    assert all(address.startswith(("data:image/", "#")) for address in addresses)
    assert not re.search(r"url\(", html)


def test_every_picture_has_an_alternative_text(evaluated, undrawn):
    run, _ = evaluated()
    html = write_report(run).read_text(encoding="utf-8")
    pictures = re.findall(r"<img [^>]*>", html)
    assert len(pictures) == 7
    assert all(len(re.search(r'alt="([^"]*)"', picture).group(1)) > 30 for picture in pictures)
    assert len(list((run / "figures").glob("*.png"))) == 7


def test_names_from_the_data_are_escaped(evaluated, undrawn):
    run, _ = evaluated(class_names=("a<b>", "c&d", '"e"', "f", "g"), name="<script>alert(1)</script>")
    html = write_report(run).read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "a&lt;b&gt;" in html


def test_the_same_run_gives_the_same_report(evaluated):
    run, _ = evaluated()
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first


@pytest.mark.parametrize(
    ("training", "sentence"),
    [
        ({"stopped": "interrupted", "epochs_planned": 40}, "Training was interrupted after 12 of 40 epochs."),
        ({"stopped": "non-finite loss"}, "the loss was no longer a finite number"),
        ({"best_epoch": 12}, "The best epoch is the last (12 of 12)"),
        ({"selection": "last"}, "The weights are those of the last epoch"),
    ],
)
def test_report_says_what_weakens_the_training(evaluated, training, sentence, undrawn):
    run, metrics = evaluated(**training)
    record = json.loads((run / "training.json").read_text())
    assert any(sentence in written for written in cautions(record, metrics, "test"))
    assert sentence in visible(write_report(run).read_text(encoding="utf-8"))


def test_shifted_class_shares_are_named(evaluated, undrawn):
    counts = {"train": (10, 90), "val": (10, 20), "test": (40, 60)}
    run, _ = evaluated(counts=counts, class_names=("benign", "malignant"))
    text = visible(write_report(run).read_text(encoding="utf-8"))
    assert "class benign makes up 10 % of the training images but 40 % of the test images" in text


def test_an_epoch_chosen_on_very_few_images_of_a_class_is_named(evaluated, undrawn):
    counts = {"train": (50, 50), "val": (30, 4), "test": (50, 50)}
    run, _ = evaluated(counts=counts, class_names=("benign", "malignant"))
    text = visible(write_report(run).read_text(encoding="utf-8"))
    assert "The epoch was chosen on very few validation images of class malignant (4)." in text


@pytest.mark.parametrize("command", ["imbclf train 'my config.yaml'", ["imbclf", "train", "my config.yaml"]])
def test_report_shows_the_command_as_it_can_be_typed(evaluated, undrawn, command):
    run, _ = evaluated()
    environment = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps(environment | {"command": command}))
    assert "imbclf train &#39;my config.yaml&#39;" in write_report(run).read_text(encoding="utf-8")


def test_report_without_a_bootstrap_shows_no_interval_and_says_so(make_run, tmp_path, undrawn):
    run = make_run(tmp_path / "run")
    metrics = evaluate_run(run, repeats=0)
    assert metrics["splits"]["test"]["scores"]["mcc"]["low"] is None
    text = visible(write_report(run).read_text(encoding="utf-8"))
    assert "the bootstrap was switched off" in text
    assert "without intervals nobody knows" in text
    assert not re.search(r"\[[−0-9]", text)


def test_a_finished_training_without_a_flaw_has_no_caution(evaluated, undrawn):
    run, _ = evaluated(counts={"train": (100, 100), "val": (50, 50), "test": (50, 50)}, class_names=("a", "b"))
    assert "Be careful" not in write_report(run).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("metrics.json", "imbclf report"),
        ("history.csv", "imbclf train"),
        ("training.json", "imbclf train"),
        ("predictions.csv", "imbclf evaluate"),
        ("config.yaml", "imbclf train"),
    ],
)
def test_a_missing_file_is_named_with_the_command_that_makes_it(evaluated, name, command, undrawn):
    run, _ = evaluated()
    (run / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing; `{command}"):
        write_report(run)
    assert not (run / "report.html").exists()


def test_scores_of_other_predictions_are_refused(evaluated, undrawn):
    run, _ = evaluated()
    with open(run / "predictions.csv", "a") as file:
        file.write("\n")
    with pytest.raises(InputError, match="computed from other predictions"):
        write_report(run)


def test_damaged_files_are_named(evaluated, undrawn):
    run, _ = evaluated()
    (run / "features.npz").write_bytes(b"PK damaged")
    with pytest.raises(InputError, match=r"features\.npz cannot be read"):
        write_report(run)
    (run / "training.json").write_text("{")
    with pytest.raises(InputError, match=r"training\.json should hold JSON"):
        write_report(run)


def test_run_without_features_says_how_to_get_the_map(evaluated, undrawn):
    run, _ = evaluated()
    (run / "features.npz").unlink()
    html = write_report(run).read_text(encoding="utf-8")
    assert "imbclf tsne" in html
    assert html.count("<img ") == 6


def test_run_without_test_images_is_reported_on_validation(evaluated, make_run, tmp_path, undrawn):
    run = make_run(tmp_path / "other")
    for name in ("predictions.csv", "floors.csv"):
        lines = (run / name).read_text().splitlines()
        kept = [line for line in lines if ",test," not in line]
        (run / name).write_text("\n".join(kept) + "\n")
    metrics = evaluate_run(run, repeats=20)
    assert metrics["floors"] == {}
    text = visible(write_report(run).read_text(encoding="utf-8"))
    assert "There is no test image" in text
    assert "No floors were computed" in text


def test_legends_hold_no_interval_where_there_is_none(evaluated):
    run, _ = evaluated(counts={"train": (30, 10), "val": (6, 4), "test": (20, 8)}, class_names=("a", "b"))
    per_class = evaluate_run(run, repeats=0)["splits"]["test"]["per_class"]
    test = read_predictions(run / "predictions.csv").select("test")
    for draw in (roc_curves, precision_recall_curves):
        legend = draw(test.y, test.probabilities, test.class_names, per_class).axes[0].get_legend()
        assert "interval" not in legend.get_title().get_text()
        assert not any("[" in text.get_text() for text in legend.get_texts())


def test_sentences_about_a_floor_follow_the_interval():
    def sentence(low, high):
        return against_floor("majority", {"value": (low + high) / 2, "low": low, "high": high})

    assert sentence(0.1, 0.3) == "It beats the majority class by 0.200 [0.100, 0.300]."
    assert sentence(-0.1, 0.3).startswith("It does NOT beat the majority class beyond chance")
    unknown = {"value": 0.2, "low": None, "high": None}
    assert against_floor("majority", unknown).startswith("It beats the majority class: the difference is 0.200, and")
    assert against_floor("majority", unknown | {"value": 0.0}).startswith("It does NOT beat the majority class: ")
    assert sentence(-0.3, -0.1) == "It does NOT beat the majority class: it is worse by 0.200 [0.100, 0.300]."
