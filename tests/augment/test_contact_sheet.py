"""The picture of an augmentation."""

import io

import numpy as np
import pytest
from PIL import Image

from imbclf.augment import RandomCrop, RandomFlip, RandomGamma, RandomNoise, published_chain
from imbclf.augment.contact_sheet import augmented, draw_contact_sheet, panel
from imbclf.errors import InputError
from tests.backend import to_numpy


def images(*shape, low=0.0, high=1.0):
    return np.random.default_rng(0).uniform(low, high, shape).astype("float32")


def test_draws_are_those_of_the_layers_in_turn_by_one_generator():
    x = images(8, 9, 7, 2)
    random = np.random.default_rng((3, 1))
    expected = np.stack([x] * 4)
    layers = [RandomCrop(5, seed=0), RandomGamma(seed=0), RandomFlip(seed=0)]
    for layer in layers:
        expected, _ = layer.transform_pair(expected, random=random)
    np.testing.assert_array_equal(augmented(x, layers, 4, (3, 1)), to_numpy(expected))


def test_a_sheet_leaves_the_draws_of_training_as_they_are(tmp_path):
    x = images(2, 6, 6, 3)
    layer, untouched = RandomGamma(seed=0), RandomGamma(seed=0)
    draw_contact_sheet(x, [layer], tmp_path / "sheet.png", count=2)
    np.testing.assert_array_equal(to_numpy(layer(x, training=True)), to_numpy(untouched(x, training=True)))


def test_equal_seeds_give_equal_sheets(tmp_path):
    x = images(1, 12, 12, 12, 4)
    layers = [RandomCrop(8), RandomFlip()]
    sheets = [draw_contact_sheet(x, layers, tmp_path / f"{n}.png", count=2, seed=n // 2) for n in range(3)]
    first, second, other = (sheet.read_bytes() for sheet in sheets)
    assert first == second != other


def pixels(path):
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB")).astype(int)


def test_a_sheet_shows_the_values_of_the_image(tmp_path):
    x = np.zeros((1, 10, 10, 3), np.float32)
    x[..., 0] = 1
    shown = pixels(draw_contact_sheet(x, [], tmp_path / "red.png", count=1))
    # Two panels of at least 100 pixels by 100, and nothing else of that colour.
    is_red = (shown == [255, 0, 0]).all(axis=-1)
    assert is_red.sum() >= 2 * 100**2
    assert (shown[~is_red].std(axis=-1) < 1).all()


def test_z_scores_are_shown_between_the_extremes_of_the_original(tmp_path):
    x = np.zeros((1, 10, 10, 1), np.float32)
    x[:, :5], x[:, 5:] = -2, 3
    shown = pixels(draw_contact_sheet(x, [RandomNoise((0, 0), value_range=None)], tmp_path / "z.png", count=1))
    assert (shown == 0).all(axis=-1).sum() >= 100**2


def test_a_slice_has_its_first_axis_to_the_right_and_its_second_upwards():
    x = images(4, 6, 5, 1)
    shown = panel(x)
    assert shown.shape == (6, 4)
    for right, up in np.ndindex(4, 6):
        assert shown[5 - up, right] == x[right, up, 2, 0]


def test_channels_lie_side_by_side_and_colours_are_colours():
    picture = images(4, 6, 3)
    np.testing.assert_array_equal(panel(picture), picture)
    volume = images(4, 6, 5, 3)
    shown = panel(volume)
    tiles = [panel(volume[..., channel : channel + 1]) for channel in range(3)]
    np.testing.assert_array_equal(shown, np.block([tiles[:2], [tiles[2], np.full((6, 4), shown.min())]]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((0, 4, 4, 1))}, "at least one image"),
        ({"images": np.zeros((4, 4, 1))}, "expected .n, .space, channels., got an array of shape .4, 4, 1."),
        ({"names": ["a"]}, "one name for each of the 2 images, got 1"),
        ({"count": 0}, "count must be a whole number from 1 on"),
        ({"layers": [abs]}, "layers of imbclf.augment, not"),
        ({"layers": published_chain("glioma")}, "cannot be drawn: size must not be larger than the images"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_nothing_written(tmp_path, arguments, message):
    sheet = {"images": np.zeros((2, 4, 4, 1)), "layers": [RandomFlip()], "path": tmp_path / "sheet.png", **arguments}
    with pytest.raises(InputError, match=message):
        draw_contact_sheet(**sheet)
    assert not list(tmp_path.iterdir())
