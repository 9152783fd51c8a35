"""UCSF-PDGM: the University of California San Francisco Preoperative Diffuse Glioma MRI.

Calabrese et al. (2022), The Cancer Imaging Archive, doi:10.7937/tcia.bdgf-8v37; 501 scans of 495 patients,
skull-stripped, the sequences of a scan on one grid of 1 mm. What is read, and where it was found:

- Folders `UCSF-PDGM-0004_nifti` (also without `_nifti`), files `UCSF-PDGM-0004_T1.nii.gz`, `_T1c`, `_T2`, `_FLAIR`,
  `_tumor_segmentation` (labels 0, 1, 2, 4), `_brain_segmentation`; the same four with `_bias`, corrected for the field,
  are taken only where the others are missing. Found in several public loaders of versions 3 to 5, which agree. Files
  are looked up by their ending, because one of these loaders reports ids of another width in folder and file.
- Table `UCSF-PDGM-metadata_v5.csv` (earlier `UCSF-PDGM-metadata.csv`, `_v2.csv`) from the archive's page, with the
  columns `ID`, `IDH`, `1p/19q`. Ids there have three digits (`UCSF-PDGM-004`), follow-ups four
  (`UCSF-PDGM-0429_FU003d`); both are read.
- `IDH`: `wildtype`, `mutated (NOS)`, `IDH1 p.R132H`, `IDH1 p.Arg132His`, `IDH2 p.R172K` and other variants of this
  form. `1p/19q`: `intact`, `co-deletion` (one loader also has `Co-deletion`), `relative co-deletion`, which the loaders
  count as codeleted and so do we, and `unknown`. From loaders and a description of the file; the file itself was not
  at hand.
- Six scans are follow-ups of other patients. Since version 3 their ids say so; before, they had ids of their own (the
  six pairs below, from the same description). They keep their id and get the patient of the first scan, so that no
  split parts them.
"""

import re

from imbclf.data.preparation.mri.archive import Archive
from imbclf.data.preparation.mri.patient_folders import ROLES

_FOLLOW_UPS = {"0315": "0433", "0278": "0431", "0175": "0396", "0138": "0429", "0181": "0409", "0289": "0391"}
_ENDINGS = ("_T1", "_T1c", "_T2", "_FLAIR")


def identify(text):
    """The id of a scan from a folder's name or the table, or None.

    Example:

    >>> identify("UCSF-PDGM-0004_nifti"), identify("UCSF-PDGM-004"), identify("UCSF-PDGM-0429_FU003d_nifti")
    ('ucsf-pdgm-0004', 'ucsf-pdgm-0004', 'ucsf-pdgm-0429_fu003d')
    """
    match = re.fullmatch(r"ucsf-pdgm-(\d{1,4})(_fu\d+d)?(_nifti)?", text.strip().lower())
    return f"ucsf-pdgm-{int(match[1]):04d}{match[2] or ''}" if match else None


def patient_of(scan):
    """The patient whom a scan shows.

    Example:

    >>> patient_of("ucsf-pdgm-0429_fu003d"), patient_of("ucsf-pdgm-0138"), patient_of("ucsf-pdgm-0004")
    ('ucsf-pdgm-0429', 'ucsf-pdgm-0429', 'ucsf-pdgm-0004')
    """
    number = scan.removeprefix("ucsf-pdgm-")[:4]
    return f"ucsf-pdgm-{_FOLLOW_UPS.get(number, number)}"


def _layout(suffix):
    images = {role: (f"*{ending}{suffix}",) for role, ending in zip(ROLES, _ENDINGS)}
    return images | {"mask": ("*_tumor_segmentation",), "brain": ("*_brain_segmentation",)}


UCSF_PDGM = Archive(
    name="UCSF-PDGM",
    split="train",
    identify=identify,
    patient_of=patient_of,
    layouts=(_layout(""), _layout("_bias")),
    columns={"id": ("ID",), "idh": ("IDH",), "codeletion": ("1p/19q",)},
    idh={r"wild-?type": "wildtype", r"mutated( \(nos\))?|idh[12] p\..+": "mutant"},
    codeletion={r"intact": "intact", r"(relative )?co-?deletion": "codeleted"},
)
