"""Prepared images in `.npy` files, of which only what is asked for is read."""

import copy
import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imbclf.data.preparation.record import known_digest, read_record
from imbclf.errors import InputError
from imbclf.files import file_digest

DTYPES = (np.dtype(np.uint8), np.dtype(np.float16))
HEADER_BYTES = 4096


@dataclass(frozen=True)
class ArrayHeader:
    """What the head of an `.npy` file says.

    Args:
        shape: `(*space, channels)`.
        dtype: uint8 or float16.
        offset: Bytes before the first value.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int

    @property
    def file_size(self):
        """Size in bytes of a whole file."""
        return self.offset + int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize


class ArrayFiles:
    """`.npy` files of one shape, uint8 or float16, given out as float32 in [0, 1].

    uint8 is divided by 255; float16 lies in [0, 1] already, which whoever prepared the files has checked. All heads are
    read at once, so that a missing, damaged or misshapen file is found before anything is trained. Values are read
    through a memory map that is open only as long as one image is read: no file stays open, and of a window only its
    own pages are touched, which the system keeps in memory as long as there is room.

    Args:
        paths: Relative paths, `n` of them.
        root: Folder that the paths start from.

    Raises:
        InputError: No file, a missing file, one that is no `.npy`, is cut off, holds Python objects or another type,
            or has another shape than the first.

    Example:

    >>> import tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> np.save(folder.name + "/a.npy", np.arange(0, 250, 10, dtype="uint8").reshape(5, 5, 1))
    >>> images = ArrayFiles(["a.npy"], folder.name)
    >>> images.shape, images[np.array([0])].shape
    ((1, 5, 5, 1), (1, 5, 5, 1))
    >>> images.windows(np.array([0]), starts=[[1, 2]], size=[2, 2])[0, :, :, 0] * 255
    array([[ 70.,  80.],
           [120., 130.]], dtype=float32)
    >>> folder.cleanup()
    """

    def __init__(self, paths, root):
        self.paths = [str(path) for path in paths]
        self.root = Path(root)
        if not self.paths:
            raise InputError(f"There are no arrays in {root}.")
        # Files of one preparation begin with the same bytes, so that few heads need to be understood.
        understood = {}
        self._headers = [_read_header(self.root / path, understood) for path in self.paths]
        first = self._headers[0]
        for path, header in zip(self.paths, self._headers):
            if header.shape != first.shape:
                raise InputError(
                    f"Arrays must have one shape, but in {self.root} {self.paths[0]} has {first.shape} and {path} has "
                    f"{header.shape}."
                )
        self._digests = {}
        self._rows = np.arange(len(self.paths))

    @property
    def shape(self):
        """`(n, *space, channels)`."""
        return (len(self._rows), *self._headers[0].shape)

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        rows = self._rows[index]
        image_shape = self.shape[1:]
        whole = (slice(None),) * len(image_shape)
        images = np.empty((rows.size, *image_shape), np.float32)
        for image, row in zip(images, np.ravel(rows)):
            self._read(int(row), whole, image)
        return images.reshape(*rows.shape, *image_shape)

    def windows(self, indices, starts, size):
        """One window of each of some images, without reading the rest of them.

        Args:
            indices: Positions of the images `(b,)`.
            starts: First index along each spatial axis `(b, rank)`.
            size: Size along each spatial axis.

        Returns:
            float32 `(b, *size, channels)`.

        Raises:
            InputError: A window that reaches beyond its image.
        """
        rows, starts, size = self._rows[np.asarray(indices)], np.asarray(starts), np.asarray(size)
        *space, channels = self.shape[1:]
        beyond = ((starts < 0) | (starts + size > space)).any(axis=1)
        if beyond.any():
            start = starts[np.argmax(beyond)].tolist()
            raise InputError(f"A window of {size.tolist()} at {start} reaches beyond an image of {space}.")
        windows = np.empty((len(rows), *size, channels), np.float32)
        for window, row, start in zip(windows, rows, starts):
            self._read(int(row), tuple(map(slice, start, start + size)), window)
        return windows

    def _read(self, row, region, out):
        """Put a region of an image into `out`, as float32 in [0, 1]."""
        path, header = self.root / self.paths[row], self._headers[row]
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                if len(mapped) != header.file_size:
                    raise InputError(f"The array {path} changed its size after it was listed: start again.")
                _copy(np.ndarray(header.shape, header.dtype, mapped, header.offset)[region], out)
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"The array {path} cannot be read ({error}): prepare it again.") from None

    def select(self, indices):
        """The images at `indices`; nothing is read again."""
        selected = copy.copy(self)
        selected._rows = self._rows[indices]
        return selected

    def fingerprints(self):
        """A digest of each file: equal digests mean equal arrays.

        The digests that the preparation recorded are taken where the files are as it left them; others are computed.
        """
        return [self._digest(int(row)) for row in self._rows]

    def _digest(self, row):
        if row not in self._digests:
            path = self.root / self.paths[row]
            try:
                self._digests[row] = known_digest(path, read_record(path)) or file_digest(path)
            except OSError as error:
                raise InputError(f"The array {path} cannot be read ({error}): prepare it again.") from None
        return self._digests[row]


def _copy(values, out):
    # In a function of its own, so that no view is left when the map is closed.
    if values.dtype == np.uint8:
        np.divide(values, np.float32(255), out=out, dtype=np.float32)
    else:
        out[...] = values


def _read_header(path, understood):
    """The `ArrayHeader` of a file; `understood` holds those of the beginnings met so far."""
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
            size = file.seek(0, 2)
            length = _header_length(start)
            if (header := understood.get(start[:length])) is None:
                file.seek(0)
                header = understood[start[:length]] = _understand(file, path)
    except FileNotFoundError:
        raise InputError(f"The array {path} does not exist.") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The file {path} is no readable .npy ({' '.join(str(error).split())}).") from None
    if size != header.file_size:
        raise InputError(
            f"The array {path} has {size} bytes, but its head promises {header.file_size}: prepare it again."
        )
    return header


def _header_length(start):
    """Length in bytes of the head that a file begins with: magic, version, length, and a dictionary as text."""
    if len(start) > 12 and start[6] == 1:
        return 10 + int.from_bytes(start[8:10], "little")
    return len(start)


def _understand(file, path):
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version}")
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise InputError(f"The file {path} holds pickled Python objects, which are never unpickled.")
    if dtype not in DTYPES or not dtype.isnative:
        raise InputError(f"Prepared arrays are uint8 (value x 255) or float16 in [0, 1], but {path} is {dtype}.")
    if is_fortran or not 2 <= len(shape) <= 4 or 0 in shape:
        raise InputError(
            f"Prepared arrays have shape (*space, channels) in C order, but {path} has {shape}"
            f"{' in Fortran order' if is_fortran else ''}."
        )
    return ArrayHeader(shape, dtype, file.tell())
