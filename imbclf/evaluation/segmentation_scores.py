"""From the scores of single cases to `metrics.json` of a segmentation run."""

from pathlib import Path

import numpy as np

from imbclf.errors import InputError
from imbclf.evaluation.case_scores import CASE_SCORES, read_cases
from imbclf.evaluation.evaluate import LEVEL, file_hash
from imbclf.evaluation.intervals import interval
from imbclf.evaluation.resampling import resample_counts
from imbclf.evaluation.run_files import require
from imbclf.files import write_json


def evaluate_segmentation(run_dir, repeats=1000, seed=0):
    """Sum up `cases.csv` of a run folder and write `metrics.json` beside it.

    The same file, repeats and seed give the same numbers. Intervals are 95 % bootstrap percentiles over the cases,
    drawn with replacement: a case is a unit, its voxels are not.

    Args:
        run_dir: folder of a segmentation run.
        repeats: number of bootstrap resamples; 0 for no intervals, every "low" and "high" is then null.
        seed: of the resamples.

    Returns:
        What is in the file:
        {"task": "segmentation", "class_names": foreground classes, "tolerance", "unit": "mm" or "voxel", null where
         the cases differ,
         "splits": {"val", "test": {"n": cases,
                                    "per_class": {class: {score: {"value": mean, "low", "high", "sd", "median", "n"},
                                                  "cases", "missed", "invented"}},
                                    "mean": {score: {"value", "low", "high", "sd", "median", "n"}}}},
         "bootstrap": {"repeats", "unit": "case", "level", "seed"}, "cases_sha256": the file these numbers belong to}.
        Scores are those of `score_case`; "n" is the number of cases behind a mean. A case that has a class neither in
        truth nor in prediction has no score of it. An infinite distance is left out of the distances, and counted:
        "missed" of the "cases" that have the class, and "invented". An entry of "mean" is the mean over the classes of
        the same entry, so that a rare class counts as much as a common one. An undefined value is null. A split without
        a case is left out.

    Raises:
        InputError: `cases.csv` is missing or wrong, or holds no validation or test case.
    """
    path = require(run_dir, "cases.csv")
    rows = read_cases(path)
    splits = [split for split in ("val", "test") if any(row["split"] == split for row in rows)]
    if not splits:
        raise InputError(f"{path} holds no case of the splits val and test, so there is nothing to score.")
    class_names = list(dict.fromkeys(row["class"] for row in rows))
    result = {
        "task": "segmentation",
        "class_names": class_names,
        **{name: _common([row[name] for row in rows]) for name in ("tolerance", "unit")},
        "splits": {split: _judge(table(rows, split, class_names), class_names, repeats, seed) for split in splits},
        "bootstrap": {"repeats": repeats, "unit": "case", "level": LEVEL, "seed": seed},
        "cases_sha256": file_hash(path),
    }
    write_json(Path(run_dir) / "metrics.json", result)
    return result


def table(rows, split, class_names):
    """The rows of one split as arrays: {"id": `(n,)`, every number of a row: `(n, classes)`}."""
    rows = [row for row in rows if row["split"] == split]
    ids = list(dict.fromkeys(row["id"] for row in rows))
    place = {name: i for i, name in enumerate(ids)}
    column = {name: k for k, name in enumerate(class_names)}
    columns = {name: np.full((len(ids), len(class_names)), np.nan) for name in ("true_voxels", "predicted_voxels")}
    columns |= {name: np.full((len(ids), len(class_names)), np.nan) for name in CASE_SCORES}
    for row in rows:
        for name, values in columns.items():
            values[place[row["id"]], column[row["class"]]] = row[name]
    return {"id": np.array(ids), **columns}


def _judge(cases, class_names, repeats, seed):
    # Of one class all: nothing to stratify by, as a case has several classes.
    counts = np.concatenate(list(resample_counts(np.zeros(len(cases["id"]), int), repeats, seed)), axis=1).T
    present, predicted = cases["true_voxels"] > 0, cases["predicted_voxels"] > 0
    per_class = {
        name: {
            "cases": int(present[:, k].sum()),
            "missed": int((present & ~predicted)[:, k].sum()),
            "invented": int((predicted & ~present)[:, k].sum()),
        }
        for k, name in enumerate(class_names)
    }
    mean = {}
    for score in CASE_SCORES:
        values = np.where(np.isfinite(cases[score]), cases[score], np.nan)
        known = np.isfinite(values)
        resampled = _quotient(counts @ np.where(known, values, 0), counts @ known)
        value = _quotient(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))
        spread = [_spread(values[known[:, k], k]) for k in range(len(class_names))]
        for k, name in enumerate(class_names):
            per_class[name][score] = {**interval(value[k], resampled[:, k], LEVEL), **spread[k]}
        mean[score] = {
            **interval(_mean(value), [_mean(row) for row in resampled], LEVEL),
            "sd": _known_mean([entry["sd"] for entry in spread]),
            "median": _known_mean([entry["median"] for entry in spread]),
            "n": int(known.any(axis=1).sum()),
        }
    return {"n": len(cases["id"]), "per_class": per_class, "mean": mean}


def _spread(values):
    return {
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "median": float(np.median(values)) if len(values) else None,
        "n": len(values),
    }


def _quotient(total, number):
    return np.divide(total, number, out=np.full(np.shape(total), np.nan), where=number > 0)


def _mean(values):
    """Mean of the values that are known; NaN where none is."""
    known = values[np.isfinite(values)]
    return known.mean() if len(known) else np.nan


def _known_mean(values):
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _common(values):
    return values[0] if len(set(values)) == 1 else None
