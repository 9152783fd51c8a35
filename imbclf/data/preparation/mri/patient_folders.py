"""Where the scans of a patient lie: finding the folders of an archive, and the files of each sequence in them."""

import os
from pathlib import Path

from imbclf.data.preparation.mri.marker_table import TABLE_SUFFIXES
from imbclf.errors import InputError

SEQUENCES = ("t1", "t1c", "t2", "flair")
ROLES = (*SEQUENCES, "mask", "brain")
# Archives wrap their patients in at most three folders; beyond that a link may lead round in circles.
_DEPTH = 5

# A layout gives each role its patterns below the folder of a patient, the preferred one first, without .nii or .nii.gz.
# BraTS Toolkit (Kofler et al. 2020, github.com/neuronflow/BraTS-Toolkit): its preprocessor writes hdbet_brats-space/
# and mask_hdbet_brats-space/, its fusionator simple.nii.gz and mav.nii.gz, as in the repository's example_data/. Its
# successor (github.com/BrainLesion/preprocessing) writes {ID}_brainles/raw_bet/. Sequences are fla, t1, t1c, t2.
BRAINLES = {
    "t1": ("*_brainles/raw_bet/*_t1_bet",),
    "t1c": ("*_brainles/raw_bet/*_t1c_bet",),
    "t2": ("*_brainles/raw_bet/*_t2_bet",),
    "flair": ("*_brainles/raw_bet/*_fla_bet", "*_brainles/raw_bet/*_flair_bet"),
    "mask": ("*_brainles/fusion/simple", "*_brainles/fusion/mav"),
    "brain": (),
}
HDBET = {
    "t1": ("hdbet_brats-space/*_hdbet_brats_t1",),
    "t1c": ("hdbet_brats-space/*_hdbet_brats_t1c",),
    "t2": ("hdbet_brats-space/*_hdbet_brats_t2",),
    "flair": ("hdbet_brats-space/*_hdbet_brats_fla",),
    "mask": ("simple", "fusion/simple", "mav", "fusion/mav"),
    "brain": ("mask_hdbet_brats-space/*_hdbet_mask_brats",),
}
# The layout of github.com/daniel-scholz/mm-dinov2, whose glioma cohort is that of Scholz et al. (2024).
PREOP = {
    role: (f"preop/sub-*_ses-preop_space-sri_{name}",)
    for role, name in zip(ROLES, ("t1", "t1c", "t2", "flair", "seg", "brainmask"))
}
# Our own: a folder of DICOM files, or a NIfTI file, named like the role.
PLAIN = {role: (role,) for role in SEQUENCES} | {"mask": ("mask", "seg"), "brain": ("brain", "brainmask")}
SHARED_LAYOUTS = (BRAINLES, HDBET, PREOP, PLAIN)


def find_patient_folders(root, identify):
    """The folders of the patients below an archive's folder, and the tables beside them.

    Args:
        root: Folder of the archive, however deep the patients lie in it.
        identify: Takes the name of a folder and gives an id, or None where it is no patient's.

    Returns:
        `{id: folders}`, sorted by id; tables, a list of paths; other NIfTI files outside the patients' folders, a list.

    Raises:
        InputError: There is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"The folder {root} does not exist.")
    folders, tables, others = {}, [], []
    for here, names, files in os.walk(root, followlinks=True):
        here = Path(here)
        for name in sorted(names):
            if identify(name):
                folders.setdefault(identify(name), []).append(here / name)
        deep = len(here.relative_to(root).parts) + 1 >= _DEPTH
        names[:] = [] if deep else sorted(name for name in names if not identify(name))
        for name in sorted(files):
            # Excel keeps a hidden file beside a workbook that is open.
            if name.lower().endswith(TABLE_SUFFIXES) and not name.startswith(("~", ".")):
                tables.append(here / name)
            elif name.endswith((".nii", ".nii.gz")):
                others.append(here / name)
    return dict(sorted(folders.items())), tables, others


def find_scans(folders, layouts):
    """The files of a patient, by the layout that fits best.

    Args:
        folders: The folders of the patient: one, or several as where segmentations lie apart from the images.
        layouts: `{role: patterns}` each; of two that find as many roles the first is taken.

    Returns:
        `{role: path}` of the roles that were found, empty where no layout fits.

    Raises:
        InputError: Two files for one role.
    """
    found = [_matching(folders, layout) for layout in layouts]
    return max(found, key=lambda files: len(files.keys() & {*SEQUENCES, "mask"}), default={})


def _matching(folders, layout):
    files = {}
    for role, patterns in layout.items():
        for pattern in patterns:
            hits = [path for folder in folders for path in _hits(folder, pattern)]
            if len(hits) > 1:
                raise InputError(f"Two files may be the {role}, {hits[0]} and {hits[1]}: keep one.")
            if hits:
                files[role] = hits[0]
                break
    return files


def _hits(folder, pattern):
    """Files that fit a pattern, compressed or not, and folders that fit it as it stands."""
    hits = [path for suffix in (".nii.gz", ".nii") for path in sorted(folder.glob(pattern + suffix)) if path.is_file()]
    return hits or [path for path in sorted(folder.glob(pattern)) if path.is_dir()]
