"""A head with a glioma in the four sequences of MRI, made on the spot."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from imbclf.data.phantoms.head.anatomy import FLUID_OUTSIDE, USUAL_SCALE, Anatomy
from imbclf.data.phantoms.head.findings import DIAGNOSES, Findings, draw_findings
from imbclf.data.phantoms.head.scanner import Site, scan
from imbclf.data.phantoms.head.tumour import Tumour
from imbclf.errors import InputError

SEQUENCES = ("t1", "t1c", "t2", "flair")
# The field of view: its longest side in mm, and each side as a share of that one.
FIELD_OF_VIEW, SIDES, MIDDLE = 192.0, (0.84, 1.0, 0.82), (0.0, 0.0, 5.0)
SMALLEST_SIDE = 24
SKULL, SCALP = 5.0, 6.0
# Signal of tissues in t1, t1c, t2, flair; bright tissue is about 1.
WHITE, GREY, FLUID = (1.0, 1.0, 0.42, 0.60), (0.74, 0.77, 0.60, 0.76), (0.30, 0.31, 1.30, 0.24)
SOLID, DEAD, CHALK = (0.62, 0.64, 1.00, 1.08), (0.36, 0.38, 1.20, 0.72), (0.50, 0.50, 0.18, 0.20)
SWOLLEN = (0.74, 0.76, 0.92, 1.06)
CONTRAST = (0.0, 1.05, -0.12, -0.08)
SUPPRESSED = (-0.10, -0.10, 0.22, -0.56)
BONE, FAT = (0.10, 0.10, 0.08, 0.10), (1.25, 1.30, 0.85, 0.80)


@dataclass(frozen=True, eq=False)
class PhantomBrain:
    """One patient.

    Args:
        images: Sequence to float32 `(*space)`: above 0 inside the brain, or the head, and 0 outside.
        labels: uint8 `(*space)`: 1 tumour core without contrast, 2 oedema, 4 core with contrast, 0 the rest.
        brain: bool `(*space)`.
        affine: `(4, 4)` from voxel indices to mm, the axes running to the right, to the front and up (RAS+). A voxel
            counts as 1 mm, as those of the archives do, so that a head of fewer than 192 voxels is a small one.
        diagnosis: One of `DIAGNOSES`.
        findings: The truth that the images show.
    """

    images: dict[str, np.ndarray]
    labels: np.ndarray
    brain: np.ndarray
    affine: np.ndarray
    diagnosis: str
    findings: Findings


def phantom_brain(seed, number, diagnosis, side=64, site=None, skull=False, visit=0):
    """The brain of one patient.

    A pure function of its arguments. The head, the tumour and the scanner have generators of their own: the same number
    with another diagnosis is the same head in the same scanner, and with another side the same brain in other voxels.

    Args:
        seed: Whole number from 0 on.
        number: Of the patient, from 0 on.
        diagnosis: `"glioblastoma"`, `"astrocytoma"` or `"oligodendroglioma"`.
        side: Voxels from back to front, 24 or more, for 192 mm of the head. The two other sides are shorter.
        site: `Site`; None for the usual one.
        skull: Whether skull and scalp are left around the brain.
        visit: Number of the scan of the patient; another one differs in what the scanner adds.

    Returns:
        `PhantomBrain`.

    Raises:
        InputError: Another diagnosis, a side below 24, a negative seed, number or visit.

    Example:

    >>> brain = phantom_brain(seed=0, number=1, diagnosis="glioblastoma", side=32)
    >>> sorted(brain.images), brain.labels.shape
    (['flair', 't1', 't1c', 't2'], (27, 32, 26))
    >>> bool(brain.images["t1c"][brain.labels == 4].mean() > brain.images["t1c"][brain.labels == 1].mean())
    True
    """
    if diagnosis not in DIAGNOSES:
        raise InputError(f"A diagnosis is one of {', '.join(DIAGNOSES)}, not {diagnosis!r}.")
    if side < SMALLEST_SIDE:
        raise InputError(f"The side of a phantom brain must be {SMALLEST_SIDE} voxels or more, but it is {side!r}.")
    if min(seed, number, visit) < 0:
        raise InputError(f"Seed, number and visit must be 0 or more, but they are {seed!r}, {number!r} and {visit!r}.")
    for_head, for_tumour = (np.random.default_rng((seed, number, part)) for part in (0, 2))
    for_scanner = np.random.default_rng((seed, number, 3, visit))
    axes, affine = head_grid(side)
    space = tuple(map(len, axes))
    softness = 0.35 * FIELD_OF_VIEW / side
    anatomy = Anatomy(for_head)
    findings = true_findings(seed, number, diagnosis)
    tumour = Tumour(for_tumour, findings, anatomy)
    points = _pose(for_head) @ np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    depth = anatomy.depth(points)
    brain = depth > -FLUID_OUTSIDE
    points, outside, depth = points[:, brain], -FLUID_OUTSIDE - depth, depth[brain]
    tissues = anatomy.tissues(tumour.source(points), depth, softness)
    near = tumour.near(points)
    shares = tumour.shares(points[:, near], depth[near], tissues.at(near), softness).spread(near)
    seen = outside < (SKULL + SCALP if skull else 0)
    images = {}
    for column, name in enumerate(SEQUENCES):
        signal = np.where(seen, np.where(outside < SKULL, BONE[column], FAT[column]), 0).astype(np.float32)
        signal[brain] = _signal(column, tissues, shares)
        images[name] = scan(for_scanner, signal.reshape(space), seen.reshape(space), axes, site or Site())
    labels = np.zeros(len(brain), np.uint8)
    labels[brain] = shares.labels()
    return PhantomBrain(images, labels.reshape(space), brain.reshape(space), affine, diagnosis, findings)


def true_findings(seed, number, diagnosis):
    """The `Findings` that `phantom_brain` shows for the same seed, number and diagnosis."""
    return draw_findings(np.random.default_rng((seed, number, 1)), diagnosis)


def average_brain(side):
    """Brain mask of the atlas that the heads are registered to, bool `(*space)`, and its affine."""
    axes, affine = head_grid(side)
    anatomy = Anatomy(np.random.default_rng(0))
    anatomy.scale = np.full(3, USUAL_SCALE)
    depth = anatomy.depth(np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1))
    return (depth > -FLUID_OUTSIDE).reshape([len(axis) for axis in axes]), affine


def head_grid(side):
    """Coordinates of the three axes of a phantom in mm of a full-sized head, and the affine of its voxels of 1 mm."""
    sizes = [round(share * side) for share in SIDES]
    spacing = FIELD_OF_VIEW / side
    axes = [
        ((np.arange(size) - (size - 1) / 2) * spacing + middle).astype(np.float32)
        for size, middle in zip(sizes, MIDDLE)
    ]
    affine = np.eye(4)
    affine[:3, 3] = [axis[0] / spacing for axis in axes]
    return axes, affine


def _signal(column, tissues, shares):
    """Signal of one sequence: tissues mixed by their shares."""
    healthy = WHITE[column] * tissues.white + GREY[column] * tissues.grey + FLUID[column] * tissues.fluid
    swollen = np.clip(shares.oedema, 0, 1)
    healthy = healthy + swollen * (SWOLLEN[column] - healthy)
    solid = SOLID[column] * (1 + 0.06 * shares.texture)
    tumour = shares.core * solid + shares.necrosis * (DEAD[column] - solid)
    tumour += shares.contrast * CONTRAST[column] + shares.suppressed * SUPPRESSED[column]
    signal = (1 - shares.core) * healthy + tumour
    return signal + np.minimum(shares.calcified, 1) * (CHALK[column] - signal)


def _pose(random):
    """A small rotation of the head, float32 `(3, 3)`, as registration leaves it."""
    return Rotation.from_rotvec(random.uniform(-1.5, 1.5, 3), degrees=True).as_matrix().astype(np.float32)
