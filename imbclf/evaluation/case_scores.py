"""How well each case was segmented, class by class, and `cases.csv`, which holds it."""

import math

import numpy as np

from imbclf.errors import InputError
from imbclf.files import read_rows, write_table

OVERLAPS = ("dice", "iou")
DISTANCES = ("hausdorff95", "average_surface_distance")
CASE_SCORES = (*OVERLAPS, *DISTANCES, "normalized_surface_distance")
COLUMNS = ("id", "split", "class", "true_voxels", "predicted_voxels", *CASE_SCORES, "tolerance", "unit")
SPLITS = ("train", "val", "test")
UNITS = ("mm", "voxel")


def score_case(truth, prediction, class_names, spacing=None, tolerance=1.0, ignore_class=None):
    """Score the segmentation of one case, one row for each foreground class.

    Dice is `2 |T ∩ P| / (|T| + |P|)` and IoU `|T ∩ P| / |T ∪ P|` on the voxels of the class in this case; distances are
    those of `imbclf.metrics.surface_distances`. A class that is neither in the truth nor in the prediction has no score
    (NaN). One that was missed, or invented, has overlaps and a normalized surface distance of 0 and infinite distances.

    Args:
        truth: integer labels `(*space,)`, 2D or 3D: `0..K-1`, or `ignore_class`.
        prediction: integer labels `(*space,)`, `0..K-1`.
        class_names: K names, the background (class 0) first.
        spacing: size of a voxel along each axis in mm; distances are in voxels without it.
        tolerance: distance that is no error, for the normalized surface distance, in the same unit.
        ignore_class: label in `truth` that does not count: such voxels are background in truth and prediction, or None.

    Returns:
        K - 1 dictionaries {"class", "true_voxels", "predicted_voxels", "dice", "iou", "hausdorff95",
        "average_surface_distance", "normalized_surface_distance", "tolerance", "unit": "mm" or "voxel"}.

    Raises:
        InputError: shapes that differ, labels that are no class, or a spacing or tolerance that cannot be.

    Example:

    >>> truth = np.zeros((6, 6), int)
    >>> truth[1:4, 1:4] = 1
    >>> (row,) = score_case(truth, np.roll(truth, 1, axis=0), ["background", "lesion"], spacing=(0.5, 0.5))
    >>> row["true_voxels"], row["dice"], row["iou"], row["hausdorff95"], row["unit"]
    (9, 0.667, 0.5, 0.5, 'mm')
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise InputError(
            f"Expected truth and prediction of one shape, got truth {truth.shape} and prediction {prediction.shape}."
        )
    if ignore_class is not None:
        counted = truth != ignore_class
        truth, prediction = np.where(counted, truth, 0), np.where(counted, prediction, 0)
    for labels, what in ((truth, "truth"), (prediction, "prediction")):
        wrong = labels[~np.isin(labels, np.arange(len(class_names)))]
        if wrong.size:
            raise InputError(
                f"Expected labels 0..{len(class_names) - 1} in the {what}, got {wrong.ravel()[0].item()!r}: name the "
                "label that does not count as ignore_class, or check the class names."
            )
    return [
        {"class": name, **_score_class(truth == k, prediction == k, spacing, tolerance)}
        for k, name in enumerate(class_names)
        if k > 0
    ]


def _score_class(truth, prediction, spacing, tolerance):
    # The room of the metrics imports a backend, which a report can do without.
    from imbclf.metrics.surfaces import surface_distances

    true_voxels, predicted_voxels, hits = (
        int(np.count_nonzero(mask)) for mask in (truth, prediction, truth & prediction)
    )
    distances = surface_distances(truth, prediction, spacing)
    scores = {
        "dice": 2 * hits / max(true_voxels + predicted_voxels, 1),
        "iou": hits / max(true_voxels + predicted_voxels - hits, 1),
        "hausdorff95": distances.hausdorff95,
        "average_surface_distance": distances.average_surface_distance,
        "normalized_surface_distance": distances.normalized_surface_distance(tolerance),
    }
    if not true_voxels and not predicted_voxels:
        # A perfect score for nothing would hide how the class does where it occurs.
        scores = dict.fromkeys(scores, math.nan)
    unit = "voxel" if spacing is None else "mm"
    return {
        "true_voxels": true_voxels,
        "predicted_voxels": predicted_voxels,
        **scores,
        "tolerance": float(tolerance),
        "unit": unit,
    }


def mean_dice(rows):
    """Mean Dice over the rows of one case that have one; NaN where none has: nothing there and nothing predicted.

    Example:

    >>> mean_dice([{"dice": 0.5}, {"dice": math.nan}, {"dice": 1.0}])
    0.75
    """
    known = [row["dice"] for row in rows if not math.isnan(row["dice"])]
    return sum(known) / len(known) if known else math.nan


def write_cases(path, rows):
    """Write `cases.csv`, one line for each case and class.

    Args:
        path: the file to write.
        rows: rows of `score_case`, each with the case's "id" and "split" ("train", "val" or "test") added. An undefined
            score becomes an empty cell, an infinite distance "inf".
    """
    return write_table(path, COLUMNS, [[_cell(row[name]) for name in COLUMNS] for row in rows])


def read_cases(path):
    """The rows of `cases.csv` as `write_cases` took them.

    Raises:
        InputError: naming the file and the row (the header is row 1) that cannot be right: a missing column, a cell
            that is no number, an unknown split, or a case that has not each class once.
    """
    header, numbered = read_rows(path)
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InputError(
            f"{path}, row 1: expected the columns {','.join(COLUMNS)}, got {','.join(header) or 'an empty file'}; "
            f"{missing[0]} is missing."
        )
    rows = [_parse(path, number, dict(zip(header, cells))) for number, cells in numbered]
    if not rows:
        raise InputError(f"{path} holds no case: expected one row for each case and class.")
    classes = [row["class"] for row in rows if row["id"] == rows[0]["id"]]
    classes_of, split_of = {}, {}
    for (number, _), row in zip(numbered, rows):
        seen = classes_of.setdefault(row["id"], [])
        split = split_of.setdefault(row["id"], row["split"])
        if row["class"] in seen or row["class"] not in classes or row["split"] != split:
            raise InputError(
                f"{path}, row {number}: expected each class of case {row['id']} once and in one split, got class "
                f"{row['class']!r} in split {row['split']!r}; the classes are {', '.join(classes)}."
            )
        seen.append(row["class"])
    for name, seen in classes_of.items():
        absent = [each for each in classes if each not in seen]
        if absent:
            raise InputError(f"{path}: case {name} has no row of class {', '.join(absent)}; was the file cut off?")
    return rows


def _parse(path, number, cells):
    row = {name: cells[name] for name in ("id", "split", "class", "unit")}
    for name, allowed in (("split", SPLITS), ("unit", UNITS)):
        if row[name] not in allowed:
            raise InputError(
                f"{path}, row {number}: expected {' or '.join(allowed)} in column {name}, got {row[name]!r}."
            )
    for name in COLUMNS:
        if name in row:
            continue
        cell = cells[name]
        try:
            row[name] = int(cell) if name.endswith("_voxels") else float(cell or "nan")
        except ValueError:
            raise InputError(f"{path}, row {number}: expected a number in column {name}, got {cell!r}.") from None
    return {name: row[name] for name in COLUMNS}


def _cell(value):
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.9g}"
    return value
