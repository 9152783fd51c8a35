"""Batches that show every voxel once, for validation."""

import numpy as np

from imbclf.sampling.cropping import cover, crop
from imbclf.sampling.patches import CaseBatches


class GridPatches(CaseBatches):
    """Windows side by side that cover every case, in the same order in every epoch.

    The last window along an axis is moved back into the case, and what it shares with the one before weighs 0; so does
    padding, see `crop`. The weights of an epoch are 1 exactly once for every voxel, those of `ignore_class` included,
    which the loss leaves out. The last batch may be smaller.

    Args:
        dataset: The cases, `dataset.select(dataset.indices("val"))`.
        patch_size, batch_size, outputs, workers, use_multiprocessing: See `CaseBatches`.

    Raises:
        InputError: What `CaseBatches` raises.

    Example:

    >>> from imbclf.data import segmentation_shapes
    >>> from imbclf.sampling import GridPatches
    >>> batches = GridPatches(segmentation_shapes(count=2), patch_size=24, batch_size=8)
    >>> len(batches)
    2
    >>> int(sum(weight.sum() for _, _, weight in batches)) == 2 * 32**3
    True
    """

    def __init__(self, dataset, patch_size, batch_size, outputs=1, workers=1, use_multiprocessing=False):
        super().__init__(dataset, patch_size, batch_size, 0, outputs, workers, use_multiprocessing)
        windows = [cover(space, self.patch_size) for space in dataset.spaces]
        self._cases = np.repeat(np.arange(len(dataset)), [len(start) for start, _ in windows])
        self._starts, self._firsts = (np.concatenate(column) for column in zip(*windows))

    def __len__(self):
        return -(-len(self._cases) // self.batch_size)

    def batch(self, epoch, index):
        """The batch at an index, `(x, y, sample_weight)`, the same in every epoch."""
        chosen = range(index * self.batch_size, min((index + 1) * self.batch_size, len(self._cases)))
        x, y, weight = map(np.stack, zip(*map(self._window, chosen)))
        return self.handed_out(x, y, weight)

    def _window(self, number):
        case, start, first = self._cases[number], self._starts[number], self._firsts[number]
        image, mask, inside = crop(self.dataset.case(case), start, self.patch_size)
        fresh = np.zeros_like(inside)
        fresh[tuple(map(slice, first - start, self.patch_size))] = 1
        return image, mask, inside * fresh
