from keras import ops

from imbclf.augment.random_layer import RandomLayer, checked_range


class ToneCurve(RandomLayer):
    """Base of layers that send each intensity to another of the same range, whatever lies around it.

    A subclass says in `curve` what becomes of the share of the range that an intensity has. Values below the range
    count as its lower end.

    Args:
        probability: chance of each image to be changed.
        seed: integer seed of the draws.
        value_range: `(a, b)`, or `"image"` for the extremes of each image and channel, which z-scored images need.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, probability=0.5, seed=None, value_range=(0.0, 1.0), **kwargs):
        super().__init__(probability=probability, seed=seed, **kwargs)
        self.value_range = "image" if value_range == "image" else checked_range(value_range, '"image"')

    def transform(self, images):
        if self.value_range == "image":
            space = tuple(range(1, len(images.shape) - 1))
            start = ops.min(images, axis=space, keepdims=True)
            width = ops.max(images, axis=space, keepdims=True) - start
            # A constant image stays what it is.
            share = (images - start) / ops.where(width > 0, width, 1.0)
        else:
            start, end = self.value_range
            width = end - start
            share = ops.maximum((images - start) / width, 0.0)
        return start + width * self.curve(share)

    def curve(self, share):
        """The share of the range that an intensity gets for the share, at least 0, that it had; same shape."""
        raise NotImplementedError(f"{type(self).__name__} must say which curve it applies.")

    def get_config(self):
        return {**super().get_config(), "value_range": self.value_range}
