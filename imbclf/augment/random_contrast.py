from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import checked_interval
from imbclf.augment.tone_curve import ToneCurve


@register_keras_serializable(package="imbclf")
class RandomContrast(ToneCurve):
    r"""Spread the intensities around a cutoff by a sigmoid whose gain is drawn uniformly for each image.

    \(1 / (1 + e^{g\,(c - x)})\) with gain g and cutoff c, as `skimage.exposure.adjust_sigmoid`, for images in [0, 1],
    which stay there. With another range from a to b, x is the share \((x - a) / (b - a)\), and so is the result. At a
    gain of 5 nearly nothing becomes steeper, but black turns to 0.08 and white to 0.92; at 10 the middle is 2.5 times
    as steep.

    Source: Braun and Fairchild (1999), Image lightness rescaling using sigmoidal contrast enhancement functions.

    Args:
        gain: `(low, high)`, positive; 5 to 10 in Scholz et al. (2024).
        cutoff: share of the range that becomes its middle.
        probability: chance of each image to be changed.
        seed: integer seed of the draws.
        value_range: `(a, b)`, or `"image"` for the extremes of each image and channel, which z-scored images need.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` in and out. Values below a count as a.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomContrast
    >>> image = np.array([0.0, 0.5, 1.0]).reshape(1, 1, 3, 1)
    >>> steeper = RandomContrast(gain=(10.0, 10.0), probability=1.0)(image, training=True)
    >>> steeper.__array__().ravel().round(4).tolist()
    [0.0067, 0.5, 0.9933]
    """

    def __init__(self, gain=(5.0, 10.0), cutoff=0.5, probability=0.5, seed=None, value_range=(0.0, 1.0), **kwargs):
        super().__init__(probability=probability, seed=seed, value_range=value_range, **kwargs)
        self.gain = checked_interval("gain", gain, is_positive=True)
        self.cutoff = float(cutoff)

    def curve(self, share):
        return ops.sigmoid(self.draw(share, *self.gain) * (share - self.cutoff))

    def get_config(self):
        return {**super().get_config(), "gain": self.gain, "cutoff": self.cutoff}
