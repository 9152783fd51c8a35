"""One image file: what its header says, and its pixels at full depth."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import png
from PIL import Image, ImageOps, UnidentifiedImageError

from imbclf.errors import InputError

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
DAMAGED_IMAGE = (OSError, SyntaxError, ValueError, EOFError, zlib.error, png.Error, Image.DecompressionBombError)
_EXIF_ORIENTATION = 0x0112
_REC_601 = np.array([0.299, 0.587, 0.114])
_COLOUR_MODES = {"1": 1, "L": 1, "LA": 1, "I": 1, "I;16": 1, "P": 3, "RGB": 3, "RGBA": 3}


@dataclass(frozen=True)
class ImageHeader:
    """Size and kind of an image file, known without decoding its pixels.

    Args:
        height: Rows in pixels, after the orientation that a camera has noted.
        width: Columns in pixels, likewise.
        channels: 1 for grey, 3 for colour; an alpha channel does not count.
        bits: 8 or 16 bits per value.
    """

    height: int
    width: int
    channels: int
    bits: int


def read_header(path):
    """Read size and kind of a PNG or JPEG file.

    Args:
        path: The file.

    Returns:
        An `ImageHeader`.

    Raises:
        InputError: The file is missing, is no PNG or JPEG, or holds a kind of colour that is not read (CMYK).
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(26)
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                width, height = image.size
                # Pillow would decode a whole PNG to look for EXIF at its end; cameras write JPEG.
                if image.format != "PNG" and image.getexif().get(_EXIF_ORIENTATION, 1) >= 5:
                    width, height = height, width
                mode = image.mode
    except FileNotFoundError:
        raise InputError(f"The image {path} does not exist.") from None
    except UnidentifiedImageError:
        raise InputError(
            f"The file {path} is not a PNG or JPEG image: convert it, or take it out of the data."
        ) from None
    except DAMAGED_IMAGE as error:
        raise _unreadable(path, error) from None
    if mode not in _COLOUR_MODES:
        raise InputError(f"The image {path} has colour mode {mode}, but grey or RGB is expected: convert it.")
    if start[:8] == _PNG_SIGNATURE and start[24] == 16:
        # Pillow calls 16-bit grey with alpha RGBA; the file's own colour types 0 and 4 are grey.
        return ImageHeader(height, width, 1 if start[25] in (0, 4) else 3, bits=16)
    return ImageHeader(height, width, _COLOUR_MODES[mode], bits=8)


def read_image(path, channels):
    """Read the pixels of a PNG or JPEG file.

    Grey becomes colour by repetition, colour becomes grey by the Rec. 601 luma. A palette is resolved. An alpha
    channel is dropped where it is opaque everywhere.

    Args:
        path: The file.
        channels: 1 or 3, the number wanted.

    Returns:
        uint8 `(height, width, channels)`, or uint16 where the file holds 16 bits per value.

    Raises:
        InputError: The file cannot be decoded, or parts of it are transparent.
    """
    path = Path(path)
    header = read_header(path)
    try:
        # Pillow keeps only the high byte of 16-bit colour.
        pixels = _deep_png(path) if header.bits == 16 else _eight_bits(path)
    except DAMAGED_IMAGE as error:
        raise _unreadable(path, error) from None
    if pixels.shape[-1] in (2, 4):
        if pixels[..., -1].min() < np.iinfo(pixels.dtype).max:
            raise InputError(f"The image {path} is transparent in places: save it without an alpha channel.")
        pixels = pixels[..., :-1]
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=-1)
    return np.rint(pixels @ _REC_601).astype(pixels.dtype)[..., np.newaxis]


def _eight_bits(path):
    with Image.open(path, formats=("PNG", "JPEG")) as image:
        upright = image if image.format == "PNG" else ImageOps.exif_transpose(image)
        if "transparency" in upright.info:
            upright = upright.convert("RGBA")
        elif upright.mode not in ("L", "LA", "RGB", "RGBA"):
            upright = upright.convert("L" if upright.mode == "1" else "RGB")
        pixels = np.asarray(upright)
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _deep_png(path):
    width, height, rows, information = png.Reader(filename=str(path)).read()
    pixels = np.stack([np.frombuffer(row, np.uint16) for row in rows])
    pixels = pixels.reshape(height, width, information["planes"])
    transparent = information.get("transparent")
    if transparent is not None and (pixels == np.asarray(transparent)).all(axis=-1).any():
        raise InputError(f"The image {path} is transparent in places: save it without a transparent colour.")
    return pixels


def _unreadable(path, error):
    if isinstance(error, InputError):
        return error
    reason = str(error).rstrip(".") or type(error).__name__
    return InputError(f"The image {path} cannot be read ({reason}): it may be truncated; replace it or take it out.")
