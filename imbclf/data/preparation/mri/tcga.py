"""TCGA-GBM and TCGA-LGG: the glioma patients of The Cancer Genome Atlas.

What is read, and where it was found:

- Images: BraTS-TCGA-GBM and -LGG (Bakas et al. 2017, doi:10.1038/sdata.2017.117; co-registered, 1 mm,
  skull-stripped): folders `Pre-operative_TCGA_GBM_NIfTI_and_Segmentations/TCGA-02-0006`, files
  `TCGA-02-0006_1996.08.23_t1.nii.gz`, `_t1Gd`, `_t2`, `_flair`, and `_GlistrBoost_ManuallyCorrected` (labels 0, 1, 2,
  4), or, where nobody corrected it, `_GlistrBoost`. Found in several public loaders, which agree.
- Markers: Table S1 of Ceccarelli et al. (2016, Cell 164:550), `mmc2.xlsx`, sheet `S1A. TCGA discovery dataset`, a title
  above the header: `Case`, `IDH status` (`WT`, `Mutant`), `1p/19q codeletion` (`codel`, `non-codel`), `IDH/codel
  subtype` (`IDHwt`, `IDHmut-codel`, `IDHmut-non-codel`), `NA` where unknown. The same under the names of TCGAbiolinks
  (`patient`, `IDH.status`, `X1p.19q.codeletion`, `IDH.codel.subtype`, with or without `paper_`) and of cBioPortal
  (`Patient ID`). Sheet, columns and spellings are those of public scripts that read the file; it was not at hand.

Most patients of the table have no images, so that only those with a folder are spoken of.
"""

import re

from imbclf.data.preparation.mri.archive import Archive


def identify(text):
    """The patient of a folder's name, of a barcode or of a row, or None.

    Example:

    >>> identify("TCGA-02-0003"), identify("TCGA-02-0003-01A"), identify("TCGA-GBM")
    ('tcga-02-0003', 'tcga-02-0003', None)
    """
    match = re.fullmatch(r"(tcga-[0-9a-z]{2}-[0-9a-z]{4})(-[0-9a-z-]*)?", text.strip().lower())
    return match[1] if match else None


TCGA = Archive(
    name="TCGA",
    split="test",
    identify=identify,
    layouts=(
        {
            "t1": ("*_t1",),
            "t1c": ("*_t1Gd",),
            "t2": ("*_t2",),
            "flair": ("*_flair",),
            "mask": ("*_GlistrBoost_ManuallyCorrected", "*_GlistrBoost"),
            "brain": (),
        },
    ),
    columns={
        "id": ("Case", "patient", "Patient ID", "submitter_id", "bcr_patient_barcode"),
        "idh": ("IDH status",),
        "codeletion": ("1p/19q codeletion",),
        "subtype": ("IDH/codel subtype",),
    },
    idh={r"wt|wild-?type": "wildtype", r"mutant|mut": "mutant"},
    codeletion={r"non-?codel": "intact", r"codel": "codeleted"},
    subtypes={
        r"idhwt": ("wildtype", ""),
        r"idhmut-codel": ("mutant", "codeleted"),
        r"idhmut-non-?codel": ("mutant", "intact"),
    },
    lists_its_scans=False,
)
