"""A folder of phantom brains with gliomas in the layouts of UCSF-PDGM, the Erasmus Glioma Database and TCGA."""

from collections import Counter
from dataclasses import astuple, fields
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
from nibabel.orientations import axcodes2ornt, ornt_transform

from imbclf.data.nifti_writing import write_nifti
from imbclf.data.phantoms.glioma_cohort import phantom_cohort
from imbclf.data.phantoms.glioma_layouts import ATLAS_BRAIN, LAYOUTS, table_row
from imbclf.data.phantoms.head.brain import SEQUENCES, SMALLEST_SIDE, average_brain, phantom_brain, true_findings
from imbclf.data.phantoms.head.findings import Findings
from imbclf.data.phantoms.phantom_folder import check_phantom, claim_phantom, draw_missing, said_of_phantom
from imbclf.data.preparation.making import explain_failure
from imbclf.errors import whole
from imbclf.files import write_table

TRUTH_COLUMNS = ("archive", "id", "diagnosis", "is_known", *(field.name for field in fields(Findings)))
# Grows when a patient would be drawn otherwise, so that no folder holds brains of two kinds.
VERSION = 1


def write_phantom_glioma(out, count=200, side=64, seed=0, workers=1, stream=None):
    """Draw four-sequence brains with gliomas into `out/ucsf`, `out/egd` and `out/tcga`, as the archives lay them out.

    How the classes are defined: a glioblastoma mostly has a rim of contrast around a dead middle and wide oedema; an
    astrocytoma mostly has a core that T2 shows bright and FLAIR suppresses; an oligodendroglioma mostly lies in the
    cortex, with calcified clumps and no clear margin. Each sign is missing in some of its class and present in some of
    the others (`head.findings` says how often): a balanced linear classifier of the true findings reaches a balanced
    accuracy of 0.86, one trained for accuracy 0.79. Nothing else depends on the class: not head, scanner, site, noise.

    Of 100 patients 80, 12 and 8 are of the classes, and of each class 42, 39 and 19 in the archives, as nearly as
    whole patients can be. After every 30 patients comes one whose markers the table leaves unknown, and of 30 patients
    of UCSF-PDGM one has a second scan. The sites differ in contrast, noise, slice thickness, scale of the numbers,
    orientation of the voxels, and whether the skull is there. Voxels count as 1 mm, so that a head of `side` voxels is
    smaller than life below 192.

    Beside the archives lie `truth.csv` with the findings that were drawn and `phantom.json`. A patient does not change
    when others are added. Tables are written last; a second call with the same arguments draws only what is missing.

    Args:
        out: The folder: new, empty, or begun by a call with the same arguments.
        count: Patients with known markers, 3 or more; from 38 on each archive has all classes.
        side: Voxels from back to front, 24 or more; 192 is life-sized. A cube of half the side holds any tumour.
        seed: Whole number from 0 on.
        workers: Processes that draw; the brains are the same for any number.
        stream: Where progress goes; standard error without it.

    Returns:
        The folder as a `Path`.

    Raises:
        InputError: A number out of its range, a folder that holds something else, or a disk that is full.

    Source of the proportions: D. Scholz et al., Imbalance-aware loss functions improve medical image classification,
    MIDL 2024. Of the layouts: see `imbclf.data.preparation.mri.ucsf_pdgm`, `.egd`, `.tcga` and `.patient_folders`.

    Example:

    >>> import io, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> out = write_phantom_glioma(folder.name, count=3, side=24, stream=io.StringIO())
    >>> sorted(path.name for path in out.iterdir())
    ['egd', 'phantom.json', 'tcga', 'truth.csv', 'ucsf']
    >>> folder.cleanup()
    """
    workers = whole(workers, "workers", least=1)
    out = Path(out).expanduser()
    cohort, description = _cohort(count, side, seed)
    claim_phantom(out, description)
    missing = [scan for scan in cohort if not all((out / path).exists() for path in _paths(scan).values())]
    draw_missing(partial(_draw, out, side, seed), missing, "scans", workers, stream)
    if not (out / "egd" / ATLAS_BRAIN).exists():
        brain, affine = average_brain(side)
        _write(out / "egd" / ATLAS_BRAIN, brain.astype(np.uint8), affine, LAYOUTS["egd"].orientation)
    for archive, layout in LAYOUTS.items():
        rows = [table_row(scan) for scan in cohort if scan.archive == archive]
        explain_failure(write_table, out / archive / layout.table, layout.columns, rows)
    explain_failure(write_table, out / "truth.csv", TRUTH_COLUMNS, [_truth(scan, seed) for scan in cohort])
    return out


def plan_phantom_glioma(out, count=200, side=64, seed=0):
    """What `write_phantom_glioma` would draw with these arguments, in a sentence; nothing is written."""
    cohort, description = _cohort(count, side, seed)
    check_phantom(Path(out).expanduser(), description)
    files = [path for scan in cohort for path in _paths(scan).values()]
    classes = Counter(scan.diagnosis if scan.is_known else "unknown" for scan in cohort)
    return said_of_phantom(out, files, classes, "scans")


def _cohort(count, side, seed):
    """The scans to draw and what they depend on; `InputError` for a number out of its range."""
    limits = (("count", count, 3), ("side", side, SMALLEST_SIDE), ("seed", seed, 0))
    count, side, seed = (whole(value, name, least) for name, value, least in limits)
    return phantom_cohort(count, seed), {
        "phantom": "glioma",
        "version": VERSION,
        "count": count,
        "side": side,
        "seed": seed,
    }


def _paths(scan):
    """Role to path below the folder of all archives."""
    return {role: Path(scan.archive, path) for role, path in LAYOUTS[scan.archive].paths(scan.id).items()}


def _draw(out, side, seed, scan):
    layout = LAYOUTS[scan.archive]
    brain = phantom_brain(seed, scan.number, scan.diagnosis, side, layout.site, layout.skull, scan.visit)
    arrays = {name: _stored(brain.images[name], layout.whole_numbers) for name in SEQUENCES}
    arrays["mask"] = (brain.labels > 0).astype(np.uint8) if layout.binary_mask else brain.labels
    arrays["brain"] = brain.brain.astype(np.uint8)
    for role, path in _paths(scan).items():
        _write(out / path, arrays[role], brain.affine, layout.orientation)


def _stored(image, whole_numbers):
    # Eighths of a unit are far below the noise, and leave less to compress.
    return np.rint(image).astype(np.int16) if whole_numbers else np.rint(8 * image) / np.float32(8)


def _write(path, array, affine, orientation):
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(orientation))
    turned = nibabel.Nifti1Image(array, affine).as_reoriented(turn)
    explain_failure(write_nifti, path, np.asanyarray(turned.dataobj), turned.affine)


def _truth(scan, seed):
    findings = astuple(true_findings(seed, scan.number, scan.diagnosis))
    numbers = [int(value) if isinstance(value, bool) else round(value, 4) for value in findings]
    return scan.archive, scan.id, scan.diagnosis, int(scan.is_known), *numbers
