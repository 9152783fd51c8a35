"""One image or one mask in a file: NIfTI in 3D, PNG (images also JPEG) in 2D."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import png
from PIL import Image

from imbclf.data.image_file import DAMAGED_IMAGE, read_header, read_image
from imbclf.data.nifti import read_nifti, read_nifti_header, read_nifti_labels, whole_labels
from imbclf.errors import InputError

NIFTI_SUFFIXES = (".nii", ".nii.gz")
FLAT_SUFFIXES = (".png", ".jpg", ".jpeg")
VOLUME_SUFFIXES = NIFTI_SUFFIXES + FLAT_SUFFIXES
_PNG_GREY, _PNG_PALETTE = 0, 3


@dataclass(frozen=True, eq=False)
class Volume:
    """An image or a mask, and where it lies.

    Args:
        space: Size along each spatial axis, two or three numbers.
        channels: Number of channels.
        affine: float64 `(rank + 1, rank + 1)` from indices to millimetres; the identity for a flat image.
        spacing: Size of a voxel along each spatial axis; 1 for a flat image.
        array: float32 `(*space, channels)`, for a mask int32 `(*space)`; None where only the header was read.
    """

    space: tuple[int, ...]
    channels: int
    affine: np.ndarray
    spacing: tuple[float, ...]
    array: np.ndarray | None = None


def read_volume_header(path):
    """A `Volume` without its voxels, which are not read."""
    return _header(Path(path))


def read_volume(path):
    """Read an image of either kind.

    Args:
        path: `.nii`, `.nii.gz`, `.png` or `.jpg`.

    Returns:
        A `Volume`. NIfTI has the numbers of the file, PNG and JPEG those divided by the full range of their type.

    Raises:
        InputError: Another suffix, or what `read_nifti` and `read_image` raise.
    """
    path = Path(path)
    header = _header(path)
    if is_nifti(path):
        array = read_nifti(path).array
    else:
        pixels = read_image(path, header.channels)
        array = np.divide(pixels, np.iinfo(pixels.dtype).max, dtype=np.float32)
    return Volume(header.space, header.channels, header.affine, header.spacing, array.reshape(*header.space, -1))


def read_labels(path):
    """Read a mask of either kind: a `Volume` with an int32 array `(*space)`.

    Raises:
        InputError: Another suffix; JPEG, whose compression changes labels; colour; what `read_nifti_labels` raises.
    """
    path = Path(path)
    header = _header(path)
    array = read_nifti_labels(path).array if is_nifti(path) else whole_labels(_png_labels(path), path)
    return Volume(header.space, header.channels, header.affine, header.spacing, array)


def is_nifti(path):
    """Whether a path, or the name of a file, is that of a NIfTI file."""
    return str(path).lower().endswith(NIFTI_SUFFIXES)


def _header(path):
    if is_nifti(path):
        place = read_nifti_header(path)
        return Volume(place.shape[:3], (*place.shape, 1)[3], place.affine, place.spacing)
    if not path.name.lower().endswith(FLAT_SUFFIXES):
        raise InputError(f"An image must end in one of {', '.join(VOLUME_SUFFIXES)}, but the file is {path}.")
    flat = read_header(path)
    return Volume((flat.height, flat.width), flat.channels, np.eye(3), (1.0, 1.0))


def _png_labels(path):
    """The numbers of a PNG as they are stored: grey values, or positions in a palette."""
    if path.suffix.lower() != ".png":
        raise InputError(f"A mask must be PNG or NIfTI, because JPEG changes labels, but the file is {path}.")
    with path.open("rb") as file:
        depth, colour = file.read(26)[24:26]
    if colour not in (_PNG_GREY, _PNG_PALETTE):
        raise InputError(f"A mask must hold one label per pixel, but {path} is in colour: save it as grey.")
    try:
        if depth == 8:
            with Image.open(path, formats=("PNG",)) as image:
                return np.asarray(image)
        # Pillow spreads grey of 1, 2 and 4 bits over 0 to 255.
        width, height, rows, _ = png.Reader(filename=str(path)).read()
        return np.stack([np.asarray(row) for row in rows]).reshape(height, width)
    except DAMAGED_IMAGE as error:
        raise InputError(f"The mask {path} cannot be read ({error}): it may be truncated; replace it.") from None
