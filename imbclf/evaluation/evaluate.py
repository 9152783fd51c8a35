"""From the predictions of a run to `metrics.json`."""

import hashlib

import numpy as np

from imbclf.errors import InputError
from imbclf.evaluation.intervals import paired_difference, scores_with_intervals, thin_classes
from imbclf.evaluation.predictions import read_floors, read_predictions
from imbclf.evaluation.resampling import resampled_scores
from imbclf.evaluation.run_files import require
from imbclf.files import write_json

LEVEL = 0.95


def evaluate_run(run_dir, repeats=1000, seed=0):
    """Score `predictions.csv` and `floors.csv` of a run folder and write `metrics.json` beside them.

    The same files, repeats and seed give the same numbers. Intervals are 95 % bootstrap percentiles, resampled by
    patient where the split names patients, else by image (`resample_counts`).

    Args:
        run_dir: folder of a run.
        repeats: number of bootstrap resamples; 0 for no intervals, every "low" and "high" is then null.
        seed: of the resamples.

    Returns:
        What is in the file:
        {"class_names": [...],
         "splits": {"val", "test": {"n", "patients", "counts", "unit", "notes", "confusion",
                                    "scores": {name: {"value", "low", "high"}},
                                    "per_class": {class: {name: {"value", "low", "high"}, "support"}}}},
         "floors": {"majority", "pca_logistic": as a split},
         "versus_floor": {floor: {name: {"value", "low", "high"}}}: the model minus the floor, paired on the resamples,
         "bootstrap": {"repeats", "unit", "level", "seed"},
         "predictions_sha256", "floors_sha256": the files these numbers belong to}.
        An undefined score is null. A split without an image is left out. `floors` and `versus_floor` are empty where
        `floors.csv` has no row or no image is a test image.

    Raises:
        InputError: a file is missing or wrong, no validation or test image, floors of other images than the test split.
    """
    predictions_path, floors_path = require(run_dir, "predictions.csv"), require(run_dir, "floors.csv")
    predictions, floors = read_predictions(predictions_path), read_floors(floors_path)
    splits = {split: predictions.select(split) for split in ("val", "test") if np.any(predictions.split == split)}
    if not splits:
        raise InputError(f"{predictions_path} holds no row of the splits val and test, so there is nothing to score.")
    result = {"class_names": list(predictions.class_names), "splits": {}, "floors": {}, "versus_floor": {}}
    for split, rows in splits.items():
        aligned = (
            {name: _align(floors_path, name, floor, rows) for name, floor in floors.items()} if split == "test" else {}
        )
        compared = [rows.probabilities, *aligned.values()]
        resampled = resampled_scores(rows.y, compared, repeats, seed, rows.patients)
        result["splits"][split] = _judge(rows, rows.probabilities, resampled[0])
        for (name, probabilities), of_floor in zip(aligned.items(), resampled[1:]):
            result["floors"][name] = _judge(rows, probabilities, of_floor)
            result["versus_floor"][name] = paired_difference(
                rows.y, rows.probabilities, probabilities, level=LEVEL, resampled=(resampled[0], of_floor)
            )
    unit = result["splits"]["test" if "test" in splits else "val"]["unit"]
    result["bootstrap"] = {"repeats": repeats, "unit": unit, "level": LEVEL, "seed": seed}
    for key, path in (("predictions_sha256", predictions_path), ("floors_sha256", floors_path)):
        result[key] = file_hash(path)
    write_json(predictions_path.parent / "metrics.json", result)
    return result


def file_hash(path):
    """SHA-256 of a file, by which a report knows that the scores belong to the predictions beside them."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _judge(rows, probabilities, resampled):
    intervals = len(resampled["accuracy"]) > 0
    judged = scores_with_intervals(rows.y, probabilities, rows.class_names, level=LEVEL, resampled=resampled)
    patients = rows.patients
    return {
        "n": len(rows),
        "patients": None if patients is None else len(np.unique(patients[patients != ""])),
        "counts": np.bincount(rows.y, minlength=len(rows.class_names)).tolist(),
        "unit": "image" if patients is None else "patient",
        **judged,
        "notes": thin_classes(rows.y, rows.class_names, patients) if intervals else [],
    }


def _align(path, name, floor, rows):
    """The probabilities of a floor in the order of the model's rows."""
    if floor.class_names != rows.class_names or set(floor.ids) != set(rows.ids) or len(floor) != len(rows):
        raise InputError(
            f"{path}, floor {name}: expected the {len(rows)} test images and the classes of predictions.csv, "
            f"got {len(floor)} rows with classes {', '.join(floor.class_names)}; they are not of one run, train again."
        )
    order = np.argsort(floor.ids)[np.argsort(np.argsort(rows.ids))]
    if np.any(floor.y[order] != rows.y):
        image = rows.ids[np.argmax(floor.y[order] != rows.y)]
        raise InputError(f"{path}, floor {name}: image {image} has another class than in predictions.csv; train again.")
    return floor.probabilities[order]
