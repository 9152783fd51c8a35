"""The features of a run on disk (`features.npz`), their map and its figure."""

import io
from pathlib import Path

import numpy as np

from imbclf.drawing import class_style, new_figure, render, short_names, styled, wrapped
from imbclf.errors import InputError
from imbclf.evaluation.embedding import tsne
from imbclf.evaluation.run_files import require
from imbclf.files import read_arrays, read_json, write_bytes

ARRAYS = ("features", "id", "split", "y")


def write_features(run_dir, features, ids, split, y, **more):
    """Write `features.npz`: `features` (n, d) float32, `id`, `split`, `y`, and `tsne` (n, 2) once mapped."""
    buffer = io.BytesIO()
    arrays = {
        "features": np.asarray(features, dtype=np.float32),
        "id": np.asarray(ids, dtype=str),
        "split": np.asarray(split, dtype=str),
        "y": np.asarray(y, dtype=np.int64),
        **more,
    }
    np.savez_compressed(buffer, **arrays)
    return write_bytes(Path(run_dir) / "features.npz", buffer.getvalue())


def read_features(run_dir):
    """The arrays of `features.npz` by name.

    Raises:
        InputError: the file is missing, damaged, or arrays are missing or of different lengths.
    """
    path = require(run_dir, "features.npz")
    try:
        arrays = read_arrays(path)
    except InputError as error:
        raise InputError(f"{path} cannot be read; `imbclf evaluate {run_dir}` writes it again.") from error
    missing = [name for name in ARRAYS if name not in arrays]
    lengths = {name: len(array) for name, array in arrays.items()}
    if missing or len(set(lengths.values())) > 1:
        raise InputError(f"{path}: expected arrays {', '.join(ARRAYS)} of one length, got {lengths}; write it again.")
    return arrays


def draw_feature_map(run_dir, perplexity=30, seed=0, points=2000):
    """Map the features of a run again: `tsne` in its `features.npz`, and `figures/tsne.png`.

    Args:
        run_dir: folder of a run that has `features.npz` and `metrics.json`.
        perplexity, seed, points: as in `map_features`.

    Returns:
        Path of the figure.

    Raises:
        InputError: a file is missing or damaged, or the features cannot be mapped (`tsne`).
    """
    arrays = read_features(run_dir)
    metrics = read_json(require(run_dir, "metrics.json"))
    chart = map_features(arrays["features"], arrays["split"], arrays["y"], points, perplexity, seed)
    write_features(run_dir, arrays["features"], arrays["id"], arrays["split"], arrays["y"], tsne=chart)
    figure = feature_map(chart, arrays["split"], arrays["y"], metrics["class_names"], class_f1(metrics))
    return write_bytes(Path(run_dir) / "figures" / "tsne.png", render(figure, "png"))


def map_features(features, split, y, points=2000, perplexity=30, seed=0):
    """Positions `(n, 2)` of training and test images by `tsne`; NaN for validation and for images that are left out.

    Args:
        features: `(n, d)`, finite where mapped.
        split: "train", "val" or "test" `(n,)`.
        y: classes `(n,)`.
        points: most images mapped (`choose_points`).
        perplexity, seed: as in `tsne`.
    """
    chosen = choose_points(split, y, points, seed)
    chart = np.full((len(y), 2), np.nan, dtype=np.float32)
    chart[chosen] = tsne(np.asarray(features)[chosen], perplexity, seed)
    return chart


def choose_points(split, y, points, seed=0):
    """Indices of at most `points` training and test images; rare classes are kept whole before common ones are thinned.

    Example:

    >>> split, y = np.repeat(["train", "val", "test"], 100), np.tile([0, 0, 0, 1], 75)
    >>> chosen = choose_points(split, y, points=140)
    >>> np.bincount(y[chosen]).tolist(), np.unique(split[chosen]).tolist()
    ([90, 50], ['test', 'train'])
    """
    split, y = np.asarray(split), np.asarray(y)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(np.isin(split, ("train", "test"))))
    # The first image of every class of either split, then every second one, until there are enough.
    turn = np.empty(len(order), dtype=np.int64)
    for name in ("train", "test"):
        for k in np.unique(y):
            members = np.flatnonzero((split[order] == name) & (y[order] == k))
            turn[members] = np.arange(len(members))
    return np.sort(order[np.argsort(turn, kind="stable")[:points]])


def class_f1(metrics):
    """F1 of each class on the test split, or on validation where there is no test image; None where undefined."""
    splits = metrics["splits"]
    judged = splits.get("test", splits.get("val"))
    return [judged["per_class"][name]["f1"]["value"] for name in metrics["class_names"]]


@styled
def feature_map(chart, split, y, class_names, f1):
    """Points of the training set (small, pale) and of the test set (large, outlined), coloured by class.

    Args:
        chart: positions `(n, 2)`; NaN is not drawn.
        split: "train", "val" or "test" `(n,)`.
        y: true classes `(n,)`.
        class_names: K names.
        f1: F1 of each class on the test split, shown in the title; None where undefined.

    Returns:
        A matplotlib figure.
    """
    figure, (axis,) = new_figure(8.6, 6.2)
    drawn = np.isfinite(chart).all(axis=1)
    looks = {
        "train": {"s": 11, "alpha": 0.45, "linewidths": 0},
        "test": {"s": 34, "alpha": 0.95, "linewidths": 0.7, "edgecolors": "black"},
    }
    for name, look in looks.items():
        for k in range(len(class_names)):
            points = drawn & (split == name) & (y == k)
            style = class_style(k)
            axis.scatter(*chart[points].T, color=style["color"], marker=style["marker"], rasterized=True, **look)
    for k, name in enumerate(short_names(class_names)):
        style = class_style(k)
        axis.scatter([], [], color=style["color"], marker=style["marker"], s=34, label=name)
    axis.scatter([], [], color="#999999", **looks["train"], label="small: training")
    axis.scatter([], [], color="#999999", **looks["test"], label="outlined: test")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
    written = ["–" if value is None else f"{value:.2f}" for value in f1]
    each = ", ".join(f"{name}:\u00a0{value}" for name, value in zip(short_names(class_names, 16), written))
    axis.set_title(wrapped(f"F1 by class: {each}", 78), fontsize=10.5)
    shown, mapped = np.count_nonzero(drawn), np.count_nonzero(np.isin(split, list(looks)))
    images = f"{shown:,}" if shown == mapped else f"{shown:,} of {mapped:,}"
    axis.set(xticks=[], yticks=[], xlabel=f"t-SNE of the features of {images} images (axes have no unit)")
    axis.spines[:].set_visible(False)
    return figure
