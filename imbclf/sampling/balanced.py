"""Batches that give every class the same number of samples."""

import warnings
from functools import lru_cache

import numpy as np

from imbclf.errors import InputError, whole
from imbclf.sampling.batches import Batches
from imbclf.sampling.seeded import random_generator


class BalancedBatches(Batches):
    r"""Equal portions of each batch to each class, by oversampling the rare ones.

    Of K classes each has $\lfloor B / K \rfloor$ places in a batch of B. The remaining $r = B \bmod K$ places go to r
    classes in turn, so that the numbers of places of two classes differ by at most 1 in a batch, in an epoch, and in a
    whole training. Before batch g (counted over all epochs) class c, from 0 on, has had

    $$ g \lfloor B / K \rfloor + \lceil (g r - c) / K \rceil $$

    places. Each class fills its places from an endless sequence of random orders of its samples, so every sample of it
    is used once before any is used again. Places are shuffled within the batch.

    A batch is a function of (seed, epoch, index) alone: any batch can be computed without those before it, and is the
    same for any number of workers and on any backend.

    Args:
        x, y, batch_size, seed, sample_weight, class_names, workers, use_multiprocessing: See `Batches`.
        num_batches: Batches per epoch. None gives `ceil(n / batch_size)`, the same work as `UniformBatches`;
            `"majority"` gives enough for every sample of the largest class.

    Raises:
        InputError: What `Batches` raises, or a batch smaller than the number of classes.

    Warns:
        UserWarning: The mean sample weights of two classes differ by more than 1 %: classes are then balanced twice.

    Example:

    >>> import numpy as np
    >>> from imbclf.sampling import BalancedBatches
    >>> x, y = np.zeros((100, 8, 8, 1)), np.repeat([0, 1], [90, 10])
    >>> batches = BalancedBatches(x, y, batch_size=8, seed=0)
    >>> np.bincount(y[batches.batch_indices(epoch=0, index=3)]).tolist()
    [4, 4]
    >>> batches.drawn_counts()
    array([52., 52.])
    """

    def __init__(
        self,
        x,
        y,
        batch_size,
        seed=0,
        sample_weight=None,
        num_batches=None,
        class_names=None,
        workers=1,
        use_multiprocessing=False,
    ):
        super().__init__(x, y, batch_size, seed, sample_weight, class_names, workers, use_multiprocessing)
        if self.batch_size < self.num_classes:
            raise InputError(
                f"A balanced batch needs at least one sample of each of the {self.num_classes} classes, but "
                f"batch_size is {self.batch_size}: make it larger, or use uniform batches."
            )
        self._num_batches = self._batches_per_epoch(num_batches)
        self._members = [np.flatnonzero(self.y == label) for label in range(self.num_classes)]
        # Consecutive batches share an order, and a batch at its end needs the next one too.
        self._order = lru_cache(maxsize=4 * self.num_classes)(self._new_order)
        self._warn_of_double_correction()

    def _batches_per_epoch(self, num_batches):
        if num_batches is None:
            return -(-len(self.y) // self.batch_size)
        if num_batches == "majority":
            return -(-self.num_classes * int(self.counts.max()) // self.batch_size)
        if isinstance(num_batches, str):
            raise InputError(f"num_batches must be a number, 'majority' or None, not {num_batches!r}.")
        return whole(num_batches, "num_batches", 1)

    def _warn_of_double_correction(self):
        if self.sample_weight is None:
            return
        means = np.bincount(self.y, self.sample_weight, self.num_classes) / self.counts
        if means.max() > 1.01 * means.min():
            heavy, light = self.class_names[means.argmax()], self.class_names[means.argmin()]
            warnings.warn(
                f"Batches are balanced and samples of class {heavy} weigh {means.max():.3g} on average against "
                f"{means.min():.3g} of class {light}: this corrects the imbalance twice, so use one of the two.",
                stacklevel=3,
            )

    def __len__(self):
        return self._num_batches

    @property
    def num_batches(self):
        """Batches per epoch."""
        return self._num_batches

    def batch_indices(self, epoch, index):
        batch = epoch * len(self) + index
        places, next_places = self._places_before(batch), self._places_before(batch + 1)
        chosen = [
            self._draw(label, start, stop)
            for label, (start, stop) in enumerate(zip(places.tolist(), next_places.tolist()))
        ]
        return random_generator(self.seed, 1, batch).permutation(np.concatenate(chosen))

    def _places_before(self, batch):
        """Places that each class has had before a batch, int64 `(K,)`."""
        share, rest = divmod(self.batch_size, self.num_classes)
        return batch * share - (np.arange(self.num_classes) - batch * rest) // self.num_classes

    def _draw(self, label, start, stop):
        """Samples at the places from `start` to `stop` in the endless sequence of one class."""
        places = np.arange(start, stop)
        size = len(self._members[label])
        drawn = [
            self._order(label, cycle)[places[places // size == cycle] % size] for cycle in np.unique(places // size)
        ]
        return np.concatenate(drawn)

    def _new_order(self, label, cycle):
        return random_generator(self.seed, 2, label, int(cycle)).permutation(self._members[label])

    def drawn_counts(self):
        return np.full(self.num_classes, len(self) * self.batch_size / self.num_classes)
