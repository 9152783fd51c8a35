"""Where three archives keep the scans and the markers of a patient, and how their sites scan."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from imbclf.data.phantoms.head.findings import ASTROCYTOMA, GLIOBLASTOMA, OLIGODENDROGLIOMA
from imbclf.data.phantoms.head.scanner import Site

UCSF_DIAGNOSES = {
    GLIOBLASTOMA: "Glioblastoma, IDH-wildtype",
    ASTROCYTOMA: "Astrocytoma, IDH-mutant",
    OLIGODENDROGLIOMA: "Oligodendroglioma, IDH-mutant, 1p/19q-codeleted",
}


@dataclass(frozen=True)
class ArchiveLayout:
    """How an archive lays out its files.

    Args:
        files: Role (`t1`, `t1c`, `t2`, `flair`, `mask`, perhaps `brain`) to path below the archive, with `{id}` for the
            patient's id.
        orientation: Directions of the voxel axes, as nibabel names them.
        whole_numbers: Whether voxels are whole numbers.
        binary_mask: Whether the mask says tumour or none; otherwise it has the labels of BraTS.
        skull: Whether skull and scalp are left.
        site: How its scanners scan.
        table: Path of its table.
        columns: Its columns, in the archive's spelling.
    """

    files: dict[str, str]
    orientation: str
    whole_numbers: bool
    binary_mask: bool
    skull: bool
    site: Site
    table: str
    columns: tuple[str, ...]

    def paths(self, scan):
        """Role to `PurePosixPath` of the files of one scan."""
        return {role: PurePosixPath(pattern.format(id=scan)) for role, pattern in self.files.items()}


_UCSF = "UCSF-PDGM-v5/{id}_nifti/{id}_"
_EGD = "MR_{id}/"
_TCGA = "{id}/{id}_brainles/"

LAYOUTS = {
    # One scanner of 3 T with thin slices.
    "ucsf": ArchiveLayout(
        files={
            role: f"{_UCSF}{name}.nii.gz"
            for role, name in (
                *(("t1", "T1"), ("t1c", "T1c"), ("t2", "T2"), ("flair", "FLAIR")),
                *(("mask", "tumor_segmentation"), ("brain", "brain_segmentation")),
            )
        },
        orientation="LPS",
        whole_numbers=True,
        binary_mask=False,
        skull=False,
        site=Site(level=1000, level_spread=0.12, noise=0.022, bias=0.04),
        table="UCSF-PDGM-metadata_v5.csv",
        columns=(
            *("ID", "Sex", "Age at MRI", "WHO CNS Grade", "Final pathologic diagnosis (WHO 2021)", "MGMT status"),
            *("MGMT index", "1p/19q", "IDH", "1-dead 0-alive", "OS", "EOR", "Biopsy prior to imaging", "BraTS21 ID"),
            *("BraTS21 Segmentation Cohort", "BraTS21 MGMT Cohort"),
        ),
    ),
    # Many scanners and years, slices of some millimetres, put on the grid of an atlas with their skull.
    "egd": ArchiveLayout(
        files={
            "t1": f"{_EGD}1_T1/NIFTI/T1.nii.gz",
            "t1c": f"{_EGD}2_T1GD/NIFTI/T1GD.nii.gz",
            "t2": f"{_EGD}3_T2/NIFTI/T2.nii.gz",
            "flair": f"{_EGD}4_FLAIR/NIFTI/FLAIR.nii.gz",
            "mask": f"{_EGD}5_MASK/NIFTI/MASK.nii.gz",
        },
        orientation="LAS",
        whole_numbers=False,
        binary_mask=True,
        skull=True,
        site=Site(level=420, level_spread=0.35, noise=0.032, bias=0.07, blur=(0, 0, 1.8), contrast=0.93),
        table="Genetic_and_Histological_labels.csv",
        columns=("Subject", "IDH", "1p19q", "Grade"),
    ),
    # Many hospitals, as BraTS Toolkit writes them.
    "tcga": ArchiveLayout(
        files={
            "t1": f"{_TCGA}raw_bet/{{id}}_t1_bet.nii.gz",
            "t1c": f"{_TCGA}raw_bet/{{id}}_t1c_bet.nii.gz",
            "t2": f"{_TCGA}raw_bet/{{id}}_t2_bet.nii.gz",
            "flair": f"{_TCGA}raw_bet/{{id}}_fla_bet.nii.gz",
            "mask": f"{_TCGA}fusion/simple.nii.gz",
        },
        orientation="LPS",
        whole_numbers=True,
        binary_mask=False,
        skull=False,
        site=Site(level=350, level_spread=0.3, noise=0.04, bias=0.08, blur=(0.5, 0.5, 1.5), contrast=1.08),
        table="mmc2.csv",
        columns=(
            *("Case", "Study", "Grade", "Age (years at diagnosis)", "IDH status", "1p/19q codeletion"),
            "IDH/codel subtype",
        ),
    ),
}
TCGA_SUBTYPES = {GLIOBLASTOMA: "IDHwt", ASTROCYTOMA: "IDHmut-non-codel", OLIGODENDROGLIOMA: "IDHmut-codel"}
# The brain of the atlas, for all patients of EGD.
ATLAS_BRAIN = PurePosixPath("METADATA/Brain_mask.nii.gz")


def table_row(scan):
    """The row of a `PhantomScan` in the table of its archive, cells in the order of the columns."""
    if scan.archive == "ucsf":
        # The table writes three digits where the folders write four, but for the second scan of a patient.
        identity = scan.id if scan.visit else f"UCSF-PDGM-{int(scan.id[-4:]):03d}"
        diagnosis = UCSF_DIAGNOSES[scan.diagnosis] if scan.is_known else "Astrocytoma, IDH-mutant, NOS"
        markers = (scan.codeletion, scan.idh)
        return (identity, scan.sex, scan.age, scan.grade, diagnosis, "unknown", "unknown", *markers, *[""] * 7)
    if scan.archive == "egd":
        return scan.id, scan.idh, scan.codeletion, scan.grade
    study = "Glioblastoma multiforme" if scan.grade == 4 else "Brain Lower Grade Glioma"
    subtype = TCGA_SUBTYPES[scan.diagnosis] if scan.is_known else "NA"
    return scan.id, study, f"G{scan.grade}", scan.age, scan.idh, scan.codeletion, subtype
