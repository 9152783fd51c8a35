"""Images in files, read when they are asked for."""

import copy
from pathlib import Path

import numpy as np
from skimage.transform import resize

from imbclf.data.fingerprints import file_fingerprints
from imbclf.data.image_file import read_header, read_image
from imbclf.errors import InputError

AUTOMATIC_CACHE_BYTES = 2 * 2**30


class ImageFiles:
    """PNG and JPEG files, given out as float32 in [0, 1].

    8-bit values are divided by 255 and 16-bit values by 65535, whatever values occur. Headers are read at once, so that
    a missing file or a wrong size is found before anything is trained; pixels are decoded when asked for.

    Args:
        paths: Relative paths, `n` of them.
        root: Folder that the paths start from.
        image_size: `(height, width)` that every image is resized to (`skimage.transform.resize` with anti-aliasing,
            rounded to 16 bits), or None where all files have one size.
        channels: 1 or 3; None takes what the files have, which must then be the same in all of them.
        cache: `"memory"` keeps each image after it was decoded and resized, `"none"` decodes it each time, `"auto"`
            keeps them if all of them take at most 2 GiB.

    Raises:
        InputError: No file, a missing file, a file that is no PNG or JPEG, files of different sizes without
            `image_size`, grey and colour files without `channels`. While reading: truncated or transparent images.

    Example:

    >>> import tempfile, numpy as np
    >>> from PIL import Image
    >>> folder = tempfile.TemporaryDirectory()
    >>> Image.fromarray(np.full((6, 4), 51, "uint8")).save(folder.name + "/a.png")
    >>> images = ImageFiles(["a.png"], folder.name)
    >>> images.shape
    (1, 6, 4, 1)
    >>> float(images[np.array([0])].max())
    0.2
    >>> folder.cleanup()
    """

    def __init__(self, paths, root, image_size=None, channels=None, cache="auto"):
        self.paths = [str(path) for path in paths]
        self.root = Path(root)
        self.image_size = checked_size(image_size)
        if not self.paths:
            raise InputError(f"There are no image files in {root}.")
        if channels not in (None, 1, 3):
            raise InputError(f"channels must be 1 (grey) or 3 (colour), not {channels!r}.")
        if cache not in ("auto", "memory", "none"):
            raise InputError(f"cache must be auto, memory or none, not {cache!r}.")
        headers = [read_header(self.root / path) for path in self.paths]
        self.channels = channels or self._common_channels(headers)
        height_width = self.image_size or self._common_size(headers)
        self._image_shape = (*height_width, self.channels)
        is_wide = self.image_size is not None or any(header.bits == 16 for header in headers)
        needed = len(self.paths) * int(np.prod(self._image_shape)) * (2 if is_wide else 1)
        self.cache = ("memory" if needed <= AUTOMATIC_CACHE_BYTES else "none") if cache == "auto" else cache
        self._decoded, self._fingerprints = {}, []
        self._rows = np.arange(len(self.paths))

    def _common_channels(self, headers):
        for path, header in zip(self.paths, headers):
            if header.channels != headers[0].channels:
                kinds = {1: "grey", 3: "colour"}
                raise InputError(
                    f"Images must be all grey or all colour, but in {self.root} {self.paths[0]} is "
                    f"{kinds[headers[0].channels]} and {path} is {kinds[header.channels]}: set channels to 1 or 3."
                )
        return headers[0].channels

    def _common_size(self, headers):
        first = headers[0]
        for path, header in zip(self.paths, headers):
            if (header.height, header.width) != (first.height, first.width):
                raise InputError(
                    f"Images must have one size, but in {self.root} {self.paths[0]} has {first.height} x {first.width} "
                    f"and {path} has {header.height} x {header.width} pixels (height x width): set image_size."
                )
        return first.height, first.width

    @property
    def shape(self):
        """`(n, height, width, channels)`."""
        return (len(self._rows), *self._image_shape)

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        rows = self._rows[index]
        images = np.empty((rows.size, *self._image_shape), np.float32)
        for image, row in zip(images, np.ravel(rows)):
            pixels = self._pixels(int(row))
            np.divide(pixels, np.iinfo(pixels.dtype).max, out=image, dtype=np.float32)
        return images.reshape(*rows.shape, *self._image_shape)

    def _pixels(self, row):
        if (pixels := self._decoded.get(row)) is not None:
            return pixels
        pixels = read_image(self.root / self.paths[row], self.channels)
        if pixels.shape != self._image_shape:
            if self.image_size is None:
                raise InputError(f"The image {self.root / self.paths[row]} changed its size after it was listed.")
            # Rounded to 16 bits: far below the step of 8-bit files, and half the memory of float32.
            full = np.iinfo(pixels.dtype).max
            resized = resize(pixels / full, self._image_shape, anti_aliasing=True, order=1)
            pixels = np.rint(np.clip(resized, 0, 1) * 65535).astype(np.uint16)
        if self.cache == "memory":
            self._decoded[row] = pixels
        return pixels

    def select(self, indices):
        """The images at `indices`; files are not read again and the cache is shared."""
        selected = copy.copy(self)
        selected._rows = self._rows[indices]
        return selected

    def fingerprints(self):
        """A word for each file: equal words mean equal files. They are found once, for all selections together."""
        if not self._fingerprints:
            self._fingerprints += file_fingerprints([self.root / path for path in self.paths])
        return [self._fingerprints[row] for row in self._rows]


def checked_size(image_size):
    """`(height, width)` from one number or a pair, or None."""
    if image_size is None:
        return None
    pair = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
    if len(pair) != 2 or not all(isinstance(side, (int, np.integer)) and side > 0 for side in pair):
        raise InputError(f"image_size must be one or two positive whole numbers (height, width), not {image_size!r}.")
    return int(pair[0]), int(pair[1])
