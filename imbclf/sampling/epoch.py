"""The trainer's epoch number, handed to the batches."""

import keras


class EpochFromTrainer(keras.callbacks.Callback):
    """Sets `batches.epoch` at the start of every epoch to the number that the trainer counts, from 0.

    With it a training that is resumed by `fit(initial_epoch=...)` draws the batches that it would have drawn.

    Args:
        batches: The `SeededBatches` given to `fit`: `BalancedBatches`, `UniformBatches` or `PatchBatches`.

    Example:

    >>> import numpy as np
    >>> from imbclf.sampling import EpochFromTrainer, UniformBatches
    >>> batches = UniformBatches(np.zeros((4, 2)), [0, 1, 0, 1], batch_size=2)
    >>> EpochFromTrainer(batches).on_epoch_begin(7)
    >>> batches.epoch
    7
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        """Called by Keras before it asks for the first batch of the epoch."""
        self.batches.epoch = epoch
