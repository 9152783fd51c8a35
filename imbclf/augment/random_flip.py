from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import RandomLayer


@register_keras_serializable(package="imbclf")
class RandomFlip(RandomLayer):
    """Mirror images along spatial axes, each axis with the given probability and for each image on its own.

    Args:
        axes: spatial axes, 0 the first; `None` for all.
        probability: chance of a flip, per axis.
        seed: integer seed of the draws.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` in and out; the values are only moved.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomFlip
    >>> image = np.arange(3.0).reshape(1, 1, 3, 1)
    >>> RandomFlip(axes=[1], probability=1.0)(image, training=True)[0, 0, :, 0].__array__().tolist()
    [2.0, 1.0, 0.0]
    """

    def __init__(self, axes=None, probability=0.5, seed=None, **kwargs):
        super().__init__(probability=probability, seed=seed, **kwargs)
        self.axes = None if axes is None else [int(axis) for axis in axes]

    def build(self, input_shape):
        self._axes_of(len(input_shape) - 2)

    def change(self, images, maps):
        for axis in self._axes_of(len(images.shape) - 2):
            chosen = self.draw(images, 0.0, 1.0) < self.probability
            images = ops.where(chosen, ops.flip(images, axis=axis + 1), images)
            maps = [ops.where(chosen[..., 0], ops.flip(values, axis=axis + 1), values) for values in maps]
        return images, maps

    def _axes_of(self, rank):
        for axis in self.axes or ():
            if not 0 <= axis < rank:
                raise ValueError(f"axes must be in 0..{rank - 1} for {rank}D images; received {axis}.")
        return range(rank) if self.axes is None else self.axes

    def get_config(self):
        return {**super().get_config(), "axes": self.axes}
