from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import checked_interval
from imbclf.augment.tone_curve import ToneCurve


@register_keras_serializable(package="imbclf")
class RandomGamma(ToneCurve):
    r"""Raise intensities to a power: \(x^\gamma\) with \(\gamma\) drawn uniformly for each image.

    For images in [0, 1], which stay there: below 1 brightens, above 1 darkens, as `skimage.exposure.adjust_gamma`. With
    another range from a to b it is \(a + (b - a)\,((x - a) / (b - a))^\gamma\).

    Args:
        gamma: `(low, high)`, positive; 0.5 to 1.5 in Scholz et al. (2024).
        probability: chance of each image to be changed.
        seed: integer seed of the draws.
        value_range: `(a, b)`, or `"image"` for the extremes of each image and channel, which z-scored images need.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` in and out. Values below a count as a.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomGamma
    >>> squared = RandomGamma(gamma=(2.0, 2.0), probability=1.0)(np.full((1, 2, 2, 1), 0.5), training=True)
    >>> float(squared[0, 0, 0, 0])
    0.25
    """

    def __init__(self, gamma=(0.5, 1.5), probability=0.5, seed=None, value_range=(0.0, 1.0), **kwargs):
        super().__init__(probability=probability, seed=seed, value_range=value_range, **kwargs)
        self.gamma = checked_interval("gamma", gamma, is_positive=True)

    def curve(self, share):
        return ops.power(share, self.draw(share, *self.gamma))

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}
