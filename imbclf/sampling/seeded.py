"""What all batches share: each is a pure function of seed, epoch and index."""

import keras
import numpy as np

from imbclf.errors import InputError, whole
from imbclf.sampling.lookahead import Lookahead


class SeededBatches(keras.utils.PyDataset):
    """Base of everything that is handed to `model.fit`: on any backend, for any number of threads, the same batches.

    A subclass makes the batch of an epoch at an index (`batch`) and says how many an epoch has (`__len__`).

    `epoch` counts by itself during `fit`: it grows by one when Keras reports the end of an epoch whose last batch was
    handed out. Keras also runs trial epochs, to build a model; these do not count. An epoch that was broken off is
    drawn again. A second `fit` goes on counting. Set `epoch` to draw those of another epoch, and use
    `EpochFromTrainer` where the number must follow the trainer's exactly, as for `fit(initial_epoch=...)`. Leave
    `steps_per_epoch` of `fit` away: the length of the batches says it.

    Args:
        batch_size: Samples per batch.
        seed: Whole number from 0 on.
        workers: Threads that prepare batches ahead, kept as `threads`; with 1 each batch is prepared when it is asked
            for. The batches are the same for any number.
        use_multiprocessing: Must be False: forked processes and accelerators do not go together.

    Attributes:
        failure: The exception that reading a batch ended with, or None. TensorFlow wraps exceptions from a data set
            into its own; here is the original.
    """

    def __init__(self, batch_size, seed=0, workers=1, use_multiprocessing=False):
        super().__init__()
        if use_multiprocessing:
            raise InputError(
                "use_multiprocessing must be False, because forked processes hang or fail beside an accelerator: set "
                "workers to prepare batches in threads."
            )
        self.batch_size = whole(batch_size, "batch_size", 1)
        self.seed = whole(seed, "seed", 0)
        self.threads = whole(workers, "workers", 1)
        self.epoch = 0
        self.failure = None
        self._lookahead = Lookahead(self.batch, self.threads) if self.threads > 1 else None
        self._has_seen_an_end = False
        self._is_open = False
        self._is_complete = False

    def batch(self, epoch, index):
        """The batch of an epoch at an index, as `fit` takes it; a pure function of the seed and its arguments."""
        raise NotImplementedError

    @property
    def workers(self):
        """What Keras reads, always 1: the batches have their own `threads`, for the reason given in `Lookahead`."""
        return 1

    @property
    def use_multiprocessing(self):
        """What Keras reads, always False."""
        return False

    def __getitem__(self, index):
        index = range(len(self))[index]
        epoch = self.epoch
        if index == len(self) - 1:
            self._is_complete = True
        try:
            return self._lookahead.get(epoch, index, len(self)) if self._lookahead else self.batch(epoch, index)
        except Exception as failure:
            self.failure = failure
            raise

    def on_epoch_begin(self):
        """Called by Keras."""
        self._is_open = True

    def on_epoch_end(self):
        """Called by Keras, also where no epoch ended: once before the first epoch of every `fit`."""
        if self._has_seen_an_end and self._is_open and self._is_complete:
            self.epoch += 1
            self._is_complete = False
        if not self._has_seen_an_end or not self._is_open:
            # A batch asked for outside an epoch was a look at the shapes.
            self._is_complete = False
        self._has_seen_an_end = True
        self._is_open = False


def random_generator(*key):
    """A random generator that depends on a few whole numbers and on nothing else."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
