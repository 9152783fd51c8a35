import io

import numpy as np
import pytest
from PIL import Image

from imbclf.drawing import class_style, render
from imbclf.evaluation.bands import GRID, curve_bands
from imbclf.evaluation.curves import precision_recall_curves, reliability_diagram, roc_curves
from imbclf.evaluation.feature_map import feature_map
from imbclf.evaluation.figures import class_counts, confusion_matrices, learning_curves
from imbclf.evaluation.intervals import scores_with_intervals
from imbclf.evaluation.scores import scores


def example(num_classes, n=240, seed=0):
    rng = np.random.default_rng(seed)
    y = np.sort(rng.integers(0, num_classes, n))
    y[:num_classes] = np.arange(num_classes)
    probabilities = rng.dirichlet(np.ones(num_classes), n) + 0.4 * np.eye(num_classes)[y]
    names = [f"a rather long name of class {k}" for k in range(num_classes)]
    return y, probabilities / probabilities.sum(axis=1, keepdims=True), names


def every_figure(num_classes):
    y, probabilities, names = example(num_classes)
    judged = scores_with_intervals(y, probabilities, names, repeats=10)
    counts = {split: np.bincount(y, minlength=num_classes).tolist() for split in ("train", "val", "test")}
    history = {"epoch": np.arange(1, 6), "loss": np.linspace(1, 0, 5), "val_loss": np.array([1, np.nan, 3, 2, 1])}
    chart = np.random.default_rng(0).normal(size=(len(y), 2))
    return {
        "learning": learning_curves(history, best_epoch=4),
        "counts": class_counts(names, counts, np.ones(num_classes), np.linspace(1, 2, num_classes)),
        "confusion": confusion_matrices(names, judged["confusion"]),
        "roc": roc_curves(y, probabilities, names, judged["per_class"]),
        "precision_recall": precision_recall_curves(y, probabilities, names, judged["per_class"]),
        "reliability": reliability_diagram(y, probabilities),
        "map": feature_map(chart, np.where(y % 2, "train", "test"), y, names, [None] + [0.5] * (num_classes - 1)),
    }


@pytest.mark.parametrize("num_classes", [2, 5, 12])
def test_every_figure_renders_small_as_svg_and_png(num_classes):
    for name, figure in every_figure(num_classes).items():
        svg, png = render(figure, "svg"), render(figure, "png")
        assert svg.lstrip().startswith(b"<?xml"), name
        assert len(svg) < 400_000, name
        with Image.open(io.BytesIO(png)) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert pixels.std() > 5, name
        assert len(png) < 400_000, name


def test_the_same_figure_gives_the_same_bytes():
    y, probabilities, _ = example(3)
    first, second = (render(reliability_diagram(y, probabilities), "svg") for _ in range(2))
    assert first == second


def test_confusion_figure_shows_the_counts_and_the_shares_of_each_row():
    figure = confusion_matrices(["a", "b", "never seen"], [[3, 1, 0], [5, 15, 0], [0, 0, 0]])
    counts, shares = ([text.get_text() for text in axis.texts] for axis in figure.axes)
    assert counts == ["3", "1", "0", "5", "15", "0", "0", "0", "0"]
    assert shares == ["0.75", "0.25", "0.00", "0.25", "0.75", "0.00", "", "", ""]


def test_curve_legends_hold_the_area_and_its_interval():
    y, probabilities, names = example(2)
    entry = {"value": 0.8125, "low": 0.75, "high": 0.8751}
    per_class = {name: {"auc": entry, "average_precision": entry} for name in names}
    for draw in (roc_curves, precision_recall_curves):
        labels = [text.get_text() for text in draw(y, probabilities, names, per_class).axes[0].get_legend().get_texts()]
        assert "0.81 [0.75, 0.88]" in labels[0]


def test_class_without_a_sample_has_no_curve_and_does_not_stop_the_others():
    y, probabilities, names = example(3)
    with pytest.warns(UserWarning, match="No sample of class"):
        judged = scores_with_intervals(np.where(y == 1, 0, y), probabilities, names, repeats=5)
    figure = roc_curves(np.where(y == 1, 0, y), probabilities, names, judged["per_class"])
    colors = [line.get_color() for line in figure.axes[0].lines]
    assert class_style(0)["color"] in colors
    assert class_style(1)["color"] not in colors


def test_each_class_looks_different_for_up_to_28_classes():
    looks = {(style["color"], style["linestyle"]) for style in map(class_style, range(28))}
    assert len(looks) == 28


def test_learning_curve_marks_the_epoch_that_was_kept():
    figure = learning_curves({"epoch": np.arange(1, 4), "loss": np.ones(3)}, best_epoch=2)
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [set(line.get_xdata()) for line in dashed] == [{2}]


def test_weights_add_a_bar_whose_total_is_that_of_the_images_drawn():
    counts = {"train": [90, 10], "val": [9, 1], "test": [9, 1]}
    plain = class_counts(["a", "b"], counts, [90, 10], [1, 1])
    weighed = class_counts(["a", "b"], counts, [90, 10], [1, 9])
    assert len(plain.axes[0].containers) == 2
    bars = weighed.axes[0].containers[2]
    np.testing.assert_allclose([bar.get_width() for bar in bars], [50, 50])


@pytest.mark.parametrize("digits", [2, 12])
def test_bands_hold_the_curve_and_widen_as_data_shrink(digits):
    widths = []
    for n in (100, 1600):
        y, probabilities, _ = example(2, n=n)
        probabilities = probabilities.round(digits)
        low, high = curve_bands(y, probabilities, repeats=100)["roc"][0]
        assert (low <= high).all()
        assert (np.diff(low) >= 0).all()
        positive, score = y == 0, probabilities[:, 0]
        threshold = np.quantile(score[~positive], 0.7)
        false_positives, true_positives = (score[~positive] > threshold).mean(), (score[positive] > threshold).mean()
        place = np.searchsorted(GRID, false_positives)
        assert low[place - 1] - 0.05 <= true_positives <= high[min(place, 100)] + 0.05
        widths.append((high - low).mean())
    assert widths[0] > 2 * widths[1]


def test_area_under_the_mean_of_the_band_is_near_the_auc():
    y, probabilities, _ = example(2, n=2000)
    low, high = curve_bands(y, probabilities, repeats=50)["roc"][1]
    auc = scores(y, probabilities)["per_class"]["1"]["auc"]
    assert np.trapezoid((low + high) / 2, GRID) == pytest.approx(auc, abs=0.01)


def test_precision_at_full_recall_is_at_least_the_share_of_the_class():
    y, probabilities, _ = example(3)
    bands = curve_bands(y, probabilities, repeats=30)["precision_recall"]
    shares = np.bincount(y) / len(y)
    assert (bands[:, 0, -1] >= shares - 1e-9).all()
