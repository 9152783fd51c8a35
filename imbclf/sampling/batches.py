"""Batches of labelled samples, in whatever proportion of the classes."""

import numpy as np

from imbclf.errors import InputError
from imbclf.sampling.labels import class_indices
from imbclf.sampling.seeded import SeededBatches, random_generator


class Batches(SeededBatches):
    """Base of the samplers of classification: `model.fit(batches)` on any backend.

    A subclass says which samples form a batch (`batch_indices`) and how many batches an epoch has (`__len__`); this
    class reads them. `batches[index]` is `(x, y)` or `(x, y, sample_weight)` with y int32 `(batch_size,)`. How epochs
    are counted, and what `failure` is, is said in `SeededBatches`.

    Args:
        x: Samples: an array, or any object with `len()` and `x[int array]`, such as `imbclf.data.ImageFiles`. Where it
            has `x.random(int array, generator)` too, as `imbclf.data.Windows` has, samples are drawn by that, with a
            generator that depends on seed, epoch and index alone.
        y: Labels: whole numbers `(n,)` or `(n, 1)`, or one-hot `(n, K)`, which becomes whole numbers.
        batch_size, seed, workers, use_multiprocessing: See `SeededBatches`.
        sample_weight: Weight of each sample `(n,)`, or None.
        class_names: The K names, used in errors.
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
        super().__init__(batch_size, seed, workers, use_multiprocessing)
        self.x = x
        self.y, self.class_names = class_indices(y, class_names)
        if len(x) != len(self.y):
            raise InputError(f"There are {len(x)} samples but {len(self.y)} labels.")
        self.sample_weight = _sample_weights(sample_weight, len(self.y))

    def batch_indices(self, epoch, index):
        """Positions of the samples in one batch, int64; a pure function of the seed and its arguments."""
        raise NotImplementedError

    def drawn_counts(self):
        """Mean number of samples of each class that one epoch draws, float64 `(K,)`."""
        raise NotImplementedError

    @property
    def draws_at_random(self):
        """Whether samples are drawn by `x.random`, rather than read as they are."""
        return hasattr(self.x, "random")

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
        if self.draws_at_random:
            # The last number is never 0: shorter keys, such as those of the orders, count as filled up with zeros.
            x = self.x.random(indices, random_generator(self.seed, 3, epoch, index + 1))
        else:
            x = self.x[indices]
        y = self.y[indices].astype(np.int32)
        return (x, y) if self.sample_weight is None else (x, y, self.sample_weight[indices])


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
