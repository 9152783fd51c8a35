"""Batches of windows out of cases to segment, so that rare structures come up."""

from fractions import Fraction
from functools import lru_cache

import keras
import numpy as np

from imbclf.errors import InputError, whole
from imbclf.sampling.cropping import checked_patch_size, crop, fitted_start
from imbclf.sampling.seeded import SeededBatches, random_generator


class CaseBatches(SeededBatches):
    """Base of batches of windows, `(x, y)` or `(x, y, sample_weight)`.

    x is float32 `(batch_size, *patch_size, channels)`, y int32 and the weights float32 `(batch_size, *patch_size)`.

    Args:
        dataset: A `SegmentationDataset`, or any object with `len()`, `case(i)`, `spaces`, `rank` and `voxel_counts()`.
        patch_size: Size of the windows, one number or one per axis.
        batch_size, seed, workers, use_multiprocessing: See `SeededBatches`.
        outputs: Number of outputs of the model; with more than one, `y` and `sample_weight` are tuples that repeat the
            same array for each, as a loss of several resolutions wants them.
    """

    def __init__(self, dataset, patch_size, batch_size, seed=0, outputs=1, workers=1, use_multiprocessing=False):
        super().__init__(batch_size, seed, workers, use_multiprocessing)
        if len(dataset) == 0:
            raise InputError("There is no case to take patches from: give the cases of a split that has some.")
        self.dataset = dataset
        self.patch_size = checked_patch_size(patch_size, dataset.rank)
        self.outputs = whole(outputs, "outputs", 1)

    def handed_out(self, x, y, sample_weight=None):
        """A batch as `fit` takes it."""
        targets = [array if self.outputs == 1 else (array,) * self.outputs for array in (y, sample_weight)]
        return (x, targets[0]) if sample_weight is None else (x, *targets)


class PatchBatches(CaseBatches):
    r"""Windows of the cases: some centred on a voxel of a foreground class, the others anywhere.

    Cases come in an endless sequence of random orders, so that at any time two cases have been used equally often but
    for 1. Of the $B$ windows of batch g (counted over all epochs)

    $$ \lfloor (g + 1) B f \rfloor - \lfloor g B f \rfloor $$

    are centred on foreground, f being `foreground`: the class is drawn uniformly among the foreground classes that the
    case holds, so that a rare one comes up as often as a large one, then a voxel of it uniformly; a window that would
    reach beyond the case is moved inside. Cases without foreground give the other windows, which lie anywhere in the
    case; only where too few cases of a batch hold foreground, fewer windows are centred.

    Cases smaller than the window are padded, see `crop`. If any case is, all batches have sample weights, which are 0
    in the padding, so that every batch has one form. Labels of `ignore_class` stay, for the loss to leave out.

    Args:
        dataset: The cases to train on, `dataset.select(dataset.indices("train"))`.
        patch_size, batch_size, seed, outputs, workers, use_multiprocessing: See `CaseBatches`.
        patches_per_epoch: Windows per epoch, rounded up to whole batches. None, without `steps_per_epoch`, is one per
            case.
        steps_per_epoch: Batches per epoch instead.
        foreground: Share f of the windows in [0, 1].
        augmentation: Layers of `imbclf.augment`, applied in turn to images, labels and weights.
        flips: Spatial axes along which each window is mirrored with probability 1/2, or None.

    Attributes:
        weighted: Whether batches have sample weights.

    Raises:
        InputError: What `SeededBatches` raises, no case, a share outside [0, 1], a share above 0 without any
            foreground, both `patches_per_epoch` and `steps_per_epoch`, an axis that the cases do not have, a layer that
            cannot move labels or that needs images of another range.

    Example:

    >>> from imbclf.data import segmentation_shapes
    >>> from imbclf.sampling import PatchBatches
    >>> batches = PatchBatches(segmentation_shapes(count=6), patch_size=16, batch_size=2, foreground=0.5)
    >>> len(batches)
    3
    >>> x, y = batches[0]
    >>> x.shape, y.shape
    ((2, 16, 16, 16, 1), (2, 16, 16, 16))
    """

    def __init__(
        self,
        dataset,
        patch_size,
        batch_size,
        patches_per_epoch=None,
        steps_per_epoch=None,
        foreground=0.5,
        seed=0,
        augmentation=(),
        flips=None,
        outputs=1,
        workers=1,
        use_multiprocessing=False,
    ):
        super().__init__(dataset, patch_size, batch_size, seed, outputs, workers, use_multiprocessing)
        self._steps = self._steps_of(patches_per_epoch, steps_per_epoch)
        if isinstance(foreground, bool) or not isinstance(foreground, int | float) or not 0 <= foreground <= 1:
            raise InputError(f"foreground must be a share in [0, 1], not {foreground!r}.")
        self.foreground = foreground
        # Exact, so that the shares of many batches add up.
        self._centred_per_batch = self.batch_size * Fraction(foreground).limit_denominator(10**6)
        self._present = dataset.voxel_counts()[:, 1:] > 0
        if foreground > 0 and not self._present.any():
            raise InputError("No case holds a foreground class to centre patches on: set foreground to 0.")
        self.flips = () if flips is None else tuple(flips)
        for axis in self.flips:
            if axis not in range(dataset.rank):
                raise InputError(f"flips must be axes from 0 to {dataset.rank - 1}, not {axis!r}.")
        self.augmentation = tuple(augmentation)
        for layer in self.augmentation:
            _check_layer(layer, dataset)
        self.weighted = bool((dataset.spaces < self.patch_size).any())
        self._order = lru_cache(maxsize=4)(self._new_order)

    def _steps_of(self, patches_per_epoch, steps_per_epoch):
        if patches_per_epoch is not None and steps_per_epoch is not None:
            raise InputError("Either patches_per_epoch or steps_per_epoch says how long an epoch is, not both.")
        if steps_per_epoch is not None:
            return whole(steps_per_epoch, "steps_per_epoch", 1)
        patches = len(self.dataset) if patches_per_epoch is None else patches_per_epoch
        return -(-whole(patches, "patches_per_epoch", 1) // self.batch_size)

    def __len__(self):
        return self._steps

    def batch(self, epoch, index):
        number = epoch * len(self) + index
        random = random_generator(self.seed, 3, number)
        windows = [
            self._mirrored(random, crop(self.dataset.case(case), start, self.patch_size))
            for case, start, _ in self.windows(epoch, index)
        ]
        x, y, inside = map(np.stack, zip(*windows))
        maps = (y, inside) if self.weighted else (y,)
        # Preparing batches must not compete with the training for the accelerator.
        with keras.device("cpu"):
            for layer in self.augmentation:
                x, maps = layer.transform_pair(x, *maps, random=random)
            return self.handed_out(*(keras.ops.convert_to_numpy(array) for array in (x, *maps)))

    def windows(self, epoch, index):
        """Where the windows of a batch lie: for each the case, its start, and the class it is centred on or None."""
        number = epoch * len(self) + index
        random = random_generator(self.seed, 1, number)
        cases = self._cases(number)
        is_centred = self._is_centred(random, number, cases)
        return [(case, *self._place(random, case, centred)) for case, centred in zip(cases.tolist(), is_centred)]

    def _cases(self, number):
        """Cases of a batch: the next ones of the endless sequence."""
        places = np.arange(number * self.batch_size, (number + 1) * self.batch_size)
        cycles, positions = np.divmod(places, len(self.dataset))
        return np.array([self._order(int(cycle))[position] for cycle, position in zip(cycles, positions)])

    def _new_order(self, cycle):
        return random_generator(self.seed, 2, cycle).permutation(len(self.dataset))

    def _is_centred(self, random, number, cases):
        """Which windows of a batch are centred on foreground, boolean; cases that hold some come first."""
        count = int((number + 1) * self._centred_per_batch) - int(number * self._centred_per_batch)
        holds = self._present[cases].any(axis=1)
        shuffled = random.permutation(len(cases))
        chosen = shuffled[np.argsort(~holds[shuffled], kind="stable")][:count]
        return np.isin(np.arange(len(cases)), chosen) & holds

    def _place(self, random, case, centred):
        """Start of a window, and the class it is centred on or None."""
        space, size = self.dataset.spaces[case], np.array(self.patch_size)
        if not centred:
            return fitted_start(random.integers(np.maximum(space - size, 0) + 1), space, size), None
        label = int(random.choice(np.flatnonzero(self._present[case]))) + 1
        voxels = np.flatnonzero(self.dataset.case(case).mask == label)
        centre = np.array(np.unravel_index(random.choice(voxels), space))
        return fitted_start(centre - size // 2, space, size), label

    def _mirrored(self, random, arrays):
        axes = [axis for axis in self.flips if random.random() < 0.5]
        return [np.flip(array, axes) for array in arrays]


def _check_layer(layer, dataset):
    if not hasattr(layer, "transform_pair"):
        raise InputError(f"Augmentation must be layers of imbclf.augment, which move labels too, not {layer!r}.")
    if getattr(layer, "value_range", None) == [0.0, 1.0] and getattr(dataset, "normalize", None) == "zscore":
        raise InputError(
            f"{type(layer).__name__} expects images in [0, 1], but these are z-scored: give it another value_range, or "
            "normalise by minmax."
        )
