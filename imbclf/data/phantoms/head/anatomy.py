"""A healthy brain as a function of space: how much of each voxel is which tissue.

Coordinates are millimetres, from left to right, back to front and bottom to top (RAS+), from the middle of the brain.
"""

from dataclasses import dataclass

import numpy as np

from imbclf.data.phantoms.head.smooth_noise import SmoothNoise

CEREBRUM, CEREBRUM_RADII, BASE_DEPTH = (0, 0, 8), (66, 83, 62), 46
CEREBELLUM, CEREBELLUM_RADII = (0, -47, -42), (48, 30, 25)
BRAINSTEM_FROM, BRAINSTEM_TO, BRAINSTEM_RADIUS = (0, -14, -14), (0, -28, -78), 13
CALLOSUM, CALLOSUM_RADII = (0, 0, 2), (1, 47, 29)
USUAL_SCALE = 0.98
CORTEX = 3.3
FLUID_OUTSIDE = 1.6
# On the right, as (centre, radii); the left mirrors them.
LATERAL_VENTRICLES = (((9, 16, 14), (5, 22, 9)), ((12, -10, 18), (5, 24, 6)), ((22, -33, 9), (7, 17, 9)))
MIDDLE_VENTRICLES = (((0, -8, 1), (2.5, 13, 9)), ((0, -37, -36), (6, 5, 8)))
DEEP_GREY = (((12, -13, 4), (9, 14, 9)), ((25, 4, 2), (6, 16, 11)), ((15, 21, 9), (5, 11, 8)))


@dataclass(frozen=True, eq=False)
class Tissues:
    """What each voxel is made of.

    Args:
        white, grey, fluid: float32 `(n,)` shares in [0, 1] that add up to 1.
        ventricle: float32 `(n,)`, distance in mm from the ventricles, negative in them.
    """

    white: np.ndarray
    grey: np.ndarray
    fluid: np.ndarray
    ventricle: np.ndarray

    def at(self, where):
        """The same for some of the voxels."""
        return Tissues(self.white[where], self.grey[where], self.fluid[where], self.ventricle[where])


class Anatomy:
    """One person's brain: an ellipsoid with folded cortex, ventricles, deep grey nuclei, cerebellum and brainstem.

    Sulci are sheets on which noise over the directions from the middle is zero. Cortex lies on them and on the surface.

    Args:
        random: NumPy generator.
    """

    def __init__(self, random):
        self.scale = USUAL_SCALE * random.uniform(0.98, 1.02, 3)
        self.atrophy = random.beta(2, 3)
        self.bend = random.uniform(-1.5, 1.5)
        self.bumps, self.folds = SmoothNoise(random, 30), SmoothNoise(random, 6.2)
        self.sulcus_depths, self.thickness = SmoothNoise(random, 20), SmoothNoise(random, 16)

    def depth(self, points):
        """float32 `(n,)`: distance in mm inwards from the surface of the brain, negative outside; points `(3, n)`."""
        return np.maximum(self._cerebrum(points), self._hindbrain(points))

    def in_cerebrum(self, points):
        """bool `(n,)`: whether points lie in the cerebrum, where the gliomas of adults grow."""
        return self._cerebrum(points) >= np.maximum(self._hindbrain(points), 0)

    def behind_falx(self, points, side):
        """bool `(n,)`: whether the falx stands between points and the side (-1 left, 1 right)."""
        return (side * self._from_midline(points) < 0) & (_ellipsoid(points, CALLOSUM, CALLOSUM_RADII, (1, 2)) > 0)

    def tissues(self, points, depth, softness):
        """Tissues at points.

        Args:
            points: float32 `(3, n)`: where the tissue came from; a tumour pushes it elsewhere.
            depth: float32 `(n,)`: of the voxels in the brain they now lie in.
            softness: Width of the borders in mm, for voxels that hold a part of two tissues.

        Returns:
            `Tissues`.
        """
        below_surface = self._cerebrum(points)
        cerebrum = below_surface >= self._hindbrain(points)
        sulcus = np.empty_like(depth)
        sulcus[cerebrum] = self._from_sulcus(points[:, cerebrum], below_surface[cerebrum])
        sulcus[~cerebrum] = self._from_folium(points[:, ~cerebrum])
        fissure = np.maximum(
            np.abs(self._from_midline(points)) - 0.7 - 0.9 * self.atrophy,
            -_ellipsoid(points, CALLOSUM, CALLOSUM_RADII, (1, 2)),
        )
        sulcus = np.where(cerebrum, np.minimum(sulcus, fissure), sulcus)
        ventricle = self._from_ventricle(points)
        fluid = share(-np.minimum(np.minimum(depth, sulcus), ventricle), softness)
        ribbon = CORTEX + 0.5 * self.thickness.at(points)
        grey = share(ribbon - np.minimum(depth, sulcus), softness)
        stem = _segment(points, BRAINSTEM_FROM, BRAINSTEM_TO) - BRAINSTEM_RADIUS
        grey *= share(stem, softness)
        nuclei = self._nearest(points, DEEP_GREY, mirror=True)
        grey = np.maximum(grey, 0.75 * share(-nuclei, 1.5 + softness))
        grey *= 1 - fluid
        return Tissues(1 - grey - fluid, grey, fluid, ventricle)

    def _cerebrum(self, points):
        """Depth below the surface of the cerebrum, whose base is flat and rests on the tentorium."""
        radii = self.scale[:, np.newaxis] * np.array(CEREBRUM_RADII)[:, np.newaxis]
        from_middle = points - np.array(CEREBRUM, np.float32)[:, np.newaxis]
        radii = np.repeat(radii, points.shape[1], 1).astype(np.float32)
        # The temporal lobes reach deeper than the middle of the base.
        low = BASE_DEPTH + 8 * np.clip(np.abs(from_middle[0]) / 35, 0, 1) - 10 * np.clip(-from_middle[1] / 60, -0.3, 1)
        radii[2] = np.where(from_middle[2] < 0, low, radii[2])
        rho = np.sum(np.abs(from_middle / radii) ** 2.25, axis=0) ** (1 / 2.25)
        length = np.linalg.norm(from_middle, axis=0)
        depth = length * (1 / np.maximum(rho, 1e-3) - 1) + 1.5 * self.bumps.at(points)
        return np.minimum(depth, self._above_tentorium(points) - 0.6)

    def _above_tentorium(self, points):
        """Height over the sheet between cerebrum and cerebellum, which reaches from the back to the brainstem."""
        behind = np.clip(-(points[1] + 20) / 8, 0, 1)
        return points[2] + 20 + 0.22 * (-20 - points[1]) - 0.12 * np.abs(points[0]) + 60 * (1 - behind)

    def _hindbrain(self, points):
        below = -self._above_tentorium(points) - 0.6
        cerebellum = -_ellipsoid(points, CEREBELLUM, CEREBELLUM_RADII)
        # The vallecula between the two halves of the cerebellum.
        cerebellum -= 7 * np.exp(-((points[0] / 7) ** 2)) * np.clip(-(points[1] + 50) / 15, 0, 1)
        stem = BRAINSTEM_RADIUS - _segment(points, BRAINSTEM_FROM, BRAINSTEM_TO)
        return np.maximum(np.minimum(cerebellum, np.where(points[1] < -24, below, 99)), stem)

    def _from_midline(self, points):
        return points[0] - self.bend * np.sin(points[1] / 30)

    def _from_sulcus(self, points, depth):
        """Distance from the fluid in sulci, sheets that reach down to a depth which varies from place to place."""
        from_middle = points - np.array(CEREBRUM, np.float32)[:, np.newaxis]
        length = np.maximum(np.linalg.norm(from_middle, axis=0), 1e-3)
        surface = length + np.maximum(depth, 0)
        # Following one direction inwards, the noise changes little, so that sulci run inwards.
        on_shell = from_middle / length * (0.62 * surface + 0.30 * length)
        gradient = 1.18 / self.folds.spacing
        # The two hemispheres have folds of their own.
        on_shell[1] += np.where(from_middle[0] > 0, 14, 0)
        from_sheet = np.abs(self.folds.at(on_shell)) / gradient
        waves = self.sulcus_depths.at(points)
        deepest = 17 + 5 * waves
        half_width = (0.35 + 1.1 * self.atrophy) * np.clip(1.25 - depth / np.maximum(deepest, 4), 0.25, 1)
        folded = np.maximum(from_sheet - half_width, depth - deepest)
        # The Sylvian fissure, between the temporal lobe and the rest, runs inwards to the insula.
        slope = 3 + 0.3 * (points[1] + 5) - 0.5 * (np.abs(points[0]) - 45) + 4 * waves
        sheet = 0.8 * np.abs(points[2] - slope) - 0.6 - 0.9 * self.atrophy
        ends = np.maximum(np.abs(points[1] - 2) - 26 - 4 * waves, 37 - np.abs(points[0]))
        return np.minimum(folded, np.maximum(sheet, ends))

    def _from_folium(self, points):
        """Distance from the fluid between the leaves of the cerebellum."""
        away = np.linalg.norm(points - np.array([[0], [-34], [-34]], np.float32), axis=0)
        angle = np.arctan2(points[2] + 36, -(points[1] + 30)) + 0.12 * self.folds.at(points)
        leaf = np.abs(np.sin(9 * angle)) * away / 9
        stem = BRAINSTEM_RADIUS - _segment(points, BRAINSTEM_FROM, BRAINSTEM_TO)
        return np.maximum(np.maximum(leaf - 0.2 - 0.5 * self.atrophy, 16 - away), stem + 2)

    def _from_ventricle(self, points):
        swelling = 3.2 * (self.atrophy - 0.35)
        lateral = self._nearest(points, LATERAL_VENTRICLES, mirror=True) - swelling
        return np.minimum(lateral, self._nearest(points, MIDDLE_VENTRICLES) - 0.4 * swelling)

    def _nearest(self, points, bodies, mirror=False):
        if mirror:
            points = np.stack([np.abs(self._from_midline(points)), points[1], points[2]])
        return np.minimum.reduce([_ellipsoid(points, centre, radii) for centre, radii in bodies])


def _ellipsoid(points, centre, radii, axes=(0, 1, 2)):
    """Distance in mm along the ray from the centre to the surface of an ellipsoid, negative inside."""
    squares, lengths = np.float32(1e-6), np.float32(1e-6)
    for axis in axes:
        offset = points[axis] - np.float32(centre[axis])
        squares = squares + (offset / np.float32(radii[axis])) ** 2
        lengths = lengths + offset**2
    return np.sqrt(lengths) * (1 - 1 / np.sqrt(squares))


def _segment(points, start, end):
    """Distance in mm from the line between two points."""
    start, along = np.array(start, np.float32), np.subtract(end, start).astype(np.float32)
    from_start = points - start[:, np.newaxis]
    share = np.clip(along @ from_start / (along @ along), 0, 1)
    return np.linalg.norm(from_start - along[:, np.newaxis] * share, axis=0)


def share(inside, softness):
    """0 well outside, 1 well inside, and between them along a border of twice the softness, in mm."""
    return np.clip(inside / np.float32(2 * softness) + np.float32(0.5), 0, 1)
