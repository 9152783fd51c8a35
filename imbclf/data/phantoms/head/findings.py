"""What a radiologist would report of a glioma, drawn with the frequencies of its class."""

from dataclasses import dataclass

import numpy as np

from imbclf.errors import InputError

GLIOBLASTOMA, ASTROCYTOMA, OLIGODENDROGLIOMA = "glioblastoma", "astrocytoma", "oligodendroglioma"
DIAGNOSES = (GLIOBLASTOMA, ASTROCYTOMA, OLIGODENDROGLIOMA)

# Per class: the share of patients who show a finding.
ENHANCING = {GLIOBLASTOMA: 0.93, ASTROCYTOMA: 0.25, OLIGODENDROGLIOMA: 0.30}
MISMATCHED = {GLIOBLASTOMA: 0.03, ASTROCYTOMA: 0.72, OLIGODENDROGLIOMA: 0.06}
CALCIFIED = {GLIOBLASTOMA: 0.03, ASTROCYTOMA: 0.05, OLIGODENDROGLIOMA: 0.80}
CORTICAL = {GLIOBLASTOMA: 0.25, ASTROCYTOMA: 0.30, OLIGODENDROGLIOMA: 0.88}
INDISTINCT = {GLIOBLASTOMA: 0.15, ASTROCYTOMA: 0.15, OLIGODENDROGLIOMA: 0.75}


@dataclass(frozen=True)
class Findings:
    """The truth behind the images of one tumour.

    Args:
        enhancement: 0 none, to 1: how much of the solid tumour takes up contrast, and how brightly.
        necrosis: Radius of the dead middle as a share of the radius of the tumour core, 0 to 0.82.
        ring: Whether contrast forms a rim; otherwise patches.
        mismatch: 0 to 1: how far FLAIR suppresses the core that T2 shows bright.
        calcification: 0 none, to 1: share and darkness of calcified clumps.
        cortical_depth: Depth of the tumour's middle below the surface of the brain, as a share of its radius.
        margin: Width of the border of the core in mm.
        radius: Of the core, in mm.
        oedema: How far oedema reaches beyond the core, in mm.
        mass_effect: 0.2 to 0.45: how far tissue is pushed aside.
    """

    enhancement: float
    necrosis: float
    ring: bool
    mismatch: float
    calcification: float
    cortical_depth: float
    margin: float
    radius: float
    oedema: float
    mass_effect: float


def draw_findings(random, diagnosis):
    """Findings of one patient.

    The classes overlap: of 100 glioblastomas 7 do not enhance, of 100 astrocytomas 28 lack the mismatch sign and 25
    enhance, of 100 oligodendrogliomas 20 show no calcification.

    Args:
        random: NumPy generator.
        diagnosis: One of `DIAGNOSES`.

    Returns:
        `Findings`.

    Raises:
        InputError: Another diagnosis.

    Source of the signs: WHO Classification of Tumours, Central Nervous System Tumours, 5th edition, 2021; S. H. Patel
    et al., T2-FLAIR mismatch, an imaging biomarker for IDH and 1p/19q status in lower-grade gliomas, 2017. The
    frequencies are ours, chosen so that a classifier of the findings has a balanced accuracy of about 0.85.

    Example:

    >>> import numpy as np
    >>> findings = draw_findings(np.random.default_rng(0), "oligodendroglioma")
    >>> 0 <= findings.enhancement <= 1
    True
    """
    if diagnosis not in DIAGNOSES:
        raise InputError(f"A diagnosis is one of {', '.join(DIAGNOSES)}, not {diagnosis!r}.")

    # Every number is drawn for every patient, so that a finding that is absent does not shift the draws of the others.
    shows = {name: random.random() < share[diagnosis] for name, share in _SHARES.items()}
    strong, weak = random.beta(4, 2.5, 4), random.beta(1.2, 9, 4)
    is_glioblastoma = diagnosis == GLIOBLASTOMA
    patchy = random.beta(2, 3)
    enhancement = (strong[0] if is_glioblastoma else patchy) if shows["enhancing"] else 0.3 * weak[0]
    # A dead middle comes with high grades only, and those enhance.
    dies = random.random() < (0.9 if is_glioblastoma else 0.4 if diagnosis == ASTROCYTOMA else 0.12)
    dead = random.uniform(0.5, 0.82)
    ring = random.random() < (0.92 if is_glioblastoma else 0.45)
    shallow, deep = random.uniform(0.35, 0.8), random.uniform(0.95, 1.9)
    reach = random.gamma(4, 3.6) if is_glioblastoma else random.gamma(2.5, 2.2)
    return Findings(
        enhancement=float(enhancement),
        necrosis=float(dead) if shows["enhancing"] and dies else 0.0,
        ring=bool(ring and shows["enhancing"]),
        mismatch=float(0.3 + 0.7 * strong[1] if shows["mismatched"] else weak[1]),
        calcification=float(0.25 + 0.75 * strong[2] if shows["calcified"] else 0.3 * weak[2]),
        cortical_depth=float(shallow if shows["cortical"] else deep),
        margin=float(random.uniform(4, 8) if shows["indistinct"] else random.uniform(1, 3.5)),
        radius=float(random.uniform(15, 27)),
        oedema=float(np.clip(reach, 1.5, 32)),
        mass_effect=float(random.uniform(0.2, 0.45)),
    )


_SHARES = {
    "enhancing": ENHANCING,
    "mismatched": MISMATCHED,
    "calcified": CALCIFIED,
    "cortical": CORTICAL,
    "indistinct": INDISTINCT,
}
