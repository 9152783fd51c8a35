"""Who is in a phantom cohort: classes, archives and markers, spelled as the tables of the archives spell them."""

from dataclasses import dataclass, replace
from itertools import count as count_from

import numpy as np

from imbclf.data.phantoms.head.findings import ASTROCYTOMA, DIAGNOSES, GLIOBLASTOMA, OLIGODENDROGLIOMA

# Scholz et al. (2024): shares of the classes, and of the patients that came from each archive.
CLASS_SHARES = {GLIOBLASTOMA: 0.80, ASTROCYTOMA: 0.12, OLIGODENDROGLIOMA: 0.08}
ARCHIVE_SHARES = {"ucsf": 0.42, "egd": 0.39, "tcga": 0.19}
# After so many patients comes one whose markers are not known.
KNOWN_BEFORE_UNKNOWN = 30
# Of so many patients of UCSF-PDGM one was scanned twice before the operation.
SCANNED_ONCE = 30
# These numbers are scans of other patients in the first versions of UCSF-PDGM, and none in later ones.
NEVER_IN_UCSF = {138, 175, 181, 278, 289, 315}
AGES = {GLIOBLASTOMA: (62, 11), ASTROCYTOMA: (39, 11), OLIGODENDROGLIOMA: (44, 12)}
# Spellings of (IDH, 1p/19q) in each archive, as often as they are listed.
MARKERS = {
    "ucsf": {
        GLIOBLASTOMA: (("wildtype", "unknown"), ("wildtype", "unknown"), ("wildtype", "intact")),
        ASTROCYTOMA: (
            ("IDH1 p.R132H", "intact"),
            ("IDH1 p.R132H", "intact"),
            ("mutated (NOS)", "intact"),
            ("IDH1 p.R132C", "intact"),
            ("IDH2 p.R172K", "intact"),
        ),
        OLIGODENDROGLIOMA: (
            ("IDH1 p.R132H", "co-deletion"),
            ("IDH1 p.Arg132His", "Co-deletion"),
            ("IDH2 p.R172K", "relative co-deletion"),
        ),
        None: (("IDH1 p.R132H", "unknown"), ("mutated (NOS)", "unknown")),
    },
    "egd": {
        GLIOBLASTOMA: (("0", "-1"), ("0", "0")),
        ASTROCYTOMA: (("1", "0"),),
        OLIGODENDROGLIOMA: (("1", "1"),),
        None: (("-1", "-1"), ("1", "-1")),
    },
    "tcga": {
        GLIOBLASTOMA: (("WT", "non-codel"), ("WT", "NA")),
        ASTROCYTOMA: (("Mutant", "non-codel"),),
        OLIGODENDROGLIOMA: (("Mutant", "codel"),),
        None: (("NA", "NA"), ("NA", "non-codel")),
    },
}


@dataclass(frozen=True)
class PhantomScan:
    """One scan of a patient of the cohort.

    Args:
        number: From 0 on, in the cohort; with the seed and the visit it decides the images.
        visit: 0, or 1 for the second scan of a patient.
        archive: `"ucsf"`, `"egd"` or `"tcga"`.
        id: As the archive's folders name scans.
        diagnosis: One of `DIAGNOSES`, also where the markers do not tell it.
        idh, codeletion: Markers as the archive's table spells them.
        is_known: Whether the markers tell the diagnosis.
        age: In years.
        sex: `"M"` or `"F"`.
        grade: WHO grade, 2 to 4.
    """

    number: int
    visit: int
    archive: str
    id: str
    diagnosis: str
    idh: str
    codeletion: str
    is_known: bool
    age: int
    sex: str
    grade: int


def phantom_cohort(count, seed):
    """The scans of a cohort of patients.

    Each class is divided among the archives by the same shares, so that no archive tells a class. Classes and archives
    are dealt in turn, whoever is furthest behind its share comes next: every cohort is as near to the shares as whole
    patients can be, and a longer cohort begins with the shorter one.

    Args:
        count: Patients whose markers tell their class; after every 30 comes one more whose do not.
        seed: Decides spellings, ages and sexes.

    Returns:
        List of `PhantomScan`.

    Example:

    >>> from collections import Counter
    >>> cohort = phantom_cohort(200, seed=0)
    >>> first_scans = [scan for scan in cohort if scan.is_known and scan.visit == 0]
    >>> Counter(scan.diagnosis for scan in first_scans)
    Counter({'glioblastoma': 160, 'astrocytoma': 24, 'oligodendroglioma': 16})
    >>> Counter(scan.archive for scan in first_scans)
    Counter({'ucsf': 84, 'egd': 78, 'tcga': 38})
    >>> sum(not scan.is_known for scan in cohort), [scan.id for scan in cohort if scan.visit > 0]
    (6, ['UCSF-PDGM-0033_FU003d', 'UCSF-PDGM-0063_FU003d'])
    """
    diagnoses = _dealt(CLASS_SHARES)
    archives = {diagnosis: _dealt(ARCHIVE_SHARES) for diagnosis in (*DIAGNOSES, None)}
    ids = {"ucsf": _ucsf_ids(), "egd": map("EGD-{:04d}".format, count_from(1))}
    # No tissue source site of TCGA has the code ZZ.
    ids["tcga"] = map("TCGA-ZZ-{:04d}".format, count_from(1))
    cohort, number, known, in_ucsf = [], 0, 0, 0
    while known < count:
        is_known = number % (KNOWN_BEFORE_UNKNOWN + 1) != KNOWN_BEFORE_UNKNOWN
        random = np.random.default_rng((seed, number, 10))
        diagnosis = next(diagnoses) if is_known else DIAGNOSES[random.integers(3)]
        archive = next(archives[diagnosis if is_known else None])
        scan = _scan(random, number, archive, next(ids[archive]), diagnosis, is_known)
        cohort.append(scan)
        known += is_known
        in_ucsf += archive == "ucsf"
        if archive == "ucsf" and in_ucsf % SCANNED_ONCE == 0:
            cohort.append(replace(scan, visit=1, id=f"{scan.id}_FU003d"))
        number += 1
    return cohort


def _scan(random, number, archive, identity, diagnosis, is_known):
    spellings = MARKERS[archive][diagnosis if is_known else None]
    idh, codeletion = spellings[random.integers(len(spellings))]
    age = int(np.clip(random.normal(*AGES[diagnosis]), 18, 90))
    sex = str(random.choice(["M", "M", "M", "F", "F"]))
    grade = 4 if diagnosis == GLIOBLASTOMA else int(random.integers(2, 4))
    return PhantomScan(number, 0, archive, identity, diagnosis, idh, codeletion, is_known, age, sex, grade)


def _dealt(shares):
    """Endless turns of the keys, each as often as its share."""
    dealt = dict.fromkeys(shares, 0)
    for turn in count_from(1):
        key = max(shares, key=lambda name: shares[name] * turn - dealt[name])
        dealt[key] += 1
        yield key


def _ucsf_ids():
    return (f"UCSF-PDGM-{number:04d}" for number in count_from(4) if number not in NEVER_IN_UCSF)
