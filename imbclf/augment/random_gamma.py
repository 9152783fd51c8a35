from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import RandomLayer


@register_keras_serializable(package="imbclf")
class RandomGamma(RandomLayer):
    r"""Raise intensities to a power: \(x^\gamma\) with \(\gamma\) drawn uniformly for each image.

    For images in [0, 1], which stay there: below 1 brightens, above 1 darkens, as `skimage.exposure.adjust_gamma`.

    Args:
        gamma: `(low, high)`, positive; 0.5 to 1.5 in Scholz et al. (2024).
        probability: chance of each image to be changed.
        seed: integer seed of the draws.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` in and out. Values below 0 count as 0.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomGamma
    >>> squared = RandomGamma(gamma=(2.0, 2.0), probability=1.0)(np.full((1, 2, 2, 1), 0.5), training=True)
    >>> float(squared[0, 0, 0, 0])
    0.25
    """

    def __init__(self, gamma=(0.5, 1.5), probability=0.5, seed=None, **kwargs):
        super().__init__(probability=probability, seed=seed, **kwargs)
        low, high = gamma
        if not 0 < low <= high:
            raise ValueError(f"gamma must be (low, high) with 0 < low <= high; received {gamma}.")
        self.gamma = [float(low), float(high)]

    def transform(self, images):
        return ops.power(ops.maximum(images, 0.0), self.draw(images, *self.gamma))

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}
