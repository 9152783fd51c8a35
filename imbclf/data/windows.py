"""Windows of one size out of images: in the middle to look at, anywhere to train on."""

import copy

import numpy as np

from imbclf.errors import InputError


class Windows:
    r"""A view of images that shows one window of each.

    Indexing gives the window in the middle, which along an axis of n starts at $\lfloor (n - size) / 2 \rfloor$.
    `random` gives windows anywhere in the image. Images that have `windows`, such as `ArrayFiles`, are read no further
    than the windows; others are read one by one and cut.

    Args:
        images: Object with `len()`, `.shape` `(n, *space, channels)` and `images[int array]`.
        size: Size of the windows, one number or one per spatial axis.

    Raises:
        InputError: A size that is no whole number from 1 on, of another number of axes, or larger than the images.

    Example:

    >>> from imbclf.data import ImageArray
    >>> images = ImageArray(np.arange(5, dtype="uint8").reshape(1, 5, 1))
    >>> windows = Windows(images, 3)
    >>> windows.shape
    (1, 3, 1)
    >>> (255 * windows[np.array([0])]).ravel().tolist()
    [1.0, 2.0, 3.0]
    >>> drawn = windows.random(np.array([0, 0]), np.random.default_rng(0))
    >>> (255 * drawn[..., 0]).tolist()
    [[2.0, 3.0, 4.0], [1.0, 2.0, 3.0]]
    """

    def __init__(self, images, size):
        self.images = images
        self.space = tuple(images.shape[1:-1])
        self.size = _checked_size(size, self.space)

    @property
    def shape(self):
        """`(n, *size, channels)`."""
        return (len(self), *self.size, self.images.shape[-1])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        rows = np.arange(len(self))[index]
        middle = (np.array(self.space) - self.size) // 2
        windows = self._read(np.ravel(rows), np.tile(middle, (rows.size, 1)))
        return windows.reshape(*rows.shape, *self.shape[1:])

    def random(self, indices, random):
        """Windows that lie anywhere in their images, each place equally likely.

        Args:
            indices: Positions of the images `(b,)`; one may come more than once.
            random: NumPy random generator.

        Returns:
            float32 `(b, *size, channels)`.
        """
        slack = np.array(self.space) - self.size
        starts = random.integers(0, slack + 1, (len(indices), len(slack)))
        return self._read(np.asarray(indices), starts)

    def _read(self, rows, starts):
        if hasattr(self.images, "windows"):
            return self.images.windows(rows, starts, self.size)
        windows = np.empty((len(rows), *self.shape[1:]), np.float32)
        for window, row, start in zip(windows, rows, starts):
            window[...] = self.images[np.array([row])][0][tuple(map(slice, start, start + self.size))]
        return windows

    def select(self, indices):
        """The same windows of the images at `indices`."""
        selected = copy.copy(self)
        selected.images = self.images.select(indices)
        return selected

    def fingerprints(self):
        """Those of the whole images: two windows of one image are the same image."""
        return self.images.fingerprints()


def _checked_size(size, space):
    sizes = (size,) * len(space) if np.ndim(size) == 0 else tuple(size)
    if not all(isinstance(side, int | np.integer) and not isinstance(side, bool) and side > 0 for side in sizes):
        raise InputError(f"A window must have whole sizes from 1 on, not {size!r}.")
    if len(sizes) != len(space):
        raise InputError(f"A window needs one size or {len(space)} of them, not {size!r}.")
    if any(side > available for side, available in zip(sizes, space)):
        wanted, available = (" x ".join(map(str, sides)) for sides in (sizes, space))
        raise InputError(f"A window of {wanted} does not fit into images of {available}: make it smaller.")
    return tuple(int(side) for side in sizes)
