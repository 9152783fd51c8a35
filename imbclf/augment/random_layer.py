from contextvars import ContextVar

import keras
from keras import ops

# A context variable belongs to one thread, so that threads which prepare batches do not share draws.
_random = ContextVar("random", default=None)


class RandomLayer(keras.layers.Layer):
    """Base of all augmentation: each image of a batch is changed with a probability and with draws of its own.

    A subclass changes every image in `transform`, or, where voxels move, in `transform_with`; which images take effect
    is decided here, in `change`. Nothing happens outside training. Works on `(batch, *space, channels)` with any number
    of spatial axes, in float32 whatever the policy.

    Args:
        probability: chance of each image to be changed.
        seed: integer seed of the draws; the state of the generator is saved with the layer's variables.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, probability=0.5, seed=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be in [0, 1]; received {probability}.")
        self.probability = probability
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        return self.change(images, [])[0] if training else images

    def transform_pair(self, images, *maps, random=None):
        """Change images as in training, and move with them what belongs to their voxels.

        Labels, and weights of voxels, move by the same draws, to the nearest voxel: labels stay exact whole numbers.
        Layers that change intensities alone leave them as they are.

        Args:
            images: `(batch, *space, channels)`.
            *maps: labels or weights, each `(batch, *space)`.
            random: NumPy generator that the draws come from, so that they are its function alone, whatever the thread
                and the backend; None takes the layer's own.

        Returns:
            The images, and a list of the maps.

        Example:

        >>> import numpy as np
        >>> from imbclf.augment import RandomFlip
        >>> image, labels = np.array([[[0.1], [0.2], [0.3]]]), np.array([[0, 0, 7]])
        >>> image, [labels] = RandomFlip(probability=1.0).transform_pair(image, labels)
        >>> labels.__array__().tolist()
        [[7, 0, 0]]
        """
        images = ops.convert_to_tensor(images, self.compute_dtype)
        maps = [ops.convert_to_tensor(values) for values in maps]
        for values in maps:
            if tuple(values.shape) != tuple(images.shape[:-1]):
                raise ValueError(
                    f"Labels must have the shape of the images without channels, {tuple(images.shape[:-1])}; received "
                    f"{tuple(values.shape)}."
                )
        token = _random.set(random)
        try:
            return self.change(images, maps)
        finally:
            _random.reset(token)

    def change(self, images, maps):
        """Images of which each is changed with the probability, and their maps moved with them."""
        changed, moved = self.transform_with(images, maps)
        chosen = self.draw(images, 0.0, 1.0) < self.probability
        maps = [ops.where(chosen[..., 0], after, before) for after, before in zip(moved, maps, strict=True)]
        return ops.where(chosen, changed, images), maps

    def transform_with(self, images, maps):
        """Every image changed, and the maps moved with them; here they stay, because intensities alone change."""
        return self.transform(images), maps

    def transform(self, images):
        """Every image changed, in the shape of `images`."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does to an image.")

    def draw(self, images, low, high):
        """One uniform number per image, of shape `(batch, 1, ..., 1)`."""
        shape = (ops.shape(images)[0],) + (1,) * (len(images.shape) - 1)
        if (random := _random.get()) is not None:
            return ops.convert_to_tensor(random.uniform(low, high, shape), self.compute_dtype)
        return keras.random.uniform(shape, low, high, dtype=self.compute_dtype, seed=self.seed_generator)

    def draw_noise(self, images):
        """One standard normal number per voxel and channel, in the shape of `images`."""
        if (random := _random.get()) is not None:
            return ops.convert_to_tensor(random.standard_normal(tuple(images.shape)), self.compute_dtype)
        return keras.random.normal(ops.shape(images), dtype=self.compute_dtype, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "probability": self.probability, "seed": self.seed}


def checked_interval(name, interval, is_positive=False):
    """`[low, high]` of a draw, as floats, neither negative nor in the wrong order; 0 is no value where `is_positive`.

    Example:

    >>> checked_interval("sigma", (0, 1.5))
    [0.0, 1.5]
    >>> checked_interval("gamma", (0, 1.5), is_positive=True)
    Traceback (most recent call last):
    ...
    ValueError: gamma must be (low, high) with 0 < low <= high; received (0, 1.5).
    """
    try:
        low, high = map(float, interval)
    except (TypeError, ValueError):
        low = high = float("nan")
    if not (0 < low <= high if is_positive else 0 <= low <= high):
        sign = "<" if is_positive else "<="
        raise ValueError(f"{name} must be (low, high) with 0 {sign} low <= high; received {interval!r}.")
    return [low, high]


def checked_range(value_range, otherwise):
    """`[a, b]` of the values of images, as floats with a < b.

    Args:
        value_range: What the user gave.
        otherwise: What they could have given instead, for the message.

    Example:

    >>> checked_range((0, 1), "None")
    [0.0, 1.0]
    """
    try:
        low, high = map(float, value_range)
    except (TypeError, ValueError):
        low = high = float("nan")
    if not low < high:
        raise ValueError(f"value_range must be (a, b) with a < b, or {otherwise}; received {value_range!r}.")
    return [low, high]
