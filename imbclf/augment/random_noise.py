from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import RandomLayer, checked_interval, checked_range


@register_keras_serializable(package="imbclf")
class RandomNoise(RandomLayer):
    r"""Add Gaussian noise of mean 0, independent in every voxel and channel, its deviation drawn for each image.

    \(x + \sigma z\) with z standard normal and \(\sigma\) uniform, then cut to the range, as
    `skimage.util.random_noise` with `var` \(\sigma^2\).

    Args:
        std: `(low, high)`, not negative, in the unit of the intensities.
        probability: chance of each image to be changed.
        seed: integer seed of the draws.
        value_range: `(a, b)` that the values of changed images are cut to, or `None` for z-scored images, which have no
            bounds.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` in and out.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomNoise
    >>> layer = RandomNoise(std=(2.0, 2.0), probability=1.0, seed=0, value_range=None)
    >>> float(layer(np.zeros((1, 64, 64, 1)), training=True).__array__().std())
    2.0
    """

    def __init__(self, std=(0.0, 0.1), probability=0.5, seed=None, value_range=(0.0, 1.0), **kwargs):
        super().__init__(probability=probability, seed=seed, **kwargs)
        self.std = checked_interval("std", std)
        self.value_range = None if value_range is None else checked_range(value_range, "None")

    def transform(self, images):
        noisy = images + self.draw(images, *self.std) * self.draw_noise(images)
        return noisy if self.value_range is None else ops.clip(noisy, *self.value_range)

    def get_config(self):
        return {**super().get_config(), "std": self.std, "value_range": self.value_range}
