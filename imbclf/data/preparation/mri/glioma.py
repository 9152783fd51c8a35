"""Gliomas of three public archives and their classes: what `imbclf prepare glioma` starts from."""

from imbclf.data.preparation.mri.archive import read_archive
from imbclf.data.preparation.mri.egd import EGD
from imbclf.data.preparation.mri.tcga import TCGA
from imbclf.data.preparation.mri.ucsf_pdgm import UCSF_PDGM
from imbclf.data.preparation.subject import LeftOut, Subject
from imbclf.errors import InputError

GLIOMA_CLASSES = ("glioblastoma", "astrocytoma", "oligodendroglioma")
ARCHIVES = {"ucsf": UCSF_PDGM, "egd": EGD, "tcga": TCGA}


def who_2021_class(idh, codeletion):
    """The class of an adult-type diffuse glioma by its two markers (WHO 2021; Louis et al., Neuro-Oncology 23:1231).

    | IDH | 1p/19q | class |
    |---|---|---|
    | wildtype | intact or unknown | glioblastoma |
    | mutant | intact | astrocytoma |
    | mutant | codeleted | oligodendroglioma |

    A wildtype needs no second marker, because only mutants are divided by it, and archives seldom test it there. A
    wildtype with codeletion gets no class: WHO 2021 knows no such tumour, and either marker may be wrong. As in Scholz
    et al. (2024), each wildtype glioma is taken for a glioblastoma, though WHO 2021 asks for one more sign of it
    (necrosis, microvascular proliferation, TERT, EGFR, or +7/-10).

    Args:
        idh: `"wildtype"`, `"mutant"`, or "" for unknown.
        codeletion: `"intact"`, `"codeleted"`, or "" for unknown.

    Returns:
        One of `GLIOMA_CLASSES`.

    Raises:
        InputError: The markers do not tell the class; the message says why.

    Example:

    >>> who_2021_class("wildtype", ""), who_2021_class("mutant", "intact"), who_2021_class("mutant", "codeleted")
    ('glioblastoma', 'astrocytoma', 'oligodendroglioma')
    """
    if not idh:
        raise InputError("Its IDH status is not known.")
    if idh == "wildtype":
        if codeletion == "codeleted":
            raise InputError("Its markers contradict each other: IDH wildtype with 1p/19q codeleted.")
        return "glioblastoma"
    if not codeletion:
        raise InputError("Its IDH is mutant, but its 1p/19q status is not known.")
    return "oligodendroglioma" if codeletion == "codeleted" else "astrocytoma"


def read_glioma(ucsf=None, egd=None, tcga=None, tables=None):
    """The patients of UCSF-PDGM, of the Erasmus Glioma Database and of TCGA, with their classes.

    Each archive is read as it is given out (see `ucsf_pdgm`, `egd` and `tcga`), or as BraTS Toolkit, its successor or
    mm-dinov2 write it (see `patient_folders`); a folder per patient with `t1`, `t1c`, `t2`, `flair` (`.nii.gz`, or
    folders of DICOM files) and `mask.nii.gz` is read too. Ids are those of the archive in lower case,
    `ucsf-pdgm-0004`. TCGA is the test split as in Scholz et al. (2024), the others train; the validation split is left
    to the training.

    Only names and tables are read here. A missing sequence or a damaged file is found by the recipe.

    Args:
        ucsf, egd, tcga: Folder of the archive, or None to do without.
        tables: `{"ucsf": path, ...}` for archives whose table of markers does not lie in their folder.

    Returns:
        List of `Subject` with `files` of the roles `t1`, `t1c`, `t2`, `flair`, `mask` and perhaps `brain`; list of
        `LeftOut`, patients whose class is not known and why.

    Raises:
        InputError: No archive is given, or none of its patients can be used; see also `read_archive`.
    """
    roots = {key: root for key, root in (("ucsf", ucsf), ("egd", egd), ("tcga", tcga)) if root is not None}
    tables = dict(tables or {})
    if not roots:
        raise InputError("At least one of the archives ucsf, egd and tcga must be given.")
    if extra := sorted(tables.keys() - roots.keys()):
        raise InputError(f"A table is given for {', '.join(extra)}, but no folder of it.")
    subjects, left_out = [], []
    for key, root in roots.items():
        archive = ARCHIVES[key]
        patients, unread = read_archive(archive, root, tables.get(key))
        usable = len(subjects)
        for patient in patients:
            try:
                label = who_2021_class(patient.idh, patient.codeletion)
                subjects.append(Subject(patient.id, patient.files, label, patient.patient, archive.name, archive.split))
            except InputError as error:
                unread.append(LeftOut(patient.id, str(error)))
        if len(subjects) == usable:
            raise InputError(
                f"None of the {len(unread)} patients of {archive.name} in {root} can be used; {unread[0].id}: "
                f"{unread[0].reason}"
            )
        left_out += sorted(unread, key=lambda one: one.id)
    return subjects, left_out
