"""Pictures of the worst, the median and the best case."""

import io
import math

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from PIL import Image

from imbclf.drawing import class_style, render
from imbclf.errors import InputError
from imbclf.evaluation import montage, montage_cases, score_case
from imbclf.evaluation.case_figures import dice_of_cases
from imbclf.evaluation.case_montage import draw_montage
from tests.evaluation.segmentation_runs import CLASS_NAMES, SPACING, make_case

SQUARE = (36, 24)


def cases(shifts, shape=(30, 26, 12), spacing=SPACING):
    made = []
    for shift in shifts:
        image, truth, prediction = make_case(shift, shape)
        made.append((f"off by {shift}", image, truth, prediction, spacing, score_case(truth, prediction, CLASS_NAMES)))
    return made


def outlines(axis):
    """(color, whether dashed) of every outline in a panel, as drawn."""
    return [
        (to_hex(outline.get_edgecolor()[0]).upper(), outline.get_linestyle()[0][1] is not None)
        for outline in axis.collections
    ]


def test_worst_median_and_best_are_those_of_the_mean_dice_over_classes():
    dice = {"a": (1, 0), "b": (0.6, math.nan), "c": (0.9, 0.9), "d": (0.1, 0.2), "e": (0.7, 0.8)}
    rows = [{"id": name, "dice": value} for name, pair in dice.items() for value in pair]
    assert montage_cases(rows) == {"worst": "d", "median": "b", "best": "c"}


@pytest.mark.parametrize(
    ("dice", "chosen"),
    [
        ({}, {}),
        ({"a": math.nan}, {}),
        ({"a": 0.5, "b": math.nan}, {"worst": "a"}),
        ({"a": 0.5, "b": 0.5}, {"worst": "a", "best": "b"}),
        ({"a": 0.9, "b": 0.1, "c": 0.5}, {"worst": "b", "median": "c", "best": "a"}),
    ],
)
def test_no_case_is_shown_twice(dice, chosen):
    assert montage_cases([{"id": name, "dice": value} for name, value in dice.items()]) == chosen


def test_the_picture_is_a_png_and_the_same_each_time(tmp_path):
    path = montage(tmp_path / "figures" / "montage.png", cases([0, 2, 5, 7]))
    first = path.read_bytes()
    with Image.open(io.BytesIO(first)) as image:
        assert image.format == "PNG"
        assert np.asarray(image.convert("RGB")).std() > 20
    assert montage(path, cases([0, 2, 5, 7])).read_bytes() == first
    assert len(first) < 1_000_000


def test_titles_hold_the_id_and_the_dice_of_each_class():
    made = cases([0, 2, 5, 7])
    figure = draw_montage(made)
    titles = [part.get_suptitle() for part in figure.subfigs]
    by_id = {case[0]: case[5] for case in made}
    for title, word, name in zip(titles, ("Worst", "Median", "Best"), ("off by 7", "off by 5", "off by 0")):
        assert title.startswith(f"{word} case, {name}.")
        for row in by_id[name]:
            assert f"{row['class']}\u00a0{row['dice']:.2f}" in title.replace("\n", " ")


def test_a_volume_is_cut_through_the_centre_of_the_true_foreground():
    (case,) = cases([2])
    _, _, truth, *_ = case
    centre = np.argwhere(truth > 0).mean(axis=0).round().astype(int)
    for axis, removed in zip(draw_montage([case]).subfigs[0].axes, (2, 1, 0), strict=True):
        assert axis.get_xlabel() == f"axis {removed}, slice {centre[removed]} of {truth.shape[removed]}"
        shown = axis.images[0].get_array()
        np.testing.assert_array_equal(shown, np.take(case[1], centre[removed], axis=removed).T)


def test_an_invented_structure_is_cut_through_where_it_was_predicted():
    image, truth, prediction = make_case(6)
    scores = score_case(np.zeros_like(truth), prediction, CLASS_NAMES)
    figure = draw_montage([("a", image, np.zeros_like(truth), prediction, None, scores)])
    centre = np.argwhere(prediction > 0).mean(axis=0).round().astype(int)
    assert figure.subfigs[0].axes[2].get_xlabel() == f"axis 0, slice {centre[0]} of 30"


@pytest.mark.parametrize(("shape", "spacing"), [((30, 26, 12), (1.0, 0.5, 3.0)), (SQUARE, (2.0, 0.5))])
def test_pixels_have_their_true_proportions(shape, spacing):
    axes = draw_montage(cases([2], shape, spacing)).subfigs[0].axes
    if len(shape) == 2:
        assert [axis.get_aspect() for axis in axes] == [2.0 / 0.5]
    else:
        # Height over width of a pixel, with axes (0, 1), (0, 2) and (1, 2) to the right and up.
        assert [axis.get_aspect() for axis in axes] == [0.5 / 1.0, 3.0 / 1.0, 3.0 / 0.5]


def test_truth_is_solid_and_prediction_dashed_in_the_colour_of_the_class():
    axis = draw_montage(cases([2], SQUARE, (1.0, 1.0))).subfigs[0].axes[0]
    colors = [class_style(k)["color"] for k in (1, 2)]
    assert outlines(axis) == [(colors[0], False), (colors[0], True), (colors[1], False), (colors[1], True)]
    legend = [text.get_text() for text in axis.figure.figure.legends[0].get_texts()]
    assert legend == [*CLASS_NAMES[1:], "truth", "prediction"]


def test_each_outline_is_that_of_its_own_labels():
    truth, prediction = np.zeros((2, 30, 30), int)
    truth[4:10, 5:8], prediction[20:24, 15:25] = 1, 1
    scores = score_case(truth, prediction, ["background", "lesion"])
    axis = draw_montage([("a", truth, truth, prediction, None, scores)]).subfigs[0].axes[0]
    for (_, dashed), outline in zip(outlines(axis), axis.collections, strict=True):
        rows, columns = np.nonzero(prediction if dashed else truth)
        points = np.concatenate([path.vertices for path in outline.get_paths()])
        np.testing.assert_array_equal(points.min(axis=0), [columns.min() - 0.5, rows.min() - 0.5])
        np.testing.assert_array_equal(points.max(axis=0), [columns.max() + 0.5, rows.max() + 0.5])


def test_the_outline_runs_half_a_voxel_outside_the_voxels_also_at_the_border():
    truth = np.zeros((12, 10), int)
    truth[0:4, 3:10] = 1
    scores = score_case(truth, truth * 0, ["background", "lesion"])
    axis = draw_montage([("a", truth, truth, truth * 0, None, scores)]).subfigs[0].axes[0]
    (outline,) = axis.collections
    points = np.concatenate([path.vertices for path in outline.get_paths()])
    np.testing.assert_array_equal(points.min(axis=0), [2.5, -0.5])
    np.testing.assert_array_equal(points.max(axis=0), [9.5, 3.5])


def test_the_view_holds_every_structure_and_stays_inside_the_image():
    truth, prediction = np.zeros((2, 200, 100), int)
    truth[50:60, 40:44], prediction[70:72, 90:99] = 1, 1
    scores = score_case(truth, prediction, ["background", "lesion"])
    axis = draw_montage([("a", truth, truth, prediction, None, scores)]).subfigs[0].axes[0]
    left, right = axis.get_xlim()
    bottom, top = axis.get_ylim()
    assert -0.5 <= left <= 39.5
    assert right == 99.5
    assert 0 < top <= 49.5 < 71.5 <= bottom < 199


def test_flat_images_and_images_with_nan_are_drawn():
    image, truth, prediction = make_case(2, SQUARE, (1.0, 1.0))
    scores = score_case(truth, prediction, CLASS_NAMES)
    for odd in (np.zeros_like(image), np.where(truth, np.nan, image), np.full_like(image, np.nan)):
        assert len(render(draw_montage([("a", odd, truth, prediction, None, scores)]), "png")) > 1000


def test_arrays_of_different_shapes_are_named_with_the_case():
    ((name, image, truth, prediction, spacing, scores),) = cases([2])
    with pytest.raises(InputError, match=r"Case off by 2: .* one channel, got image \(30, 26, 12, 1\), truth \(30"):
        draw_montage([(name, image[..., None], truth, prediction, spacing, scores)])


def test_no_case_with_a_dice_is_an_error():
    empty = np.zeros(SQUARE, int)
    with pytest.raises(InputError, match="at least one case with a class"):
        draw_montage([("a", empty, empty, empty, None, score_case(empty, empty, CLASS_NAMES))])


def test_every_dice_is_a_point_beside_the_box_of_its_class():
    dice = np.array([[0.2, np.nan, np.nan], [0.4, 0.9, np.nan], [0.9, 0.8, np.nan]])
    (axis,) = dice_of_cases(["a", "b", "never"], dice).axes
    points = [each.get_offsets()[:, 0].tolist() for each in axis.collections if isinstance(each, PathCollection)]
    assert points == [[0.2, 0.4, 0.9], [0.8, 0.9]]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a (3)", "b (2)", "never (0)"]
    (box, _) = axis.patches
    assert (box.get_x(), box.get_width()) == (pytest.approx(0.3), pytest.approx(0.35))
