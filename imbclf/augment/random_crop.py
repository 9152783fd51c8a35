from numbers import Integral

from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import RandomLayer


@register_keras_serializable(package="imbclf")
class RandomCrop(RandomLayer):
    """Cut a window out of each image: in training from a random place with the given probability, else the middle.

    Outside training it is always the window in the middle, so that a network sees images of one size. Scholz et al.
    (2024) cut 64^3 voxels out of 96^3 and apply each augmentation "with p = 0.5". Images of two sizes do not fit into
    one batch, so that the crop itself cannot be left to chance; `probability` is therefore the chance of a random
    window instead of the one in the middle.

    Args:
        size: sides of the window, one number for all or one per spatial axis; 64 in Scholz et al. (2024).
        probability: chance of each image to give a random window. Starts are uniform along each axis.
        seed: integer seed of the draws.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` with known space in, `(batch, *size, channels)` out.

    Raises:
        ValueError: a size that is not positive, or not one per axis, or larger than the image.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomCrop
    >>> RandomCrop(2)(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0].__array__().tolist()
    [[5.0, 6.0], [9.0, 10.0]]
    """

    def __init__(self, size=64, probability=0.5, seed=None, **kwargs):
        super().__init__(probability=probability, seed=seed, **kwargs)
        sides = list(size) if isinstance(size, list | tuple) else [size]
        if not sides or any(isinstance(side, bool) or not isinstance(side, Integral) or side < 1 for side in sides):
            raise ValueError(f"size must be a positive whole number, or one per spatial axis; received {size!r}.")
        self.size = [int(side) for side in sides] if isinstance(size, list | tuple) else int(size)

    def build(self, input_shape):
        self._window(input_shape)

    def call(self, images, training=False):
        if training:
            return super().call(images, training=True)
        starts = [slack // 2 for slack in self._slack(images.shape)]
        inside = [slice(start, start + side) for start, side in zip(starts, self._window(images.shape))]
        return images[(slice(None), *inside)]

    def change(self, images, maps):
        slacks = self._slack(images.shape)
        # A draw can be rounded up to its upper end.
        random = [ops.minimum(ops.floor(self.draw(images, 0.0, slack + 1.0)), slack) for slack in slacks]
        chosen = self.draw(images, 0.0, 1.0) < self.probability
        starts = [ops.where(chosen, start, slack // 2)[..., 0] for start, slack in zip(random, slacks)]
        index = self._voxels(images, starts)
        flat = ops.reshape(images, (-1, images.shape[-1]))
        return ops.take(flat, index, axis=0), [ops.take(ops.reshape(values, (-1,)), index, axis=0) for values in maps]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._window(input_shape), input_shape[-1])

    def _voxels(self, images, starts):
        """Where the voxels of windows stand among those of all images, `(B, *size)`; starts are `(B, 1, ..., 1)`."""
        rank = len(starts)
        index = ops.reshape(ops.arange(ops.shape(images)[0], dtype="int32"), (-1,) + (1,) * rank)
        for axis, (start, side) in enumerate(zip(starts, self._window(images.shape))):
            along = [-1 if other == axis else 1 for other in range(rank)]
            steps = ops.reshape(ops.arange(side, dtype="int32"), (1, *along))
            index = index * images.shape[axis + 1] + ops.cast(start, "int32") + steps
        return index

    def _slack(self, shape):
        return [side - length for side, length in zip(shape[1:-1], self._window(shape))]

    def _window(self, shape):
        """The size along each axis of images of a shape."""
        space = tuple(shape[1:-1])
        size = self.size if isinstance(self.size, list) else [self.size] * len(space)
        if len(size) != len(space):
            raise ValueError(f"size must be one number or {len(space)} for {len(space)}D images; received {self.size}.")
        if any(side is None or side < length for side, length in zip(space, size)):
            raise ValueError(f"size must not be larger than the images, whose sides are {space}; received {self.size}.")
        return tuple(size)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
