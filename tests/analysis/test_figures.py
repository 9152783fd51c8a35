import io

import numpy as np
import pytest
from PIL import Image

import imbclf
from imbclf.analysis import (
    gradient_mass,
    gradient_shares,
    marginal_penalties,
    plot_constant_confidence_bias,
    plot_gradient_mass,
    plot_marginal_penalties,
    plot_soft_and_hard_errors,
    soft_and_hard_errors,
)
from imbclf.drawing import render
from imbclf.errors import InputError


def draw(num_classes):
    random = np.random.default_rng(0)
    return random.integers(0, num_classes, 300), random.dirichlet(np.ones(num_classes), 300)


def errors_of(num_classes):
    return soft_and_hard_errors(*draw(num_classes))


def every_figure(num_classes):
    return {
        "errors": plot_soft_and_hard_errors(errors_of(num_classes)),
        "bias": plot_constant_confidence_bias(foreground_shares={"a task": 0.01}),
        "gradient": plot_gradient_mass([imbclf.CrossEntropy(), imbclf.SoftF1()], *draw(num_classes)),
        "penalties": plot_marginal_penalties(),
    }


@pytest.mark.parametrize("num_classes", [2, 6])
def test_every_figure_renders(num_classes):
    for name, figure in every_figure(num_classes).items():
        with Image.open(io.BytesIO(render(figure, "png"))) as image:
            assert np.asarray(image.convert("RGB")).std() > 5, name
        assert render(figure, "svg").lstrip().startswith(b"<?xml"), name


def test_stacked_bars_end_at_the_soft_errors_and_lines_stand_at_the_hard_counts():
    errors = errors_of(3)
    axis = plot_soft_and_hard_errors(errors, ["a", "b", "c"]).axes[0]
    bars = [[bar.get_x() + bar.get_width() for bar in container] for container in axis.containers]
    main_fp, soft_fp, main_fn, soft_fn = bars
    np.testing.assert_allclose(main_fp, errors.main_false_positives)
    np.testing.assert_allclose(soft_fp, errors.soft_false_positives)
    np.testing.assert_allclose(main_fn, errors.main_false_negatives)
    np.testing.assert_allclose(soft_fn, errors.soft_false_negatives)
    hard = [[segment[0][0] for segment in lines.get_segments()] for lines in axis.collections]
    np.testing.assert_array_equal(hard, [errors.hard_false_positives, errors.hard_false_negatives])
    ticks = [text.get_text() for text in axis.get_yticklabels()]
    assert ticks[:2] == ["a: false positives", "a: false negatives"]


def test_lines_of_constant_confidence_are_the_bias_over_the_foreground():
    axis = plot_constant_confidence_bias((0.7, 0.9), {"polyp": 0.1}).axes[0]
    for confidence, line in zip((0.7, 0.9), axis.lines):
        ratio = line.get_xdata()
        np.testing.assert_allclose(line.get_ydata(), (1 - confidence) * (ratio - 1), rtol=1e-9)
    assert any(set(line.get_xdata()) == {9.0} for line in axis.lines)


def test_dots_mark_the_least_penalty_of_each_panel():
    figure = plot_marginal_penalties((0.1, 0.5))
    for axis, y in zip(figure.axes, (0.1, 0.5)):
        dots = {(line.get_color(), line.get_xdata()[0]) for line in axis.lines if len(line.get_xdata()) == 1}
        lines = {line.get_label(): line for line in axis.lines}
        for label, places in {"MarginalL1": {y}, "MarginalKL": {y}, "foreground alone": {0.0}}.items():
            (line,) = (line for name, line in lines.items() if name.endswith(label))
            assert {x for color, x in dots if color == line.get_color()} == places
        l1 = lines["MarginalL1"]
        np.testing.assert_allclose(l1.get_ydata(), marginal_penalties(l1.get_xdata(), y)["marginal_l1"])


def test_bars_of_gradient_mass_are_shares_of_the_voxels_and_of_each_gradient():
    y, p = draw(3)
    losses = {"a": imbclf.CrossEntropy(), "b": imbclf.Focal()}
    axis = plot_gradient_mass(losses, y, p).axes[0]
    widths = [[bar.get_width() for bar in container] for container in axis.containers]
    expected = [np.bincount(y) / len(y), *(gradient_shares(gradient_mass(loss, y, p)) for loss in losses.values())]
    np.testing.assert_allclose(widths, 100 * np.array(expected))
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert [label.split(",")[0] for label in labels] == ["share of the voxels", "a", "b"]


def test_figures_refuse_names_and_shares_that_fit_no_class():
    with pytest.raises(InputError, match="Expected 3 class names"):
        plot_soft_and_hard_errors(errors_of(3), ["a", "b"])
    with pytest.raises(InputError, match="share of liver"):
        plot_constant_confidence_bias(foreground_shares={"liver": 0.7})
    with pytest.raises(InputError, match="true_proportions"):
        plot_marginal_penalties((0.1, 1.0))
    with pytest.raises(InputError, match="Two losses are named focal"):
        plot_gradient_mass([imbclf.Focal(), imbclf.Focal(gamma=1)], *draw(2))
    with pytest.raises(InputError, match="at least one loss"):
        plot_gradient_mass([], *draw(2))
