"""A tumour in space: its core, dead middle, contrast, calcification and oedema, as shares of each voxel."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtri

from imbclf.data.phantoms.head.anatomy import CEREBRUM, FLUID_OUTSIDE, share
from imbclf.data.phantoms.head.smooth_noise import SmoothNoise

NECROTIC_CORE, OEDEMA, ENHANCING = 1, 2, 4


@dataclass(frozen=True, eq=False)
class TumourShares:
    """float32 `(n,)` shares in [0, 1] of what a tumour makes of each voxel.

    Args:
        core: All of the tumour but oedema; the next four are parts of it.
        necrosis: Dead tissue.
        contrast: How brightly tissue takes up contrast, 0 to 1.
        calcified: Calcified clumps.
        suppressed: Where FLAIR is dark although T2 is bright.
        oedema: Swollen white matter around the core.
        texture: float32 `(n,)` noise of the tissue, deviation 1.
    """

    core: np.ndarray
    necrosis: np.ndarray
    contrast: np.ndarray
    calcified: np.ndarray
    suppressed: np.ndarray
    oedema: np.ndarray
    texture: np.ndarray

    def spread(self, where):
        """The same for all voxels, where these are those that `where`, bool, marks."""
        return TumourShares(*[_spread(getattr(self, field.name), where) for field in fields(self)])

    def labels(self):
        """uint8 `(n,)` as BraTS numbers them: 1 core without contrast, 2 oedema, 4 core with contrast, 0 the rest."""
        labels = np.where(self.oedema > 0.5, OEDEMA, 0)
        labels = np.where(self.core > 0.5, NECROTIC_CORE, labels)
        return np.where((self.core > 0.5) & (self.contrast > 0.3), ENHANCING, labels).astype(np.uint8)


class Tumour:
    """One tumour in one brain.

    Args:
        random: NumPy generator.
        findings: `Findings`.
        anatomy: `Anatomy` of the brain that it grows in.
    """

    def __init__(self, random, findings, anatomy):
        self.findings, self.anatomy = findings, anatomy
        self.centre = _centre(random, findings, anatomy)
        self.side = np.sign(self.centre[0])
        self.axes = np.linalg.qr(random.standard_normal((3, 3)))[0].astype(np.float32)
        stretch = random.uniform(0.8, 1.25, 3)
        self.radii = (findings.radius * stretch / np.prod(stretch) ** (1 / 3)).astype(np.float32)
        self.outline, self.lobes = SmoothNoise(random, 13), SmoothNoise(random, 6)
        self.patches, self.clumps = SmoothNoise(random, 5), SmoothNoise(random, 4.5)

    def source(self, points):
        r"""Where the tissue at points came from before the tumour pushed it away.

        $$ s(x) = c + (x - c) \, (1 - m \, e^{-(|x - c| / 1.7 R)^2}) $$

        with the centre c and radius R of the tumour and its mass effect m.
        """
        offset = points - self.centre[:, np.newaxis]
        squares = np.sum(offset**2, axis=0) / (1.7 * self.findings.radius) ** 2
        return points - offset * (self.findings.mass_effect * np.exp(-squares))

    def near(self, points):
        """bool `(n,)`: points that the tumour or its oedema may reach."""
        offset = points - self.centre[:, np.newaxis]
        return np.sum(offset**2, axis=0) < (2 * self.findings.radius + 2.2 * self.findings.oedema) ** 2

    def shares(self, points, depth, tissues, softness):
        """What the tumour makes of points.

        Args:
            points: float32 `(3, n)`.
            depth: float32 `(n,)`, below the surface of the brain.
            tissues: `Tissues` there, pushed aside already.
            softness: Width of borders in mm.

        Returns:
            `TumourShares`.
        """
        findings = self.findings
        lobes, patches = self.lobes.at(points), self.patches.at(points)
        beyond = self._beyond_core(points, lobes)
        # A ventricle beside the core stays open, one that the core engulfs is filled.
        open_ventricle = tissues.ventricle + 0.5 + np.maximum(-beyond - 2, 0)
        room = share(open_ventricle, softness) * share(depth + 0.5 * FLUID_OUTSIDE, softness)
        room = room * (self.anatomy.in_cerebrum(points) & ~self.anatomy.behind_falx(points, self.side))
        # What is left of a sulcus that the tumour has closed.
        room *= 1 - 0.6 * tissues.fluid
        core = room * share(-beyond + 0.25 * findings.margin * lobes, max(findings.margin / 2, softness))
        necrosis = core * share(-beyond - self._rim() * (1 + 0.3 * patches), 0.8 + softness)
        if findings.necrosis == 0:
            necrosis = np.zeros_like(core)
        reach = findings.oedema * (1 + 0.3 * lobes)
        # Oedema follows white matter like the fingers of a hand and spares cortex.
        oedema = (room - core) * tissues.white * share(reach - beyond, 1.5 + softness)
        return TumourShares(
            core,
            necrosis,
            (core - necrosis) * self._contrast(patches),
            (core - necrosis) * self._calcified(points),
            (core - necrosis) * findings.mismatch * share(-beyond - 3.0, 1 + softness),
            np.maximum(oedema, 0),
            patches,
        )

    def _beyond_core(self, points, lobes):
        """Distance from the outline of the core in mm, negative inside."""
        turned = self.axes @ (points - self.centre[:, np.newaxis]) / self.radii[:, np.newaxis]
        rho = np.linalg.norm(turned, axis=0)
        return self.findings.radius * (rho - 1 + 0.2 * self.outline.at(points) + 0.05 * lobes)

    def _rim(self):
        return (1 - self.findings.necrosis) * self.findings.radius

    def _contrast(self, patches):
        enhancement = self.findings.enhancement
        if self.findings.ring:
            return (0.35 + 0.65 * enhancement) * np.clip(0.9 + 0.25 * patches, 0.3, 1.2)
        # The share of space where noise with deviation 1 exceeds this is the share of the core that enhances.
        threshold = ndtri(1 - np.clip(0.8 * enhancement, 1e-4, 0.99))
        return (0.15 + 0.85 * enhancement) * share(patches - threshold, 0.25)

    def _calcified(self, points):
        calcification = self.findings.calcification
        threshold = ndtri(1 - np.clip(0.22 * calcification, 1e-4, 0.99))
        return min(1, 0.3 + calcification) * share(self.clumps.at(points) - threshold, 0.35)


def _centre(random, findings, anatomy):
    """float32 `(3,)`: a point at the depth of the findings on a ray from the middle of the cerebrum."""
    turn, lift = random.uniform(-np.pi, np.pi), random.uniform(-0.2, 0.9)
    side = random.choice([-1.0, 1.0])
    # No direction runs along the midline.
    direction = np.array([side * (0.35 + abs(np.cos(turn))), np.sin(turn), np.tan(lift)])
    ray = np.outer(direction / np.linalg.norm(direction), np.arange(8.0, 90.0)).astype(np.float32)
    ray += np.array(CEREBRUM, np.float32)[:, np.newaxis]
    depth = anatomy.depth(ray)
    point = ray[:, np.argmin(np.abs(depth - findings.cortical_depth * findings.radius))].copy()
    point[0] = side * max(abs(point[0]), 0.6 * findings.radius)
    return point


def _spread(values, where):
    every = np.zeros(len(where), np.float32)
    every[where] = values
    return every
