"""The report of one run: `report.html`, a single file that needs no network and no script."""

from pathlib import Path

from imbclf.evaluation.bands import curve_bands
from imbclf.evaluation.curves import precision_recall_curves, reliability_diagram, roc_curves
from imbclf.evaluation.feature_map import class_f1, feature_map, read_features
from imbclf.evaluation.figures import class_counts, confusion_matrices, learning_curves
from imbclf.evaluation.page import read_history, read_run, save_figures, write_page
from imbclf.evaluation.predictions import read_predictions
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

TRAINING_KEYS = (
    *("name", "source", "class_names", "image_shape", "counts", "model", "parameters", "seed"),
    *("loss", "sampling", "class_weight", "batch_size", "drawn_per_epoch", "sample_weights"),
    *("epochs_planned", "epochs_run", "best_epoch", "selection", "steps_per_epoch", "seconds", "stopped"),
)

# Bands of more classes cover each other.
MOST_BANDS = 6


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
    run_dir = Path(run_dir)
    run = read_run(run_dir, "predictions.csv", TRAINING_KEYS)
    training, metrics = run["training"], run["metrics"]
    split = "test" if "test" in metrics["splits"] else "val"
    rows = read_predictions(run_dir / "predictions.csv").select(split)
    judged = metrics["splits"][split]
    content = {
        **run,
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
        "figures": save_figures(run_dir, _figures(run_dir, training, metrics, rows, split), as_pixels=("tsne",)),
        "sampling": sampling_words(training),
        "band_note": " Shaded: 95 % of the resampled curves, point by point." if _has_bands(metrics) else "",
        "number": number,
    }
    return write_page(run_dir, "report.html.jinja", content)


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
    """Every figure by name."""
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
        "learning_curves": learning_curves(read_history(run_dir), training["best_epoch"]),
        "reliability": reliability_diagram(rows.y, rows.probabilities),
    }
    if (run_dir / "features.npz").is_file():
        arrays = read_features(run_dir)
        if "tsne" in arrays:
            drawn["tsne"] = feature_map(arrays["tsne"], arrays["split"], arrays["y"], names, class_f1(metrics))
    return drawn
