"""Arteries and veins of a phantom's retina: walks that bend, taper and branch, and how they cover the pixels."""

from dataclasses import dataclass

import numpy as np

STEP = 1 / 240


@dataclass(frozen=True)
class Vessel:
    """The midline of a vessel and its half width, both in units of the photograph's side.

    Args:
        points: `(n, 2)`, x and y.
        radius: `(n,)`.
        is_vein: Veins are wider and darker than arteries.
    """

    points: np.ndarray
    radius: np.ndarray
    is_vein: bool


def vessel_tree(random, trunk, disc_radius, cup_edge):
    """Arcades and nasal vessels: an artery and a vein for each quadrant, with two generations of branches.

    Args:
        random: `numpy.random.Generator`.
        trunk: `(2,)`, where the vessels leave the disc; temporal is +x, superior is +y.
        disc_radius: In units of the photograph's side.
        cup_edge: Distance from the trunk, in the same units, at which they bend over the edge of the cup.

    Returns:
        List of `Vessel`.
    """
    vessels = []
    for pole in (1, -1):
        for is_temporal in (True, False):
            for is_vein in (False, True):
                calibre = disc_radius * random.uniform(0.060, 0.075) * (1.3 if is_vein else 1.0)
                # Vein and artery of a quadrant leave side by side.
                aside = (0.14 if is_vein else -0.14) + random.normal(0, 0.08)
                if is_temporal:
                    heading, bend = np.radians(random.normal(82, 7)) + aside, -np.radians(random.normal(105, 12))
                    length = random.uniform(0.85, 1.0)
                else:
                    calibre *= random.uniform(0.65, 0.85)
                    heading, bend = np.radians(random.normal(122, 8)) + aside, np.radians(random.normal(20, 15))
                    length = random.uniform(0.55, 0.75)
                start = trunk + disc_radius * random.normal(0, 0.05, 2)
                main = _walk(random, start, pole * heading, pole * bend, length, calibre, 0.45, is_vein, cup_edge)
                vessels.append(main)
                _branch(random, vessels, main, count=random.integers(4, 7), generations=2)
    # Small vessels that cross the temporal rim towards the macula.
    for _ in range(random.integers(1, 4)):
        heading = random.normal(0, 0.5)
        calibre = disc_radius * random.uniform(0.022, 0.032)
        vessels.append(_walk(random, trunk, heading, -heading, random.uniform(0.22, 0.36), calibre, 0.4, False))
    return vessels


def _walk(random, start, heading, bend, length, calibre, end, is_vein, cup_edge=None):
    """A line whose direction turns by `bend` altogether and wavers, and whose radius falls to the share `end`."""
    along = np.arange(STEP, length, STEP)
    share = along / length
    waves = random.uniform(3, 9, 2) * along[:, np.newaxis] * 6 + random.uniform(0, 2 * np.pi, 2)
    direction = heading + bend * share + np.sin(waves) @ random.normal(0, [0.10, 0.07])
    if cup_edge is not None:
        direction = direction + random.normal(0, 0.6) * np.exp(-(((along - cup_edge) / 0.012) ** 2))
    steps = STEP * np.stack([np.cos(direction), np.sin(direction)], axis=-1)
    return Vessel(start + np.cumsum(steps, axis=0), calibre * (1 - (1 - end) * share), is_vein)


def _branch(random, vessels, parent, count, generations):
    length = STEP * len(parent.points)
    for where in np.sort(random.uniform(0.14, 0.9, count)):
        at = int(where * len(parent.points))
        ahead = parent.points[min(at + 3, len(parent.points) - 1)] - parent.points[max(at - 3, 0)]
        side = random.choice((-1, 1))
        heading = np.arctan2(ahead[1], ahead[0]) + side * np.radians(random.uniform(30, 65))
        child = _walk(
            random,
            parent.points[at],
            heading,
            -side * np.radians(random.uniform(-10, 45)),
            length * random.uniform(0.22, 0.45),
            parent.radius[at] * random.uniform(0.5, 0.72),
            0.35,
            parent.is_vein,
        )
        vessels.append(child)
        if generations > 1:
            _branch(random, vessels, child, random.integers(1, 4), generations - 1)


def coverage(vessels, size):
    """Share of each pixel that lies under a vessel, and under the light reflex along the middle of it.

    Args:
        vessels: List of `Vessel`.
        size: Side of the photograph in pixels; row 0 is its upper edge.

    Returns:
        Two float32 arrays `(size, size)` with values in [0, 1].
    """
    covered, reflex = np.zeros((2, size * size), np.float32)
    if vessels:
        # A point for every pixel that a vessel runs through is enough, however fine the walk.
        every = max(1, int(0.7 / (STEP * size)))
        x, y = np.concatenate([vessel.points[::every] for vessel in vessels]).T
        place = np.stack([1 - y, x], axis=-1).astype(np.float32) * size - 0.5
        radius = np.concatenate([vessel.radius[::every] for vessel in vessels]).astype(np.float32) * size
        reach = np.ceil(radius + 0.5).astype(int)
        for width in np.unique(reach):
            _stamp(covered, reflex, place[reach == width], radius[reach == width], width, size)
    return covered.reshape(size, size), reflex.reshape(size, size)


def _stamp(covered, reflex, place, radius, width, size):
    """Put discs of about one radius on the pixels; where they overlap the larger share counts."""
    offsets = np.stack(np.meshgrid(*[np.arange(-width, width + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    pixels = np.rint(place).astype(np.int64)[:, np.newaxis] + offsets
    distance = np.linalg.norm(pixels - place[:, np.newaxis], axis=-1).astype(np.float32)
    radius = radius[:, np.newaxis]
    # A vessel thinner than a pixel never covers one whole.
    under = np.clip(radius - distance + 0.5, 0, np.minimum(1, 2 * radius))
    inside = ((pixels >= 0) & (pixels < size)).all(axis=-1) & (under > 0)
    flat = (pixels[..., 0] * size + pixels[..., 1])[inside]
    np.maximum.at(covered, flat, under[inside])
    middle = np.clip(0.3 * radius - distance + 0.5, 0, np.minimum(1, 0.6 * radius))
    np.maximum.at(reflex, flat, middle[inside])
