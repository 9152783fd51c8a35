"""The report of one run: `report.html`, a single file that needs no network and no script."""

import base64
import math
import shlex
from pathlib import Path

import jinja2
import numpy as np

from imbclf.drawing import render
from imbclf.errors import InputError
from imbclf.evaluation.bands import curve_bands
from imbclf.evaluation.curves import precision_recall_curves, reliability_diagram, roc_curves
from imbclf.evaluation.evaluate import file_hash
from imbclf.evaluation.feature_map import class_f1, feature_map, read_features
from imbclf.evaluation.figures import class_counts, confusion_matrices, learning_curves
from imbclf.evaluation.predictions import read_predictions
from imbclf.evaluation.run_files import require
from imbclf.evaluation.scores import CLASS_SCORES
from imbclf.evaluation.wording import (
    FLOOR_NAMES,
    IMAGES,
    SCORE_NAMES,
    SCORE_NOTES,
    against_floor,
    cautions,
    headline,
    number,
    sampling_words,
    verdict,
)
from imbclf.files import read_json, read_table, write_bytes, write_text

TRAINING_KEYS = (
    *("name", "source", "class_names", "image_shape", "counts", "model", "parameters", "seed"),
    *("loss", "sampling", "class_weight", "batch_size", "drawn_per_epoch", "sample_weights"),
    *("epochs_planned", "epochs_run", "best_epoch", "selection", "steps_per_epoch", "seconds", "stopped"),
)

# Bands of more classes cover each other.
MOST_BANDS = 6
READ = ("training.json", "predictions.csv", "history.csv", "environment.json", "config.yaml", "metrics.json")


def write_report(run_dir):
    """Write `report.html` and `figures/*.png` of a run folder.

    Reads `predictions.csv`, `metrics.json`, `history.csv`, `training.json`, `environment.json` and `config.yaml`, and
    the map of the features where `features.npz` has one.

    Args:
        run_dir: folder of a run that was evaluated.

    Returns:
        Path of the report.

    Raises:
        InputError: a file is missing (the message names the command that makes it) or damaged, or `metrics.json`
            belongs to other predictions.
    """
    paths = {name: require(run_dir, name) for name in READ}
    training, environment, metrics = (
        read_json(paths[f"{name}.json"]) for name in ("training", "environment", "metrics")
    )
    missing = [key for key in TRAINING_KEYS if key not in training]
    if missing:
        raise InputError(f"{paths['training.json']} lacks the key {', '.join(missing)}; train again.")
    if metrics.get("predictions_sha256") != file_hash(paths["predictions.csv"]):
        raise InputError(
            f"{paths['metrics.json']} was computed from other predictions than {paths['predictions.csv']}; "
            f"run `imbclf report {run_dir}` again."
        )
    split = "test" if "test" in metrics["splits"] else "val"
    figures = _figures(
        Path(run_dir), training, metrics, read_predictions(paths["predictions.csv"]).select(split), split
    )
    judged = metrics["splits"][split]
    content = {
        "training": training,
        "environment": environment,
        "command": _command(environment.get("command", "")),
        "config": paths["config.yaml"].read_text(encoding="utf-8"),
        "metrics": metrics,
        "split_name": IMAGES[split],
        "judged": judged,
        "headline": headline(training, judged, split),
        "verdicts": [
            (verdict(of_floor["balanced_accuracy"]), against_floor(name, of_floor["balanced_accuracy"]))
            for name, of_floor in metrics["versus_floor"].items()
        ],
        "cautions": cautions(training, metrics, split),
        "score_rows": _score_rows(metrics, split),
        "floor_names": [FLOOR_NAMES.get(name, name) for name in metrics["floors"]],
        "class_rows": [
            (name, of_class["support"], [of_class[score] for score in CLASS_SCORES])
            for name, of_class in judged["per_class"].items()
        ],
        "figures": figures,
        "sampling": sampling_words(training),
        "band_note": " Shaded: 95 % of the resampled curves, point by point." if _has_bands(metrics) else "",
        "run_dir": str(run_dir),
        "number": number,
    }
    # The figures are the only part that is not escaped, and they enter as base64.
    loader = jinja2.PackageLoader("imbclf.evaluation", ".")
    template = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return write_text(Path(run_dir) / "report.html", template.get_template("report.html.jinja").render(content))


def read_history(path):
    """`history.csv` as {column: float values}, NaN where a cell is empty or not a number."""
    header, rows = read_table(path)
    if "epoch" not in header or not rows:
        raise InputError(f"{path} should have a column epoch and at least one row, got columns {', '.join(header)}.")
    return {name: np.array([_float(row[i]) for row in rows]) for i, name in enumerate(header)}


def _float(cell):
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _command(words):
    """A command line as one would type it, from a list of words or from a line."""
    return words if isinstance(words, str) else shlex.join(words)


def _has_bands(metrics):
    return metrics["bootstrap"]["repeats"] > 0 and len(metrics["class_names"]) <= MOST_BANDS


def _score_rows(metrics, split):
    """For each score: name, note, model, the floors, the model minus each floor (text, verdict), validation."""
    judged, validation = metrics["splits"][split], metrics["splits"].get("val")
    rows = []
    for name, title in SCORE_NAMES.items():
        differences = [of_floor.get(name) for of_floor in metrics["versus_floor"].values()]
        rows.append(
            {
                "name": title,
                "note": SCORE_NOTES[name],
                "model": judged["scores"][name],
                "floors": [floor["scores"][name] for floor in metrics["floors"].values()],
                "differences": [(d, verdict(d) if d else "") for d in differences],
                "validation": validation["scores"][name] if validation else None,
            }
        )
    return rows


def _figures(run_dir, training, metrics, rows, split):
    """Write each figure to `figures/` and return {name: data URI}."""
    judged, names = metrics["splits"][split], metrics["class_names"]
    bands = curve_bands(rows.y, rows.probabilities, rows.patients) if _has_bands(metrics) else {}
    drawn = {
        "confusion": confusion_matrices(names, judged["confusion"]),
        "roc": roc_curves(rows.y, rows.probabilities, names, judged["per_class"], bands.get("roc")),
        "precision_recall": precision_recall_curves(
            rows.y, rows.probabilities, names, judged["per_class"], bands.get("precision_recall")
        ),
        "class_counts": class_counts(
            names, training["counts"], training["drawn_per_epoch"], training["sample_weights"]
        ),
        "learning_curves": learning_curves(read_history(run_dir / "history.csv"), training["best_epoch"]),
        "reliability": reliability_diagram(rows.y, rows.probabilities),
    }
    if (run_dir / "features.npz").is_file():
        arrays = read_features(run_dir)
        if "tsne" in arrays:
            drawn["tsne"] = feature_map(arrays["tsne"], arrays["split"], arrays["y"], names, class_f1(metrics))
    addresses = {}
    for name, figure in drawn.items():
        picture = render(figure, "png")
        write_bytes(run_dir / "figures" / f"{name}.png", picture)
        # Thousands of points are lighter as pixels; lines and text are lighter, and sharper, as SVG.
        kind, picture = ("png", picture) if name == "tsne" else ("svg+xml", render(figure, "svg"))
        addresses[name] = f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
    return addresses
