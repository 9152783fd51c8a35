"""The optic disc of a phantom: how wide its rim is in every direction, and how glaucoma thins it."""

import math
from dataclasses import dataclass, field

import numpy as np

# Quadrants in the order of the ISNT rule, at these angles from the temporal horizontal, superior positive.
QUADRANTS = ("inferior", "superior", "nasal", "temporal")
# A healthy rim is widest below, then above, then nasally, then temporally; relative to its mean.
ISNT = np.array([1.12, 1.05, 0.98, 0.80])
# Share of each quadrant's rim that goes with all of the damage: glaucoma takes the poles first.
VULNERABILITY = np.array([1.0, 0.9, 0.6, 0.65])
NOTCH_WIDTH = math.radians(24)
# Arcuate bundles enter the disc at the poles, a little temporally.
BUNDLE_ANGLE = math.radians(68)


@dataclass(frozen=True)
class OpticDisc:
    r"""Disc and cup as an ophthalmologist describes them, in a frame of the disc: temporal is +x, superior is +y.

    With \(\theta\) the angle from the temporal horizontal, in units of the disc radius in that direction, the cup ends
    at \(1 - w(\theta)\) and the rim has the width

    $$ w(\theta) = \left(w_T [\cos\theta]_+^2 + w_N [-\cos\theta]_+^2 + w_S [\sin\theta]_+^2 + w_I [-\sin\theta]_+^2
       \right) \left(1 - d\, e^{-((\theta - \theta_d) / 24°)^2}\right) $$

    with a notch of depth d at the angle \(\theta_d\).

    Args:
        diameter: Vertical diameter of the disc as a share of the photograph's side.
        ovalness: Horizontal diameter over the vertical one.
        damage: Share of the nerve fibres that are lost, in [0, 1].
        rim: Widths \((w_I, w_S, w_N, w_T)\) of the rim without the notch, in (0, 1).
        notch_depth: Share of the rim that is missing in the middle of the notch, in [0, 1); 0 for none.
        notch_angle: Radians; also where the nerve fibre layer has its defect.
        defect_width: Radians, half the width of a wedge without nerve fibres; 0 for none.
        middle: x and y of the disc in the photograph of a left eye, from its lower left corner, as shares of the side.

    Example: half of a uniform rim of half the radius is left, so that the cup has three quarters of the diameter.

    >>> from imbclf.data.phantoms.eye.optic_disc import OpticDisc
    >>> OpticDisc(diameter=0.25, ovalness=0.9, damage=0.5, rim=(0.25,) * 4).vertical_cup_to_disc
    0.75
    """

    diameter: float
    ovalness: float
    damage: float
    rim: tuple[float, float, float, float]
    notch_depth: float = 0.0
    notch_angle: float = 0.0
    defect_width: float = 0.0
    middle: tuple[float, float] = (0.38, 0.5)
    _contour: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        angles = np.radians(np.arange(360))
        cup = 1 - self.rim_width(np.cos(angles), np.sin(angles))
        object.__setattr__(self, "_contour", cup[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=-1))

    def rim_width(self, cosine, sine):
        """Width of the rim in a direction, in units of the disc radius there; arrays of any shape."""
        inferior, superior, nasal, temporal = self.rim
        width = temporal * np.maximum(cosine, 0) ** 2 + nasal * np.minimum(cosine, 0) ** 2
        width = width + superior * np.maximum(sine, 0) ** 2 + inferior * np.minimum(sine, 0) ** 2
        if self.notch_depth == 0:
            return width
        # The sine of half the angle between two directions, without a jump at 180 degrees.
        half_sine = 0.5 * np.hypot(cosine - math.cos(self.notch_angle), sine - math.sin(self.notch_angle))
        return width * (1 - self.notch_depth * np.exp(-((2 * half_sine / NOTCH_WIDTH) ** 2)))

    @property
    def vertical_cup_to_disc(self):
        """Vertical diameter of the cup over that of the disc."""
        return float(np.ptp(self._contour[:, 1]) / 2)

    @property
    def horizontal_cup_to_disc(self):
        """Horizontal diameter of the cup over that of the disc."""
        return float(np.ptp(self._contour[:, 0]) / 2)

    @property
    def cup_to_disc_area(self):
        """Area of the cup over that of the disc."""
        return float((self._contour**2).sum(axis=-1).mean())

    @property
    def thinnest_rim(self):
        """Least width of the rim, in units of the disc radius."""
        return float(1 - np.linalg.norm(self._contour, axis=-1).max())


def random_disc(person, eye, damage):
    r"""An eye whose optic nerve has lost the share `damage` of its fibres.

    What a person was born with is drawn first: the disc's size, and the rim, which in a large disc is thinner. So a
    large cup is no proof of glaucoma. Damage then takes \(v_q \cdot \mathrm{damage}\) of each quadrant's rim, most at
    the poles, and with a probability that grows with the damage leaves a notch and a wedge without nerve fibres.

    Args:
        person: `numpy.random.Generator` of what both eyes share.
        eye: Generator of this eye.
        damage: Number in [0, 1].

    Returns:
        An `OpticDisc`.
    """
    size = float(np.clip(person.normal(), -2, 2))
    cup = np.clip(person.normal(0.38 + 0.05 * size, 0.08), 0.15, 0.62)
    healthy = (1 - np.clip(eye.normal(cup, 0.02), 0.12, 0.64)) * ISNT * eye.normal(1, 0.04, 4)
    rim = np.clip(healthy * (1 - damage * VULNERABILITY), 0.03, 0.9)
    pole = -1 if eye.random() < 0.65 else 1
    # Drawn whether used or not, so that the same eye with more damage differs by the damage alone.
    is_notched, has_defect = eye.random(2) < np.clip([1.5 * damage - 0.05, 1.7 * damage - 0.05], 0.02, 0.92)
    depth, defect = eye.uniform(0.35, 0.75), eye.uniform(np.radians(9), np.radians(20))
    return OpticDisc(
        diameter=0.295 * (1 + 0.07 * size),
        ovalness=float(np.clip(eye.normal(0.91, 0.03), 0.82, 1.0)),
        damage=float(damage),
        rim=tuple(map(float, rim)),
        notch_depth=float(depth * is_notched),
        notch_angle=float(pole * (BUNDLE_ANGLE + eye.normal(0, np.radians(6)))),
        defect_width=float(defect * has_defect),
        middle=(0.5 - eye.uniform(0.08, 0.16), 0.5 + eye.uniform(-0.05, 0.05)),
    )
