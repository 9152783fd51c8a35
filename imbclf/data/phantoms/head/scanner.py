"""What scanners and sites do to an image that has nothing to do with the patient."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from imbclf.data.phantoms.head.smooth_noise import SmoothNoise


@dataclass(frozen=True)
class Site:
    """How a site scans.

    Args:
        level: Usual value of bright tissue in the file.
        level_spread: Deviation of the logarithm of the level between scans.
        noise: Usual noise as a share of bright tissue, at voxels of 3 mm.
        bias: Usual deviation of the uneven illumination by the coil, as a share.
        blur: Blur along left-right, back-front and bottom-top in mm: slices that were thick, or none.
        contrast: Exponent on the signal; sites differ in echo and repetition times.
    """

    level: float = 900.0
    level_spread: float = 0.15
    noise: float = 0.03
    bias: float = 0.05
    blur: tuple[float, float, float] = (0.0, 0.0, 0.0)
    contrast: float = 1.0


def scan(random, signal, seen, axes, site):
    r"""One sequence as a scanner stores it.

    $$ v = g \, \left| b(x) \, (G_\sigma * s)^c + o + n_1 + i \, n_2 \right| $$

    with the signal s, blur, contrast exponent c, smooth bias b, offset o, gain g, and independent Gaussian noise in the
    two channels, which makes the magnitude Rician. Nothing here depends on the patient's class.

    Args:
        random: NumPy generator.
        signal: float32 `(*space)`, about 1 in bright tissue.
        seen: bool `(*space)`, what is kept of the image: the brain, or the head.
        axes: Coordinates of the three axes in mm.
        site: `Site`.

    Returns:
        float32 `(*space)`, above 0 where it is kept and 0 elsewhere.

    Source: H. Gudbjartsson, S. Patz, The Rician distribution of noisy MRI data, 1995.
    """
    spacing = float(axes[0][1] - axes[0][0])
    gain = site.level * np.exp(site.level_spread * random.standard_normal())
    contrast = site.contrast * np.exp(0.08 * random.standard_normal())
    offset = random.uniform(0, 0.08)
    noise = site.noise * random.uniform(0.7, 1.4)
    # A finer voxel holds less signal, so that its noise is larger.
    noise *= min(3.0 / spacing, 2.0) ** 0.5
    bias = site.bias * random.uniform(0.5, 1.6) * SmoothNoise(random, 75).on(axes)
    if any(site.blur):
        signal = gaussian_filter(signal, np.divide(site.blur, spacing))
    true = np.exp(bias) * np.maximum(signal, 0) ** np.float32(contrast) + np.float32(offset)
    first, second = random.standard_normal((2, np.count_nonzero(seen)), np.float32) * np.float32(noise)
    value = np.zeros(signal.shape, np.float32)
    value[seen] = np.maximum(gain * np.hypot(true[seen] + first, second), 1)
    return value
