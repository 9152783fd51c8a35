import pickle

import numpy as np
import png
import pytest
from PIL import Image
from skimage.transform import resize

from imbclf.data.preparation.fundus.photographs import Photograph
from imbclf.data.preparation.subject import Subject
from imbclf.errors import InputError


@pytest.fixture
def picture(tmp_path):
    """Saves pixels under a name and gives the subject of the file."""

    def save(pixels, name="eye.png", **options):
        Image.fromarray(np.asarray(pixels)).save(tmp_path / name, **options)
        return Subject("eye", {"image": tmp_path / name}, "normal")

    return save


@pytest.fixture(scope="module")
def colours():
    return np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)


def test_a_photograph_of_the_size_keeps_its_values(picture, colours):
    square = colours[:30, :30]
    np.testing.assert_array_equal(Photograph(size=30)(picture(square)), square)


@pytest.mark.parametrize("size", [8, 30, 45])
def test_the_whole_picture_is_resized_as_scikit_image_does(picture, colours, size):
    expected = resize(colours / 255, (size, size, 3), order=1, anti_aliasing=True)
    got = Photograph(size=size)(picture(colours))
    assert got.dtype == np.uint8
    # Half a step of rounding, and what float32 adds to it.
    np.testing.assert_allclose(got / 255, expected, atol=0.5 / 255 + 1e-6)


def test_the_square_crop_is_the_middle_and_keeps_its_shape(picture, colours):
    cropped = Photograph(size=10, crop="square")(picture(colours))
    np.testing.assert_array_equal(cropped, Photograph(size=10)(picture(colours[:, 5:35])))


def test_grey_becomes_colour(picture):
    photograph = Photograph(size=4)(picture(np.full((4, 4), 77, np.uint8)))
    np.testing.assert_array_equal(photograph, np.full((4, 4, 3), 77))


def test_sixteen_bits_use_their_whole_range(tmp_path):
    rows = np.full((4, 12), 0.4 * 65535, np.uint16)
    png.from_array(rows, "RGB;16").save(tmp_path / "deep.png")
    photograph = Photograph(size=4)(Subject("deep", {"image": tmp_path / "deep.png"}, "normal"))
    assert set(photograph.ravel().tolist()) == {102}


def test_the_orientation_of_the_camera_is_respected(picture):
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Photograph(size=16)(picture(pixels, "turned.jpg", exif=exif, quality=100))
    assert turned[:, 9:].min() > 240
    assert turned[:, :7].max() < 15


@pytest.mark.parametrize("name", ["eye.bmp", "eye.tif", "eye.TIFF"])
def test_bmp_and_tiff_give_what_png_gives(picture, colours, name):
    expected = Photograph(size=20)(picture(colours))
    np.testing.assert_array_equal(Photograph(size=20)(picture(colours, name)), expected)
    grey = colours[..., 0]
    np.testing.assert_array_equal(Photograph(size=20)(picture(grey, name)), Photograph(size=20)(picture(grey)))


def test_a_deep_tiff_uses_its_whole_range(picture):
    photograph = Photograph(size=4)(picture(np.full((4, 4), 0.4 * 65535, np.uint16), "deep.tif"))
    assert set(photograph.ravel().tolist()) == {102}


def test_the_same_file_gives_the_same_array_in_another_process(picture, colours):
    subject = picture(colours)
    recipe = Photograph(size=12, crop="square")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(recipe))(subject), recipe(subject))
    assert (Photograph.name, Photograph.version) == ("photograph", 1)


@pytest.mark.parametrize("name", ["eye.png", "eye.jpg", "eye.bmp", "eye.tif"])
def test_damaged_and_missing_files_are_named(picture, colours, name):
    subject = picture(colours, name)
    file = subject.files["image"]
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=rf"{name} cannot be read"):
        Photograph(size=8)(subject)
    file.write_bytes(b"no image at all")
    with pytest.raises(InputError, match=rf"{name} "):
        Photograph(size=8)(subject)
    file.unlink()
    with pytest.raises(InputError, match=rf"{name} does not exist"):
        Photograph(size=8)(subject)


def test_pages_and_other_colours_are_refused(picture, colours, tmp_path):
    page = Image.fromarray(colours)
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page, page])
    with pytest.raises(InputError, match=r"pages\.tif holds 3 pages"):
        Photograph(size=8)(Subject("pages", {"image": tmp_path / "pages.tif"}, "normal"))
    page.convert("CMYK").save(tmp_path / "print.tif")
    with pytest.raises(InputError, match=r"print\.tif has colour mode CMYK"):
        Photograph(size=8)(Subject("print", {"image": tmp_path / "print.tif"}, "normal"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size must be a positive whole"),
        ({"size": 24.0}, "size must be"),
        ({"crop": "round"}, "crop must be"),
    ],
)
def test_options_that_make_no_picture_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Photograph(**options)
