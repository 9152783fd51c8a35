import numpy as np
import png
import pytest
from PIL import Image
from skimage.transform import resize

from imbclf.data import ImageFiles
from imbclf.errors import InputError

RANDOM = np.random.default_rng(0)


def write(folder, name, pixels, **options):
    Image.fromarray(pixels).save(folder / name, **options)
    return name


def write_deep(folder, name, pixels, **options):
    """16 bits per value, grey, grey with alpha, colour, or colour with alpha."""
    height, width, planes = pixels.shape
    writer = png.Writer(width, height, bitdepth=16, greyscale=planes < 3, alpha=planes in (2, 4), **options)
    with (folder / name).open("wb") as file:
        writer.write(file, pixels.reshape(height, width * planes).tolist())
    return name


def only(folder, name, **options):
    return ImageFiles([name], folder, **options)[np.array([0])][0]


def grey(shape=(6, 5)):
    return RANDOM.integers(0, 256, shape).astype(np.uint8)


class TestPixels:
    def test_8_bit_grey_and_colour_are_divided_by_255(self, tmp_path):
        pixels, colour = grey(), grey((6, 5, 3))
        np.testing.assert_allclose(only(tmp_path, write(tmp_path, "g.png", pixels))[..., 0], pixels / 255, rtol=1e-6)
        np.testing.assert_allclose(only(tmp_path, write(tmp_path, "c.png", colour)), colour / 255, rtol=1e-6)

    @pytest.mark.parametrize("planes", [1, 3])
    @pytest.mark.parametrize("interlace", [False, True])
    def test_all_16_bits_survive(self, tmp_path, planes, interlace):
        pixels = RANDOM.integers(0, 65536, (7, 5, planes)).astype(np.uint16)
        name = write_deep(tmp_path, "deep.png", pixels, interlace=interlace)
        np.testing.assert_allclose(only(tmp_path, name) * 65535, pixels, atol=0.01)

    @pytest.mark.parametrize("planes", [2, 4])
    def test_an_opaque_alpha_channel_of_16_bits_is_dropped(self, tmp_path, planes):
        pixels = RANDOM.integers(0, 65536, (7, 5, planes)).astype(np.uint16)
        pixels[..., -1] = 65535
        read = only(tmp_path, write_deep(tmp_path, "deep.png", pixels))
        np.testing.assert_allclose(read * 65535, pixels[..., :-1], atol=0.01)

    def test_jpeg_is_read(self, tmp_path):
        name = write(tmp_path, "a.jpg", np.full((16, 16, 3), 100, np.uint8), quality=100)
        np.testing.assert_allclose(only(tmp_path, name), 100 / 255, atol=2 / 255)

    def test_a_photograph_is_turned_as_the_camera_noted(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        pixels = np.zeros((16, 32), np.uint8)
        pixels[:, 16:] = 255
        name = write(tmp_path, "a.jpg", pixels, quality=100, exif=exif)
        upright = only(tmp_path, name)
        assert upright.shape == (32, 16, 1)
        assert upright[16:].min() > 0.9 > 0.1 > upright[:16].max()

    def test_a_palette_is_resolved(self, tmp_path):
        image = Image.fromarray(np.array([[0, 1], [2, 2]], np.uint8), mode="P")
        image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
        image.save(tmp_path / "p.png")
        expected = [[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]]
        np.testing.assert_array_equal(only(tmp_path, "p.png"), expected)

    def test_one_bit_images_reach_from_0_to_1(self, tmp_path):
        Image.fromarray(np.array([[True, False]])).save(tmp_path / "b.png")
        np.testing.assert_array_equal(only(tmp_path, "b.png")[..., 0], [[1, 0]])

    def test_an_opaque_alpha_channel_is_dropped(self, tmp_path):
        pixels = grey((4, 4, 4))
        pixels[..., 3] = 255
        np.testing.assert_allclose(only(tmp_path, write(tmp_path, "a.png", pixels)), pixels[..., :3] / 255, rtol=1e-6)

    def test_colour_becomes_grey_by_its_luma_and_grey_becomes_colour_by_repetition(self, tmp_path):
        colour, flat = grey((4, 4, 3)), grey((4, 4))
        write(tmp_path, "c.png", colour)
        write(tmp_path, "g.png", flat)
        as_grey = ImageFiles(["c.png", "g.png"], tmp_path, channels=1)
        luma = colour @ [0.299, 0.587, 0.114]
        np.testing.assert_allclose(as_grey[np.array([0])][0, ..., 0] * 255, luma, atol=0.501)
        as_colour = ImageFiles(["c.png", "g.png"], tmp_path, channels=3)
        np.testing.assert_allclose(as_colour[np.array([1])][0, ..., 2] * 255, flat, atol=0.001)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_resizing_is_scikit_images(self, tmp_path, channels):
        pixels = grey((30, 20, 3)) if channels == 3 else grey((30, 20))
        read = only(tmp_path, write(tmp_path, "a.png", pixels), image_size=(12, 16))
        expected = resize(pixels.reshape(30, 20, channels) / 255, (12, 16, channels), order=1, anti_aliasing=True)
        np.testing.assert_allclose(read, expected, atol=1e-5)
        assert read.dtype == np.float32


class TestIndexing:
    def test_images_come_in_the_order_asked_for(self, tmp_path):
        names = [write(tmp_path, f"{value}.png", np.full((2, 3), value, np.uint8)) for value in (10, 20, 30)]
        images = ImageFiles(names, tmp_path)
        assert images.shape == (3, 2, 3, 1)
        batch = images[np.array([2, 0, 2])]
        np.testing.assert_allclose(batch[:, 0, 0, 0] * 255, [30, 10, 30], rtol=1e-6)
        selected = images.select(np.array([2, 1]))
        assert selected.shape == (2, 2, 3, 1)
        np.testing.assert_allclose(selected[np.array([0, 1])][:, 0, 0, 0] * 255, [30, 20], rtol=1e-6)

    def test_the_cache_changes_no_number_and_reads_no_file_twice(self, tmp_path):
        name = write(tmp_path, "a.png", grey((20, 20)))
        fresh = ImageFiles([name], tmp_path, image_size=9, cache="none")
        kept = ImageFiles([name], tmp_path, image_size=9, cache="memory")
        np.testing.assert_array_equal(kept[np.array([0])], fresh[np.array([0])])
        (tmp_path / name).unlink()
        np.testing.assert_array_equal(kept[np.array([0])], kept.select([0])[np.array([0])])
        with pytest.raises(InputError, match=r"a\.png does not exist"):
            fresh[np.array([0])]

    def test_the_cache_is_used_where_all_images_fit(self, tmp_path, monkeypatch):
        name = write(tmp_path, "a.png", grey((10, 10)))
        assert ImageFiles([name], tmp_path).cache == "memory"
        monkeypatch.setattr("imbclf.data.files.AUTOMATIC_CACHE_BYTES", 99)
        assert ImageFiles([name], tmp_path).cache == "none"
        assert ImageFiles([name], tmp_path, cache="memory").cache == "memory"

    def test_fingerprints_are_equal_exactly_where_files_are(self, tmp_path):
        pixels = grey()
        names = [write(tmp_path, name, pixels) for name in ("a.png", "b.png")]
        names.append(write(tmp_path, "c.png", 255 - pixels))
        first, second, third = ImageFiles(names, tmp_path).fingerprints()
        assert first == second != third


class TestErrors:
    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(InputError, match=r"absent\.png does not exist"):
            ImageFiles(["absent.png"], tmp_path)

    @pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
    def test_a_file_that_is_no_image_is_named_before_any_pixel_is_read(self, tmp_path, content):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.png (is not a PNG or JPEG|cannot be read)"):
            ImageFiles(["a.png"], tmp_path)

    def test_another_format_is_not_read_whatever_its_name(self, tmp_path):
        write(tmp_path, "a.tif", grey())
        (tmp_path / "a.tif").rename(tmp_path / "a.png")
        with pytest.raises(InputError, match=r"a\.png is not a PNG or JPEG"):
            ImageFiles(["a.png"], tmp_path)

    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "deep.png"])
    def test_a_truncated_file_is_named(self, tmp_path, name):
        if name == "deep.png":
            write_deep(tmp_path, name, RANDOM.integers(0, 65536, (40, 40, 3)).astype(np.uint16))
        else:
            write(tmp_path, name, grey((60, 60, 3)))
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) * 2 // 3])
        images = ImageFiles([name], tmp_path)
        with pytest.raises(InputError, match=f"{name} cannot be read.*truncated"):
            images[np.array([0])]

    def test_damaged_pixels_are_named(self, tmp_path):
        name = write(tmp_path, "a.png", grey((60, 60)))
        content = bytearray((tmp_path / name).read_bytes())
        content[200:220] = bytes(20)
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=r"a\.png cannot be read"):
            only(tmp_path, name)

    def test_two_sizes_without_a_resize_name_the_file_and_both_sizes(self, tmp_path):
        write(tmp_path, "a.png", grey((6, 5)))
        write(tmp_path, "b.png", grey((8, 9)))
        with pytest.raises(InputError, match=r"a\.png has 6 x 5 and b\.png has 8 x 9 pixels.*set image_size"):
            ImageFiles(["a.png", "b.png"], tmp_path)

    def test_grey_and_colour_without_channels_name_both_files(self, tmp_path):
        write(tmp_path, "a.png", grey((6, 5)))
        write(tmp_path, "b.png", grey((6, 5, 3)))
        with pytest.raises(InputError, match=r"a\.png is grey and b\.png is colour: set channels"):
            ImageFiles(["a.png", "b.png"], tmp_path)

    @pytest.mark.parametrize("deep", [False, True])
    def test_transparency_is_refused(self, tmp_path, deep):
        pixels = np.full((4, 4, 4), 100, np.uint16 if deep else np.uint8)
        name = write_deep(tmp_path, "a.png", pixels) if deep else write(tmp_path, "a.png", pixels)
        with pytest.raises(InputError, match=r"a\.png is transparent in places"):
            only(tmp_path, name)

    def test_a_transparent_colour_of_16_bits_is_refused(self, tmp_path):
        pixels = np.full((2, 2, 3), 1000, np.uint16)
        name = write_deep(tmp_path, "a.png", pixels, transparent=(1000, 1000, 1000))
        with pytest.raises(InputError, match=r"a\.png is transparent in places"):
            only(tmp_path, name)

    def test_printing_colours_are_refused(self, tmp_path):
        Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
        with pytest.raises(InputError, match=r"a\.jpg has colour mode CMYK"):
            ImageFiles(["a.jpg"], tmp_path)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"channels": 2}, "channels must be 1 .* not 2"),
            ({"cache": "disk"}, "cache must be auto, memory or none"),
            ({"image_size": (0, 5)}, "image_size must be one or two positive"),
            ({"image_size": (5, 5, 5)}, "image_size must be one or two positive"),
            ({"image_size": "large"}, "image_size must be one or two positive"),
        ],
    )
    def test_options_that_cannot_be_are_an_error(self, tmp_path, options, message):
        write(tmp_path, "a.png", grey())
        with pytest.raises(InputError, match=message):
            ImageFiles(["a.png"], tmp_path, **options)

    def test_no_files_are_an_error(self, tmp_path):
        with pytest.raises(InputError, match="no image files"):
            ImageFiles([], tmp_path)
