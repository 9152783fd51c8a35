import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import RandomLayer, checked_interval

# In standard deviations, as of scipy.
TRUNCATE = 4.0


@register_keras_serializable(package="imbclf")
class RandomGaussianBlur(RandomLayer):
    r"""Blur images with a Gaussian whose width is drawn uniformly for each image, alike along all spatial axes.

    Equal to `scipy.ndimage.gaussian_filter` of each channel with its defaults: beyond the border the image is mirrored
    with its edge repeated (`mode="reflect"`), and the weights \(e^{-d^2 / 2 \sigma^2}\) of the voxels at distance d end
    at \(\lfloor 4 \sigma + 1/2 \rfloor\) (`truncate=4`) and sum to 1.

    Args:
        sigma: `(low, high)`, the standard deviation in voxels, not negative; 0 to 1.5 in Scholz et al. (2024).
        probability: chance of each image to be changed.
        seed: integer seed of the draws.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` with known space, in and out; values stay within those of the image, up to the
    rounding of matrix products, which on GPUs with TensorFloat-32 is about 0.001 of them.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomGaussianBlur
    >>> edge = np.array([0.0, 0.0, 1.0, 1.0]).reshape(1, 1, 4, 1)
    >>> blurred = RandomGaussianBlur(sigma=(1.0, 1.0), probability=1.0)(edge, training=True)
    >>> blurred.__array__().ravel().round(3).tolist()
    [0.063, 0.301, 0.699, 0.937]
    """

    def __init__(self, sigma=(0.0, 1.5), probability=0.5, seed=None, **kwargs):
        super().__init__(probability=probability, seed=seed, **kwargs)
        self.sigma = checked_interval("sigma", sigma)

    def transform(self, images):
        batch, space, channels = ops.shape(images)[0], tuple(images.shape[1:-1]), images.shape[-1]
        sigma = ops.reshape(self.draw(images, *self.sigma), (-1, 1, 1, 1))
        matrices = {size: self.matrix(sigma, size) for size in set(space)}
        # Every product takes the first spatial axis away and gives it back as the last, so that nothing is copied into
        # another order before the end: on CPUs several times faster than a convolution.
        for size in space:
            images = ops.reshape(images, (batch, size, channels * int(np.prod(space)) // size))
            images = ops.einsum("bjr,bij->bri", images, matrices[size])
        images = ops.transpose(ops.reshape(images, (batch, channels, int(np.prod(space)))), (0, 2, 1))
        return ops.reshape(images, (batch, *space, channels))

    def matrix(self, sigma, size):
        """The weight that voxel j of a line has in the blurred voxel i, `(B, i, j)`, of `sigma` `(B, 1, 1, 1)`."""
        reach = int(TRUNCATE * self.sigma[1] + 0.5)
        distance = ops.convert_to_tensor(mirrored_distances(size, reach), self.compute_dtype)
        # The least width keeps the division finite and already blurs nothing.
        weight = ops.exp(-0.5 * ops.square(distance / ops.maximum(sigma, 0.01)))
        weight = ops.sum(ops.where(distance <= ops.floor(TRUNCATE * sigma + 0.5), weight, 0.0), axis=1)
        return weight / ops.sum(weight, axis=-1, keepdims=True)

    def get_config(self):
        return {**super().get_config(), "sigma": self.sigma}


def mirrored_distances(size, reach):
    """Distance of voxel i of a line from voxel j and from each of its mirror images, `(images, size, size)`.

    A line a b c continues as ..., c b a, a b c, c b a, ...; images that no voxel has within `reach` are left out.

    Example:

    >>> mirrored_distances(size=2, reach=1).tolist()
    [[[1, 2], [2, 3]], [[0, 1], [1, 0]], [[3, 2], [2, 1]]]
    """
    places = np.arange(size)
    turns = 2 * size * np.arange(-(reach // (2 * size)) - 1, reach // (2 * size) + 2)
    images = np.stack([image + turn for turn in turns for image in (-1 - places, places)])
    distances = np.abs(places[:, np.newaxis] - images[:, np.newaxis, :])
    return distances[(distances <= reach).any(axis=(1, 2))]
