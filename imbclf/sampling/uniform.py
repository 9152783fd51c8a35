"""Batches that draw every sample equally often, whatever its class."""

from functools import lru_cache

import numpy as np

from imbclf.errors import InputError
from imbclf.sampling.batches import Batches
from imbclf.sampling.seeded import random_generator


class UniformBatches(Batches):
    """Every epoch goes through all samples once, in a new order.

    Args:
        x, y, batch_size, seed, sample_weight, class_names, workers, use_multiprocessing: See `Batches`.
        shuffle: New order in every epoch; False keeps the order of the samples and leaves `x.random` alone, for
            evaluation.
        last: What becomes of the last batch where `batch_size` does not divide n: `"wrap"` fills it up with samples of
            the same epoch drawn a second time, chosen anew in every epoch; `"drop"` leaves it out; `"keep"` hands it
            out smaller. None means `"wrap"` with `shuffle` and `"keep"` without: in training a batch of one or two
            samples would carry the statistics of a set-level loss and make JAX compile again.

    Raises:
        InputError: What `Batches` raises, an unknown `last`, or `"drop"` with fewer samples than one batch.

    Example:

    >>> import numpy as np
    >>> from imbclf.sampling import UniformBatches
    >>> batches = UniformBatches(np.zeros((5, 8, 8, 1)), [0, 0, 0, 0, 1], batch_size=2, seed=0)
    >>> len(batches)
    3
    >>> x, y = batches[0]
    >>> x.shape, y.dtype
    ((2, 8, 8, 1), dtype('int32'))
    >>> batches.drawn_counts()
    array([4.8, 1.2])
    """

    def __init__(
        self,
        x,
        y,
        batch_size,
        seed=0,
        sample_weight=None,
        shuffle=True,
        last=None,
        class_names=None,
        workers=1,
        use_multiprocessing=False,
    ):
        super().__init__(x, y, batch_size, seed, sample_weight, class_names, workers, use_multiprocessing)
        self.shuffle = shuffle
        self._order = lru_cache(maxsize=2)(self._new_order)
        self.last = last or ("wrap" if shuffle else "keep")
        if self.last not in ("wrap", "drop", "keep"):
            raise InputError(f"last must be wrap, drop or keep, not {last!r}.")
        if self.last == "drop" and len(self.y) < self.batch_size:
            raise InputError(
                f"There are {len(self.y)} samples, fewer than one batch of {self.batch_size}, and last is 'drop': "
                "make the batch smaller, or wrap."
            )

    @property
    def draws_at_random(self):
        return self.shuffle and super().draws_at_random

    def __len__(self):
        whole_batches, rest = divmod(len(self.y), self.batch_size)
        return whole_batches + (rest > 0 and self.last != "drop")

    def batch_indices(self, epoch, index):
        count = len(self.y)
        order = self._order(epoch)
        slots = np.arange(index * self.batch_size, (index + 1) * self.batch_size)
        if self.last == "keep":
            slots = slots[slots < count]
        return order[slots % count]

    def _new_order(self, epoch):
        count = len(self.y)
        return random_generator(self.seed, epoch).permutation(count) if self.shuffle else np.arange(count)

    def drawn_counts(self):
        drawn = len(self.y) if self.last == "keep" else len(self) * self.batch_size
        return self.counts * (drawn / len(self.y))
