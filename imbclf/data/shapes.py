"""Synthetic cases to try a segmentation on: one easy large structure, one rare thin one."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from imbclf.data.segmentation import SegmentationDataset
from imbclf.data.volumes import LabelArrays, VolumeArrays
from imbclf.errors import InputError

CLASS_NAMES = ("background", "organ", "lesion")
SIDE = {2: 96, 3: 32}
SHARE_WITHOUT_LESION = 0.25
# Mean intensity of the classes, in units in which texture and noise together have a deviation of about 0.6.
INTENSITY = np.array([0.0, 1.2, 2.0])
TEXTURE, NOISE, BLUR = 0.45, 0.4, 0.6


def segmentation_shapes(count=60, size=None, rank=3, seed=0, **options):
    """Volumes or flat images made on the spot, the same for the same seed.

    Each has an ellipsoid, class "organ", and in about three of four cases beside it a short bent tube or a small ball,
    class "lesion". Both are brighter than a textured background; blur, noise and texture make intensities overlap, and
    gain and offset differ from case to case as they do between scanners.

    | share of the voxels of a case | 3D, side 32  | 2D, side 96  |
    |-------------------------------|--------------|--------------|
    | organ                         | 3 to 20 %    | 12 to 41 %   |
    | lesion, where there is one    | 0.08 to 0.4 % | 0.1 to 0.6 % |

    On other sides the lesion keeps its number of voxels and the organ its share.

    Args:
        count: Number of cases. A case does not change when others are added.
        size: Side of the cube or square in voxels, 24 or more; None for 32 in 3D and 96 in 2D.
        rank: 3 or 2.
        seed: Whole number from 0 on.
        **options: Of `SegmentationDataset`: `normalize`, `ignore_class`, `memory`.

    Returns:
        A `SegmentationDataset` with ids such as `"shape_007"` and no split assigned.

    Raises:
        InputError: A rank, size or count that cannot be used.

    Example:

    >>> from imbclf.data import segmentation_shapes
    >>> shapes = segmentation_shapes(count=3)
    >>> shapes.case(0).image.shape
    (32, 32, 32, 1)
    """
    if rank not in SIDE:
        raise InputError(f"rank must be 2 or 3, not {rank!r}.")
    side = SIDE[rank] if size is None else size
    if side < 24 or count < 1:
        raise InputError(f"At least one case of side 24 is needed, not {count} of side {side}.")
    images, masks = zip(*[_case(np.random.default_rng((seed, rank, case)), (side,) * rank) for case in range(count)])
    return SegmentationDataset(
        VolumeArrays(images),
        LabelArrays(masks),
        CLASS_NAMES,
        ids=[f"shape_{case:03d}" for case in range(count)],
        split=[""] * count,
        name="shapes",
        source=f"synthetic, rank {rank}, side {side}, seed {seed}",
        **options,
    )


def _case(random, space):
    grid = np.stack(np.meshgrid(*map(np.arange, space), indexing="ij"), axis=-1).astype(float)
    mask = np.zeros(space, np.int32)
    centre = random.uniform(0.38, 0.62, len(space)) * space
    outside = _ellipsoid_distance(
        grid, centre, random.uniform(0.2, 0.36, len(space)) * space, _rotation(random, len(space))
    )
    mask[outside <= 1] = 1
    if random.random() >= SHARE_WITHOUT_LESION:
        _add_lesion(random, mask, grid, outside)
    texture = gaussian_filter(random.normal(size=space), 3)
    # Blur stands for voxels that hold a part of two tissues.
    signal = gaussian_filter(INTENSITY[mask], BLUR) + TEXTURE * texture / texture.std()
    image = signal + NOISE * random.normal(size=space)
    return (random.uniform(50, 200) * image + random.uniform(0, 500))[..., np.newaxis], mask


def _add_lesion(random, mask, grid, outside):
    """A tube along an arc or a ball, at some distance from the organ and from the border."""
    far = outside > 1.35
    inside = np.all((grid >= 6) & (grid <= np.array(mask.shape) - 7), axis=-1)
    places = np.argwhere(far & inside)
    middle = places[random.integers(len(places))] if len(places) else np.array(mask.shape) // 8
    radius = random.uniform(2.0, 2.6) if random.random() < 0.4 else random.uniform(1.0, 1.4)
    if radius > 1.5:
        line = middle[np.newaxis]
    else:
        along, bend = _rotation(random, mask.ndim)[:2]
        steps = np.linspace(-1, 1, 41)[:, np.newaxis]
        line = middle + random.uniform(4, 7) * steps * along + random.uniform(1, 3) * steps**2 * bend
    distance = cKDTree(line).query(grid)[0]
    mask[(distance <= radius) & (mask == 0)] = 2


def _ellipsoid_distance(grid, centre, radii, rotation):
    """1 on the surface of an ellipsoid, below inside it."""
    return np.linalg.norm((grid - centre) @ rotation / radii, axis=-1)


def _rotation(random, rank):
    """A random orthogonal matrix."""
    return np.linalg.qr(random.normal(size=(rank, rank)))[0]
