"""The report of one segmentation run: `report.html`, a single file that needs no network and no script."""

import math
from pathlib import Path

from imbclf.errors import InputError
from imbclf.evaluation.case_figures import dice_of_cases
from imbclf.evaluation.case_scores import CASE_SCORES, DISTANCES, mean_dice, read_cases
from imbclf.evaluation.figures import learning_curves
from imbclf.evaluation.page import data_uri, read_history, read_run, save_figures, write_page
from imbclf.evaluation.segmentation_scores import table
from imbclf.evaluation.segmentation_wording import SCORE_NAMES, cautions, headline, percent, unit_words
from imbclf.evaluation.wording import IMAGES, number, with_interval

TRAINING_KEYS = (
    *("name", "source", "class_names", "image_channels", "patch_size", "counts", "voxel_shares", "model"),
    *("parameters", "seed", "loss", "batch_size", "foreground_share", "epochs_planned", "epochs_run", "best_epoch"),
    *("selection", "steps_per_epoch", "seconds", "stopped"),
)
WORST_CASES = 8


def write_segmentation_report(run_dir):
    """Write `report.html` and `figures/*.png` of the run folder of a segmentation.

    Reads `cases.csv`, `metrics.json`, `history.csv`, `training.json`, `environment.json` and `config.yaml`, and shows
    `figures/montage.png` where it is there.

    Args:
        run_dir: folder of a run that was evaluated.

    Returns:
        Path of the report.

    Raises:
        InputError: a file is missing (the message names the command that makes it) or damaged, `metrics.json` belongs
            to other cases, or the classes are not those of the training.
    """
    run_dir = Path(run_dir)
    run = read_run(run_dir, "cases.csv", TRAINING_KEYS)
    training, metrics = run["training"], run["metrics"]
    if metrics["class_names"] != training["class_names"][1:]:
        raise InputError(
            f"{run_dir / 'cases.csv'} should hold the classes {', '.join(training['class_names'][1:])} of "
            f"training.json, background left out, got {', '.join(metrics['class_names'])}."
        )
    split = "test" if "test" in metrics["splits"] else "val"
    judged, validation = metrics["splits"][split], metrics["splits"].get("val")
    rows = [row for row in read_cases(run_dir / "cases.csv") if row["split"] == split]
    drawn = {
        "dice_of_cases": dice_of_cases(metrics["class_names"], table(rows, split, metrics["class_names"])["dice"]),
        "learning_curves": learning_curves(read_history(run_dir), training["best_epoch"], "dice_score"),
    }
    figures = save_figures(run_dir, drawn)
    picture = run_dir / "figures" / "montage.png"
    if picture.is_file():
        figures["montage"] = data_uri(picture.read_bytes())
    content = {
        **run,
        "split_name": IMAGES[split],
        "judged": judged,
        "headline": headline(training, judged, split),
        "verdicts": [],
        "cautions": cautions(training, metrics, split),
        "score_names": SCORE_NAMES,
        "score_rows": _score_rows(judged),
        "validation": with_interval(validation["mean"]["dice"]) if validation and split == "test" else None,
        "distance_unit": unit_words(metrics["unit"]),
        "worst_cases": _worst_cases(rows),
        "share_rows": _share_rows(training, judged),
        "figures": figures,
        "number": number,
    }
    return write_page(run_dir, "segmentation_report.html.jinja", content)


def _score_rows(judged):
    """For the mean over classes and each class: name, counts or None, and (entry, digits) for each score."""
    rows = [("Mean over classes", None, judged["mean"])] if len(judged["per_class"]) > 1 else []
    rows += [(name, of_class, of_class) for name, of_class in judged["per_class"].items()]
    digits = {score: 2 if score in DISTANCES else 3 for score in CASE_SCORES}
    return [(name, counts, [(entries[score], digits[score]) for score in digits]) for name, counts, entries in rows]


def _worst_cases(rows):
    """The cases of lowest mean Dice: (id, mean, [(Dice, what went wrong) for each class])."""
    by_case = {}
    for row in rows:
        by_case.setdefault(row["id"], []).append(row)
    scored = [(mean_dice(of_case), name, of_case) for name, of_case in by_case.items()]
    scored = sorted((case for case in scored if not math.isnan(case[0])), key=lambda case: case[:2])
    return [(name, mean, [_shown(row) for row in of_case]) for mean, name, of_case in scored[:WORST_CASES]]


def _shown(row):
    if math.isnan(row["dice"]):
        return None, ""
    failure = "" if row["predicted_voxels"] else "missed"
    return row["dice"], failure if row["true_voxels"] else "invented"


def _share_rows(training, judged):
    """For each class with the background: name, share of the training voxels, one voxel in how many, cases with it."""
    rows = []
    for name, share in zip(training["class_names"], training["voxel_shares"]):
        of_class = judged["per_class"].get(name)
        one_in = f"{round(1 / share):,}" if share > 0 else "–"
        rows.append((name, percent(share), one_in, of_class["cases"] if of_class else judged["n"]))
    return rows
