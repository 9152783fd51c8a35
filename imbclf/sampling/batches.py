"""What all samplers share: a batch is a pure function of seed, epoch and index."""

import keras
import numpy as np

from imbclf.errors import InputError
from imbclf.sampling.labels import class_indices
from imbclf.sampling.lookahead import Lookahead


class Batches(keras.utils.PyDataset):
    """Base of the samplers: `model.fit(batches)` on any backend.

    A subclass says which samples form a batch (`batch_indices`) and how many batches an epoch has (`__len__`); this
    class reads them. `batches[index]` is `(x, y)` or `(x, y, sample_weight)` with y int32 `(batch_size,)`.

    `epoch` counts by itself during `fit`: it grows by one when Keras reports the end of an epoch whose last batch was
    handed out. Keras also runs trial epochs, to build a model; these do not count. An epoch that was broken off is
    drawn again. A second `fit` goes on counting. Set `epoch` to draw those of another epoch, and use
    `EpochFromTrainer` where the number must follow the trainer's exactly, as for `fit(initial_epoch=...)`. Leave
    `steps_per_epoch` of `fit` away: the length of the batches says it.

    Args:
        x: Samples: an array, or any object with `len()` and `x[int array]`, such as `imbclf.data.ImageFiles`.
        y: Labels: whole numbers `(n,)` or `(n, 1)`, or one-hot `(n, K)`, which becomes whole numbers.
        batch_size: Samples per batch.
        seed: Whole number from 0 on.
        sample_weight: Weight of each sample `(n,)`, or None.
        class_names: The K names, used in errors.
        workers: Threads that prepare batches ahead, kept as `threads`; with 1 each batch is prepared when it is asked
            for. The batches are the same for any number.
        use_multiprocessing: Must be False: forked processes and accelerators do not go together.

    Attributes:
        failure: The exception that reading a batch ended with, or None. TensorFlow wraps exceptions from a data set
            into its own; here is the original.
    """

    def __init__(
        self,
        x,
        y,
        batch_size,
        seed=0,
        sample_weight=None,
        class_names=None,
        workers=1,
        use_multiprocessing=False,
    ):
        super().__init__()
        if use_multiprocessing:
            raise InputError(
                "use_multiprocessing must be False, because forked processes hang or fail beside an accelerator: set "
                "workers to prepare batches in threads."
            )
        self.x = x
        self.y, self.class_names = class_indices(y, class_names)
        self.batch_size = whole(batch_size, "batch_size", 1)
        self.seed = whole(seed, "seed", 0)
        if len(x) != len(self.y):
            raise InputError(f"There are {len(x)} samples but {len(self.y)} labels.")
        self.sample_weight = _sample_weights(sample_weight, len(self.y))
        self.threads = whole(workers, "workers", 1)
        self.epoch = 0
        self.failure = None
        self._lookahead = Lookahead(self.batch, self.threads) if self.threads > 1 else None
        self._has_seen_an_end = False
        self._is_open = False
        self._is_complete = False

    def batch_indices(self, epoch, index):
        """Positions of the samples in one batch, int64; a pure function of the seed and its arguments."""
        raise NotImplementedError

    def drawn_counts(self):
        """Mean number of samples of each class that one epoch draws, float64 `(K,)`."""
        raise NotImplementedError

    @property
    def workers(self):
        """What Keras reads, always 1: the batches have their own `threads`, for the reason given in `Lookahead`."""
        return 1

    @property
    def use_multiprocessing(self):
        """What Keras reads, always False."""
        return False

    @property
    def num_classes(self):
        """Number of classes K."""
        return len(self.class_names)

    @property
    def counts(self):
        """Number of samples of each class that there are, int64 `(K,)`."""
        return np.bincount(self.y, minlength=self.num_classes)

    def batch(self, epoch, index):
        """The batch of an epoch at an index: `(x, y)` or `(x, y, sample_weight)`."""
        indices = self.batch_indices(epoch, index)
        x, y = self.x[indices], self.y[indices].astype(np.int32)
        return (x, y) if self.sample_weight is None else (x, y, self.sample_weight[indices])

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


def whole(value, name, least):
    """A whole number given by the user, checked."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be a whole number from {least} on, not {value!r}.")
    return int(value)


def _sample_weights(sample_weight, count):
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight)
    if not np.issubdtype(weights.dtype, np.number) and weights.dtype != bool:
        raise InputError(f"Sample weights must be numbers, but they are {weights.dtype}.")
    if weights.shape != (count,):
        raise InputError(
            f"There are {count} samples, but sample_weight has shape {weights.shape} instead of ({count},)."
        )
    unusable = ~np.isfinite(weights) | (weights < 0)
    if unusable.any():
        row = int(np.argmax(unusable))
        raise InputError(f"Sample weights must be finite and not negative, but sample {row} has {weights[row]}.")
    if not weights.any():
        raise InputError("All sample weights are zero, so there is nothing to learn from.")
    return weights.astype(np.float32)
