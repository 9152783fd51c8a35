"""Smooth random functions of space, the basis of everything irregular in a phantom."""

import numpy as np
from scipy.ndimage import map_coordinates

# Noise is defined this far from the centre in every direction, in mm.
REACH = 130.0


class SmoothNoise:
    r"""Noise over space with mean 0 and deviation 1 that is the same at any resolution.

    $$ n(x) = \frac{1}{\sqrt{v}} \sum_c w_c \prod_{a=1}^{3} B(x_a / s - c_a), \qquad w_c \sim N(0, 1) $$

    with the cubic B-spline B and control points c on a grid of spacing s; \(v = (151/315)^3\) is the variance of the
    sum, averaged over space. Along a line the noise crosses zero about every 2.7 spacings.

    Args:
        random: NumPy generator.
        spacing: Of the control points, in mm.

    Source: M. Unser, Splines: a perfect fit for signal and image processing, 1999 (the cubic B-spline).

    Example:

    >>> import numpy as np
    >>> noise = SmoothNoise(np.random.default_rng(0), spacing=10)
    >>> axes = [np.arange(-60.0, 61.0, step) for step in (4, 5, 6)]
    >>> values = noise.on(axes)
    >>> values.shape, round(float(values.std()), 1)
    ((31, 25, 21), 1.0)
    >>> bool(abs(noise.at(np.array([[0.0], [-10.0], [6.0]])) - values[15, 10, 11])[0] < 1e-5)
    True
    """

    def __init__(self, random, spacing):
        self.spacing = spacing
        self.middle = int(np.ceil(REACH / spacing)) + 2
        self.weights = random.standard_normal((2 * self.middle + 1,) * 3, np.float32) / np.float32((151 / 315) ** 1.5)

    def at(self, points):
        """float32 `(n,)`: the noise at points `(3, n)` in mm."""
        places = points / np.float32(self.spacing) + np.float32(self.middle)
        return map_coordinates(self.weights, places, np.float32, order=3, prefilter=False, mode="nearest")

    def on(self, axes):
        """float32 `(*space)`: the noise on the grid spanned by three arrays of coordinates in mm; faster than `at`."""
        values = self.weights
        for axis in axes:
            from_control = np.abs(axis[:, np.newaxis] / self.spacing + self.middle - np.arange(2 * self.middle + 1))
            # The next axis moves to the front. A matrix product would round as the number of threads has it.
            values = np.einsum("abc,ia->bci", values, _cubic_spline(from_control).astype(np.float32))
        return values


def _cubic_spline(distance):
    """The cubic B-spline at distances from its middle, in units of its knots."""
    inner = 2 / 3 - distance**2 + distance**3 / 2
    return np.where(distance < 1, inner, np.maximum(2 - distance, 0) ** 3 / 6)
