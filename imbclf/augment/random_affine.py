import itertools
import math

import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from imbclf.augment.random_layer import RandomLayer


@register_keras_serializable(package="imbclf")
class RandomAffine(RandomLayer):
    """Rotate, scale and shift images about their centre, with multilinear interpolation, in 2D and 3D.

    A voxel at `v` from the centre takes the value found at `R v / s + t`, with a rotation `R` (one angle per plane of
    axes), a scale `s` and a shift `t` drawn uniformly for each image. What lies outside repeats the border.

    Args:
        rotation: greatest angle either way, in degrees, in each plane of axes.
        scale: `(low, high)`; above 1 enlarges.
        shift: greatest shift either way, as a share of each side.
        probability: chance of each image to be changed.
        seed: integer seed of the draws.
        **kwargs: of `keras.layers.Layer`.

    Shapes: `(batch, *space, channels)` with known space, in and out; values stay within those of the image. With
    `transform_pair` a voxel takes the label nearest to the place where its value is found.

    Example:

    >>> import numpy as np
    >>> from imbclf.augment import RandomAffine
    >>> layer = RandomAffine(rotation=20, scale=(0.9, 1.1), shift=0.1, probability=1.0, seed=0)
    >>> tuple(layer(np.random.default_rng(0).random((2, 16, 16, 16, 1)), training=True).shape)
    (2, 16, 16, 16, 1)
    """

    def __init__(self, rotation=0.0, scale=(1.0, 1.0), shift=0.0, probability=0.5, seed=None, **kwargs):
        super().__init__(probability=probability, seed=seed, **kwargs)
        low, high = scale
        if not 0 < low <= high:
            raise ValueError(f"scale must be (low, high) with 0 < low <= high; received {scale}.")
        if rotation < 0 or shift < 0:
            raise ValueError(f"rotation and shift must not be negative; received {rotation} and {shift}.")
        self.rotation = float(rotation)
        self.scale = [float(low), float(high)]
        self.shift = float(shift)

    def transform(self, images):
        return interpolate(images, self.positions(images))

    def transform_with(self, images, maps):
        positions = self.positions(images)
        return interpolate(images, positions), [nearest(values, positions) for values in maps]

    def positions(self, images):
        """Where each voxel of each image takes its value from, drawn anew: per spatial axis `(B, prod(space))`."""
        space = tuple(images.shape[1:-1])
        rank = len(space)
        batch = ops.shape(images)[0]

        def uniform(low, high):
            return ops.reshape(self.draw(images, low, high), (batch, 1))

        grid = np.stack(np.meshgrid(*[np.arange(size) for size in space], indexing="ij"), axis=-1).reshape(-1, rank)
        centre = (np.asarray(space) - 1) / 2
        inverse_scale = 1 / uniform(*self.scale)
        columns = [ops.convert_to_tensor((grid - centre)[None, :, axis], self.compute_dtype) for axis in range(rank)]
        columns = [column * inverse_scale for column in columns]
        limit = math.radians(self.rotation)
        for first, second in itertools.combinations(range(rank), 2):
            angle = uniform(-limit, limit)
            cosine, sine = ops.cos(angle), ops.sin(angle)
            columns[first], columns[second] = (
                cosine * columns[first] - sine * columns[second],
                sine * columns[first] + cosine * columns[second],
            )
        return [
            column + uniform(-self.shift, self.shift) * size + middle
            for column, size, middle in zip(columns, space, centre, strict=True)
        ]

    def get_config(self):
        return {**super().get_config(), "rotation": self.rotation, "scale": self.scale, "shift": self.shift}


def interpolate(images, positions):
    """Multilinear interpolation: the values of `(B, *space, C)` at `positions`, one `(B, N)` per spatial axis.

    Positions count in voxels and are clipped to the image. Returns `(B, *space, C)` for `N = prod(space)`.
    """
    space = tuple(images.shape[1:-1])
    channels = images.shape[-1]
    batch = ops.shape(images)[0]
    flat = ops.reshape(images, (-1, channels))
    start = _first_voxels(batch, space)
    positions = [ops.clip(position, 0.0, size - 1.0) for position, size in zip(positions, space, strict=True)]
    lower = [ops.minimum(ops.floor(p), max(size - 2.0, 0.0)) for p, size in zip(positions, space, strict=True)]
    upper_share = [position - low for position, low in zip(positions, lower, strict=True)]
    total = 0.0
    for corner in itertools.product((0, 1), repeat=len(space)):
        index, weight = 0, 1.0
        for up, low, share, size in zip(corner, lower, upper_share, space, strict=True):
            index = index * size + ops.minimum(ops.cast(low, "int32") + up, size - 1)
            weight = weight * (share if up else 1 - share)
        total = total + ops.expand_dims(weight, -1) * ops.take(flat, index + start, axis=0)
    return ops.reshape(total, (batch, *space, channels))


def nearest(values, positions):
    """The entry of `(B, *space)` nearest to each of `positions`, which are those of `interpolate`; halves go up."""
    space = tuple(values.shape[1:])
    index = _first_voxels(ops.shape(values)[0], space)
    stride = 1
    for position, size in zip(reversed(positions), reversed(space), strict=True):
        index = index + stride * ops.cast(ops.floor(ops.clip(position, 0.0, size - 1.0) + 0.5), "int32")
        stride *= size
    return ops.reshape(ops.take(ops.reshape(values, (-1,)), index, axis=0), ops.shape(values))


def _first_voxels(batch, space):
    """Position of the first voxel of each image among the voxels of all of them, `(B, 1)`."""
    return ops.reshape(ops.arange(batch, dtype="int32") * int(np.prod(space)), (-1, 1))
