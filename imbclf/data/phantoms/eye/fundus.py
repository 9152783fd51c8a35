"""A fundus photograph from numbers: retina, optic disc, vessels, and the camera that takes it."""

import numpy as np
from scipy.ndimage import gaussian_filter

from imbclf.data.phantoms.eye.optic_disc import BUNDLE_ANGLE
from imbclf.data.phantoms.eye.retinal_vessels import coverage, vessel_tree

# Colours as red, green, blue in [0, 1]: retina over a pale and over a dark choroid, neuroretinal rim, floor of the cup.
PALE_RETINA = np.array([0.86, 0.44, 0.23], np.float32)
DARK_RETINA = np.array([0.60, 0.28, 0.14], np.float32)
RIM = np.array([1.00, 0.585, 0.36], np.float32)
CUP = np.array([1.00, 0.81, 0.57], np.float32)
# What blood takes of each colour.
ARTERY = np.array([0.20, 0.52, 0.50], np.float32)
VEIN = np.array([0.40, 0.66, 0.60], np.float32)
SHEEN = np.array([0.09, 0.32, 0.29], np.float32)
MACULA = np.array([0.28, 0.42, 0.40], np.float32)


def draw_fundus(disc, person, eye, size=240, is_left=False):
    """Take a photograph of an eye with this optic disc.

    The field is some 25 degrees wide and shows the disc a little off the middle and the macula near the temporal edge.
    The retina's colour and the choroid under it, the fovea, the course of the vessels, light, focus, exposure, colour
    cast and noise are drawn without regard to the damage, so that they tell nothing about it.

    Args:
        disc: An `OpticDisc`.
        person: `numpy.random.Generator` of what both eyes share: the pigment.
        eye: Generator of everything else.
        size: Side in pixels.
        is_left: In a left eye the macula is on the right of the photograph.

    Returns:
        uint8 `(size, size, 3)`, black outside the round aperture.

    Example:

    >>> import numpy as np
    >>> from imbclf.data.phantoms.eye.fundus import draw_fundus
    >>> from imbclf.data.phantoms.eye.optic_disc import random_disc
    >>> person, eye = np.random.default_rng(0), np.random.default_rng(1)
    >>> photograph = draw_fundus(random_disc(person, eye, damage=0.5), person, eye, size=64)
    >>> photograph.shape, photograph.dtype
    ((64, 64, 3), dtype('uint8'))
    """
    pixels = (np.arange(size, dtype=np.float32) + 0.5) / size
    # Drawn as a left eye: temporal is +x, and superior is +y.
    x, y = np.meshgrid(pixels, 1 - pixels)
    centre = np.array(disc.middle, np.float32)
    radius = disc.diameter / 2
    scene = _retina(x, y, person, eye, centre + eye.normal((0.55, -0.05), 0.02).astype(np.float32))
    polar = _polar(x - centre[0], y - centre[1], radius, disc.ovalness, tilt=np.float32(eye.normal(0, 0.1)))
    scene = scene * _nerve_fibres(disc, eye, *polar)
    scene, is_cup = _disc(disc, eye, scene, *polar, pixel=1 / (size * radius))
    scene = _vessels(disc, eye, scene, centre, radius, is_cup)
    photograph = _camera(scene, x, y, eye)
    return photograph if is_left else np.ascontiguousarray(photograph[:, ::-1])


def _retina(x, y, person, eye, fovea):
    """Pigment epithelium with the choroid shining through, darker at the fovea."""
    pigment = person.random()
    hue = _tint(person, 0.04, 0.07, 0.10)
    colour = (pigment * DARK_RETINA + (1 - pigment) * PALE_RETINA) * hue
    size = len(x)
    patches = _texture(eye, size, 0.07)
    # Ridges between patches look like the large vessels of the choroid; the darker the pigment, the more of them show.
    ridges = np.maximum(0.8 - np.abs(_texture(eye, size, 0.025)), 0)
    grain = _texture(eye, size, 0.006)
    tessellation = (0.3 + 0.7 * pigment) * eye.uniform(0.05, 0.16)
    shade = 1 + 0.04 * patches + tessellation * (ridges - 0.3) + 0.015 * grain
    distance = (x - fovea[0]) ** 2 + (y - fovea[1]) ** 2
    dip = eye.uniform(0.7, 1.1) * (0.65 * np.exp(-distance / 0.08**2) + 0.35 * np.exp(-distance / 0.025**2))
    return colour * shade[..., np.newaxis] * (1 - dip[..., np.newaxis] * MACULA)


def _tint(random, *deviations):
    """A factor for each colour, on average about 1."""
    return np.exp(random.normal(0, deviations)).astype(np.float32)


def _texture(random, size, scale):
    noise = gaussian_filter(random.standard_normal((size, size), np.float32), scale * size, truncate=2.5, mode="wrap")
    return noise / max(noise.std(), 1e-6)


def _polar(x, y, radius, ovalness, tilt):
    """Distance in disc radii, which the disc's own oval scales, and the cosine and sine of the direction."""
    across = (x * np.cos(tilt) + y * np.sin(tilt)) / (radius * ovalness)
    up = (y * np.cos(tilt) - x * np.sin(tilt)) / radius
    distance = np.maximum(np.hypot(across, up), 1e-6)
    return distance, across / distance, up / distance


def _nerve_fibres(disc, eye, distance, cosine, sine):
    """The sheen of the arcuate bundles around the disc, dim where fibres are lost."""
    # Fibres bend towards the temporal horizontal on their way out; this is the angle at which one enters the disc.
    outside = np.clip(distance - 1, 0, 4)
    angle = np.arctan2(np.abs(sine), cosine) + 0.16 * outside
    bundles = np.exp(-(((angle - BUNDLE_ANGLE) / 0.55) ** 2)) + 0.25
    strands = 1 + 0.25 * np.sin(angle * eye.uniform(55, 75) + 3 * np.sin(angle * 9 + eye.uniform(0, 6)))
    sheen = eye.uniform(0.4, 1.5) * bundles * strands * np.exp(-outside / 2)
    lost = 0.4 * disc.damage
    if disc.defect_width > 0:
        on_its_side = (sine > 0) == (disc.notch_angle > 0)
        wedge = np.exp(-(((angle - abs(disc.notch_angle)) / disc.defect_width) ** 4)) * on_its_side
        lost = lost + (1 - lost) * 0.95 * wedge
    return 1 + (sheen * (1 - lost))[..., np.newaxis] * SHEEN


def _disc(disc, eye, scene, distance, cosine, sine, pixel):
    """Rim and cup over the retina; also how far a pixel belongs to the cup."""
    hue = _tint(eye, 0.03, 0.04, 0.08) * eye.uniform(0.88, 1.2)
    edge = max(0.035, 0.6 * pixel)
    # Atrophy beside the disc, mostly temporal, bares the choroid in many healthy eyes too.
    crescent = 1 + max(0.0, eye.normal(0.06, 0.1)) * (0.6 + 0.4 * cosine)
    atrophy = 0.6 * _step(crescent - distance, 0.05)
    scene = scene + atrophy[..., np.newaxis] * (0.30 * RIM + 0.62 * scene.mean(axis=(0, 1)) - 0.75 * scene)
    is_disc = _step(1 - distance, edge)
    slope = max(eye.uniform(0.08, 0.20), 0.6 * pixel)
    is_cup = _step(1 - disc.rim_width(cosine, sine) - distance, slope)
    # Nasal fibres are the most, so that side of the rim is the reddest.
    rim = RIM * (1 - 0.05 * np.maximum(-cosine, 0))[..., np.newaxis]
    tissue = rim + (is_cup * eye.uniform(0.65, 1.15))[..., np.newaxis] * (CUP - rim)
    # Pores of the lamina cribrosa and unevenness.
    mottle = 1 + 0.02 * _texture(eye, len(scene), 0.012)
    tissue = tissue * hue * mottle[..., np.newaxis]
    return scene + is_disc[..., np.newaxis] * (tissue - scene), is_cup * is_disc


def _step(distance, width):
    return 1 / (1 + np.exp(np.clip(-4 * distance / width, -30, 30)))


def _vessels(disc, eye, scene, centre, radius, is_cup):
    # The trunk stands at the nasal edge of the cup, which moves outwards as the cup grows.
    aside = 0.12 + 0.45 * disc.horizontal_cup_to_disc
    trunk = centre + radius * np.array([-aside * disc.ovalness, eye.normal(0, 0.05)])
    vessels = vessel_tree(eye, trunk, radius, cup_edge=radius * disc.vertical_cup_to_disc)
    for is_vein, blood in ((False, ARTERY), (True, VEIN)):
        covered, reflex = coverage([vessel for vessel in vessels if vessel.is_vein == is_vein], len(scene))
        # On the floor of the cup vessels lie deep and show less.
        taken = (covered - (0.25 if is_vein else 0.45) * reflex) * (1 - 0.45 * is_cup) * eye.uniform(0.75, 1.0)
        scene = scene * (1 - taken[..., np.newaxis] * blood)
    return scene


def _camera(scene, x, y, eye):
    """Light that falls off, focus, haze, exposure, colour cast, aperture, noise, 8 bits."""
    size = len(scene)
    scene = gaussian_filter(scene, (size * eye.uniform(0.0012, 0.0045),) * 2 + (0,), truncate=2.5)
    haze = eye.uniform(0, 0.2)
    scene = (1 - haze) * scene + haze * np.array([0.55, 0.42, 0.30], np.float32)
    light = eye.uniform(0.4, 0.6, 2).astype(np.float32)
    falloff = eye.uniform(0.5, 1.6) * ((x - light[0]) ** 2 + (y - light[1]) ** 2)
    slant = eye.normal(0, 0.12, 2).astype(np.float32)
    light = np.exp(-falloff) * (1 + slant[0] * (x - 0.5) + slant[1] * (y - 0.5))
    scene = scene * light[..., np.newaxis] * (_tint(eye, 0.04, 0.055, 0.09) * _tint(eye, 0.12))
    middle = eye.normal(0.5, 0.012, 2).astype(np.float32)
    distance = np.hypot(x - middle[0], y - middle[1])
    opening = eye.uniform(0.5, 0.6)
    if eye.random() < 0.4:
        # Light that the edge of the pupil scatters.
        side = np.float32(eye.uniform(0, 2 * np.pi))
        facing = np.maximum((x - 0.5) * np.cos(side) + (y - 0.5) * np.sin(side), 0)
        glare = eye.uniform(0.2, 0.6) * facing * np.exp((distance - opening) / 0.04)
        scene = scene + glare[..., np.newaxis] * np.array([0.8, 1.0, 0.8], np.float32)
    # A film's shoulder: what is bright is compressed, not cut.
    scene = np.where(scene < 0.7, scene, 0.7 + 0.3 * np.tanh((scene - 0.7) / 0.3))
    scene = np.maximum(scene, 0) ** eye.uniform(0.9, 1.2)
    scene = scene * np.clip((opening - distance) * size + 0.5, 0, 1)[..., np.newaxis]
    noise = eye.standard_normal(scene.shape, np.float32) * eye.uniform(0.006, 0.018)
    scene = scene + noise * (0.15 + np.sqrt(scene))
    return np.rint(255 * np.clip(scene, 0, 1)).astype(np.uint8)
