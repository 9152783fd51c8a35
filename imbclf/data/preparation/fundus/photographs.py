"""The recipe for photographs: decoded, upright, in colour, of one size."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image, ImageOps
from skimage.transform import resize

from imbclf.data.image_file import DAMAGED_IMAGE, read_image
from imbclf.errors import InputError

CROPS = ("none", "square")
PILLOW_SUFFIXES = (".tif", ".tiff", ".bmp")
PHOTOGRAPH_SUFFIXES = (".png", ".jpg", ".jpeg", *PILLOW_SUFFIXES)
_COLOUR_MODES = ("1", "L", "P", "RGB")


@dataclass(frozen=True)
class Photograph:
    """Make a photograph `size` x `size` pixels in colour.

    The file's values over their greatest possible value (255, or 65535 for 16 bits) are resized linearly after
    anti-aliasing (`skimage.transform.resize`), multiplied by 255 and rounded; a photograph that has the size already
    keeps its values. The orientation that a camera has noted is respected, and grey becomes colour.

    Args:
        size: Pixels along both sides; 240 in Scholz et al. 2024, which is the size of the images of Ahn et al. 2018.
        crop: What happens to photographs that are not square. `"none"`, as published: the whole picture is resized, so
            that its aspect ratio becomes 1 (Ahn's narrowest image, 227 x 240, is stretched by 6 %). `"square"`: the
            square in the middle, as wide as the shorter side, is resized and keeps its shape; the rest is lost.

    Raises:
        InputError: A size below 1 or another crop. When called: a file that is missing, damaged, transparent, or no
            PNG, JPEG, BMP or TIFF with one page.

    Source: D. Scholz et al., Imbalance-aware loss functions improve medical image classification, MIDL 2024, for the
    size, the anti-aliasing and the range.

    Example:

    >>> import tempfile
    >>> from imbclf.data.preparation.subject import Subject
    >>> folder = tempfile.TemporaryDirectory()
    >>> Image.fromarray(np.full((30, 40, 3), 51, "uint8")).save(folder.name + "/eye.bmp")
    >>> photograph = Photograph(size=8)(Subject("eye", {"image": folder.name + "/eye.bmp"}, "normal"))
    >>> photograph.shape, photograph.dtype, int(photograph.max())
    ((8, 8, 3), dtype('uint8'), 51)
    >>> folder.cleanup()
    """

    name: ClassVar[str] = "photograph"
    version: ClassVar[int] = 1

    size: int = 240
    crop: str = "none"

    def __post_init__(self):
        if not isinstance(self.size, int) or self.size < 1:
            raise InputError(f"size must be a positive whole number of pixels, not {self.size!r}.")
        if self.crop not in CROPS:
            raise InputError(f"crop must be {' or '.join(CROPS)}, not {self.crop!r}.")

    def __call__(self, subject):
        """The photograph of a `Subject` (its file `"image"`) as uint8 `(size, size, 3)`, of value * 255."""
        pixels = read_photograph(subject.files["image"])
        if self.crop == "square":
            height, width, _ = pixels.shape
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            pixels = pixels[top : top + side, left : left + side]
        # float32 halves the memory of large photographs; its error is a thousandth of a step of 8 bits.
        values = np.divide(pixels, np.iinfo(pixels.dtype).max, dtype=np.float32)
        resized = resize(values, (self.size, self.size, 3), order=1, anti_aliasing=True)
        return np.rint(np.clip(resized, 0, 1) * 255).astype(np.uint8)


def read_photograph(path):
    """The pixels of a PNG, JPEG, BMP or TIFF as uint8 or uint16 `(height, width, 3)`, or `InputError`."""
    if not str(path).lower().endswith(PILLOW_SUFFIXES):
        return read_image(path, channels=3)
    try:
        with Image.open(path, formats=("TIFF", "BMP")) as image:
            pages, mode = getattr(image, "n_frames", 1), image.mode
            pixels = None
            if pages == 1 and mode.startswith("I;16"):
                pixels = np.repeat(np.asarray(image).astype(np.uint16)[..., np.newaxis], 3, axis=-1)
            elif pages == 1 and mode in _COLOUR_MODES:
                pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except FileNotFoundError:
        raise InputError(f"The image {path} does not exist.") from None
    except DAMAGED_IMAGE as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise InputError(f"The image {path} cannot be read ({reason}): replace it, or take it out.") from None
    if pages > 1:
        raise InputError(f"The image {path} holds {pages} pages, but one is expected: save the one that is meant.")
    if pixels is None:
        raise InputError(f"The image {path} has colour mode {mode}, but grey or RGB is expected: convert it.")
    return pixels
