"""A folder of phantom fundus photographs in the layout of the glaucoma data of Ahn et al. (2018)."""

import io
import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from imbclf.data.phantoms.eye.fundus import draw_fundus
from imbclf.data.phantoms.eye.optic_disc import QUADRANTS, random_disc
from imbclf.data.phantoms.phantom_folder import check_phantom, claim_phantom, draw_missing, said_of_phantom
from imbclf.data.preparation.fundus.ahn import CLASS_NAMES
from imbclf.data.preparation.making import explain_failure
from imbclf.errors import InputError, whole
from imbclf.files import write_bytes, write_table

PUBLISHED_COUNTS = (786, 289, 467)
# Mean and deviation of the share of nerve fibres that an eye of each class has lost.
DAMAGE = ((0.07, 0.10), (0.36, 0.12), (0.72, 0.13))
MOST_DAMAGE = 0.97
TRUTH_COLUMNS = (
    *("Class", "Filename", "eye", "damage", "vertical_cup_to_disc", "horizontal_cup_to_disc", "cup_to_disc_area"),
    *("thinnest_rim", *(f"rim_{quadrant}" for quadrant in QUADRANTS), "notch_depth", "notch_angle", "defect_width"),
    *("disc_row", "disc_column", "disc_height", "disc_width"),
)
# Grows when an eye would be drawn otherwise, so that no folder holds photographs of two kinds.
VERSION = 1


def write_phantom_glaucoma(out, count=600, size=240, seed=0, workers=1, patients=None, stream=None):
    r"""Draw fundus photographs of healthy and glaucomatous eyes into `out/class/number.png`.

    How the classes are defined: each eye has a damage, the share of its nerve fibres that is lost, drawn from
    \(N(0.07, 0.10^2)\) for `normal_control`, \(N(0.36, 0.12^2)\) for `early_glaucoma` and \(N(0.72, 0.13^2)\) for
    `advanced_glaucoma`, cut to [0, 0.97]. The class acts through the damage alone. Damage takes rim, most below and
    above, so that the cup grows and becomes upright; it makes a notch of the rim at the lower or upper pole and a wedge
    without nerve fibres likely, and it dims the sheen of the fibres that are left. What an eye was born with hides
    damage: discs differ in size and large discs have large cups; and the damages of neighbouring classes overlap, those
    of early glaucoma with both. From the true shape of the disc, gradient-boosted trees tell the classes with a
    balanced accuracy of 0.84, from the vertical cup-to-disc ratio alone with 0.78; trained for accuracy instead they
    miss four in ten of the early glaucomas.

    The folder holds what the archive holds: a folder for each class, whose file names are numbers from 1 that repeat
    across classes, with the proportions of the published lists, 786 : 289 : 467; and lists like the published ones,
    `train.csv` and `test.csv` with the columns `Class,Class_Int,Filename`, a quarter of each class in the latter.
    Beside them lie `truth.csv` with the shapes that were drawn (widths of the rim in disc radii, angles in degrees from
    the temporal horizontal with superior positive, lengths in pixels) and `phantom.json`. A photograph does not change
    when others are added. A second call with the same arguments draws only what is missing.

    Args:
        out: The folder: new, empty, or begun by a call with the same arguments.
        count: Number of photographs, 20 or more; 1542 gives the numbers of the published lists.
        size: Side of a photograph in pixels, 32 or more.
        seed: Whole number from 0 on.
        workers: Processes that draw; the photographs are the same for any number.
        patients: None as in the archive, which has one photograph of a patient and names none. With a number, so many
            patients share the photographs, some with both eyes, which are then of one class and in one split; and
            `labels.csv` with the columns `path,label,patient` says whose they are.
        stream: Where progress goes; standard error without it.

    Returns:
        The folder as a `Path`.

    Raises:
        InputError: A number out of its range, a folder that holds something else, or a disk that is full.

    Source: J. M. Ahn et al., A deep learning model for the detection of both advanced and early glaucoma using fundus
    photography, PLOS ONE 13(11): e0207982, 2018, for classes and layout.

    Example:

    >>> import io, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> out = write_phantom_glaucoma(folder.name, count=20, size=32, stream=io.StringIO())
    >>> [len(list((out / name).iterdir())) for name in CLASS_NAMES]
    [10, 4, 6]
    >>> folder.cleanup()
    """
    workers = whole(workers, "workers", least=1)
    out = Path(out).expanduser()
    eyes, description = _photographs(count, size, seed, patients)
    claim_phantom(out, description)
    missing = [eye for eye in eyes if not (out / eye.path).exists()]
    draw_missing(partial(_draw, out, size), missing, "photographs", workers, stream)
    is_test = _test_patients(eyes, seed)
    for split in ("train", "test"):
        rows = [(eye.class_name, eye.label, eye.file_name) for eye in eyes if is_test[eye.patient] == (split == "test")]
        explain_failure(write_table, out / f"{split}.csv", ("Class", "Class_Int", "Filename"), rows)
    if patients is not None:
        rows = [(eye.path, eye.class_name, eye.patient) for eye in eyes]
        explain_failure(write_table, out / "labels.csv", ("path", "label", "patient"), rows)
    explain_failure(write_table, out / "truth.csv", TRUTH_COLUMNS, [_truth(eye, size) for eye in eyes])
    return out


def plan_phantom_glaucoma(out, count=600, size=240, seed=0, patients=None):
    """What `write_phantom_glaucoma` would draw with these arguments, in a sentence; nothing is written."""
    eyes, description = _photographs(count, size, seed, patients)
    check_phantom(Path(out).expanduser(), description)
    return said_of_phantom(out, [eye.path for eye in eyes], Counter(eye.class_name for eye in eyes), "photographs")


def _photographs(count, size, seed, patients):
    """The photographs to draw, as `_Eye`s, and what they depend on; `InputError` for a number out of its range."""
    limits = (("count", count, 20), ("size", size, 32), ("seed", seed, 0))
    count, size, seed = (whole(value, name, least) for name, value, least in limits)
    counts = _share_out(count, PUBLISHED_COUNTS)
    pairs = _share_out(_pair_count(count, patients, counts), [number // 2 for number in counts])
    eyes = [
        eye for label in range(len(CLASS_NAMES)) for eye in _eyes_of_class(seed, label, counts[label], pairs[label])
    ]
    arguments = {"count": count, "size": size, "seed": seed, "patients": patients and int(patients)}
    return eyes, {"phantom": "glaucoma", "version": VERSION, **arguments}


@dataclass(frozen=True)
class _Eye:
    """Which eye a photograph shows; `person` counts the patients of the class."""

    seed: int
    label: int
    number: int
    person: int
    is_left: bool

    def __str__(self):
        return self.path

    @property
    def class_name(self):
        return CLASS_NAMES[self.label]

    @property
    def file_name(self):
        return f"{self.number + 1}.png"

    @property
    def path(self):
        return f"{self.class_name}/{self.file_name}"

    @property
    def patient(self):
        # The class does not show in the name.
        return f"P{self.person * len(CLASS_NAMES) + self.label + 1:05d}"

    def disc(self):
        """The optic disc, and the two generators that drew it and will draw the rest."""
        person = np.random.default_rng((self.seed, self.label, 0, self.person))
        eye = np.random.default_rng((self.seed, self.label, 1, self.number))
        damage = np.clip(eye.normal(*DAMAGE[self.label]), 0, MOST_DAMAGE)
        return random_disc(person, eye, float(damage)), person, eye


def _eyes_of_class(seed, label, count, pairs):
    """Right and left eye of the first `pairs` patients, and one eye of each of the others."""
    for number in range(count):
        if number < 2 * pairs:
            yield _Eye(seed, label, number, person=number // 2, is_left=number % 2 == 1)
        else:
            is_left = np.random.default_rng((seed, label, 2, number)).random() < 0.5
            yield _Eye(seed, label, number, person=number - pairs, is_left=bool(is_left))


def _draw(out, size, eye):
    disc, person, generator = eye.disc()
    buffer = io.BytesIO()
    Image.fromarray(draw_fundus(disc, person, generator, size, eye.is_left)).save(buffer, "PNG", compress_level=3)
    explain_failure(write_bytes, out / eye.path, buffer.getvalue())


def _truth(eye, size):
    disc, _, _ = eye.disc()
    x, y = disc.middle
    numbers = (
        *(disc.damage, disc.vertical_cup_to_disc, disc.horizontal_cup_to_disc, disc.cup_to_disc_area),
        *(disc.thinnest_rim, *disc.rim, disc.notch_depth),
        *(math.degrees(disc.notch_angle) if disc.notch_depth else 0.0, math.degrees(disc.defect_width)),
        *((1 - y) * size - 0.5, (x if eye.is_left else 1 - x) * size - 0.5),
        *(disc.diameter * size, disc.diameter * disc.ovalness * size),
    )
    side = "left" if eye.is_left else "right"
    return eye.class_name, eye.file_name, side, *(round(float(number), 4) for number in numbers)


def _test_patients(eyes, seed):
    """Whether each patient is for testing: a quarter of all, rounded up, and one at least of each class."""
    of_class = [sorted({eye.patient for eye in eyes if eye.label == label}) for label in range(len(CLASS_NAMES))]
    numbers = [len(names) for names in of_class]
    is_test = {}
    for label, (names, count) in enumerate(zip(of_class, _share_out(math.ceil(sum(numbers) / 4), numbers))):
        shuffled = np.random.default_rng((seed, label, 3)).permutation(names).tolist()
        is_test |= {name: place < max(1, count) for place, name in enumerate(shuffled)}
    return is_test


def _pair_count(count, patients, counts):
    """How many patients have both eyes photographed."""
    if patients is None:
        return 0
    least = count - sum(number // 2 for number in counts)
    patients = whole(patients, "patients", least)
    if patients > count:
        raise InputError(f"{count} photographs cannot show {patients} patients: set patients to {count} at most.")
    return count - patients


def _share_out(total, weights):
    """Whole numbers in proportion to the weights that add up to the total; the largest remainders are rounded up.

    >>> _share_out(1542, (786, 289, 467)), _share_out(10, (51, 19, 30))
    ([786, 289, 467], [5, 2, 3])
    """
    exact = np.asarray(weights) * total / max(sum(weights), 1)
    shares = np.floor(exact).astype(int)
    shares[np.argsort(shares - exact, kind="stable")[: total - shares.sum()]] += 1
    return shares.tolist()
