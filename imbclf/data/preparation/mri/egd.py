"""EGD: the Erasmus Glioma Database.

van der Voort et al. (2021), Data in Brief 37:107191; 774 patients on the MNI152 grid, 197 x 233 x 189 voxels of 1 mm,
defaced but not skull-stripped. What is read, and where it was found:

- `T1.nii.gz`, `T1GD.nii.gz`, `T2.nii.gz`, `FLAIR.nii.gz` and `MASK.nii.gz` at any depth below a patient's folder: the
  session `MR_EGD-0001/1_T1/NIFTI/T1.nii.gz`, `2_T1GD`, `3_T2`, `4_FLAIR`, `5_MASK` as XNAT gives it out (in two public
  loaders), or `SUBJECTS/EGD-0001/T1.nii.gz` as the authors' downloader writes it (zenodo.org/record/4761089; in the
  loader of github.com/neuro-ml/amid, which also gives the grid and the brain mask's name).
- `METADATA/Brain_mask.nii.gz`, the brain of the atlas, for all patients; without it scans in the archive's own layout
  cannot be scaled within the brain, and are refused. The loader names the file, and another public project says that
  these scans have to be skull-stripped.
- Table `Genetic_and_Histological_labels.xlsx` (or saved as `.csv`) with `Subject`, `IDH`, `1p19q`, from public loaders:
  `IDH` 0 wildtype, 1 mutated; `1p19q` 0 intact, 1 codeleted; -1 unknown. Where there is no table,
  `metadata.json` of each patient, under `Genetic_and_Histological_labels`. The table itself was not at hand, because
  the archive asks for an account; words instead of numbers are accepted too (our guess).
"""

import json
import re

from imbclf.data.preparation.mri.archive import Archive
from imbclf.files import read_json

_TABLE = "Genetic_and_Histological_labels"


def identify(text):
    """The id of a patient from a folder's name or the table, or None.

    Example:

    >>> identify("MR_EGD-0001"), identify("EGD-0001"), identify("METADATA")
    ('egd-0001', 'egd-0001', None)
    """
    match = re.fullmatch(r"(mr_)?(egd-\d{4})", text.strip().lower())
    return match[2] if match else None


def own_markers(folders):
    """`(where, row)` from the `metadata.json` of a patient, or None where there is none."""
    for path in (folder / "metadata.json" for folder in folders):
        if path.is_file():
            content = read_json(path)
            labels = content.get(_TABLE) if isinstance(content, dict) else None
            if isinstance(labels, dict):
                return str(path), {"idh": _text(labels.get("IDH")), "codeletion": _text(labels.get("1p19q"))}
    return None


def _text(value):
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


EGD = Archive(
    name="EGD",
    split="train",
    identify=identify,
    layouts=(
        {
            "t1": ("**/T1",),
            "t1c": ("**/T1GD",),
            "t2": ("**/T2",),
            "flair": ("**/FLAIR",),
            "mask": ("**/MASK",),
            "brain": ("**/Brain_mask",),
        },
    ),
    columns={"id": ("Subject",), "idh": ("IDH", "IDH mutation status"), "codeletion": ("1p19q", "1p/19q codeletion")},
    idh={r"0(\.0)?|wild-?type": "wildtype", r"1(\.0)?|mutated|mutant": "mutant", r"-1(\.0)?": ""},
    codeletion={r"0(\.0)?|intact": "intact", r"1(\.0)?|co-?deleted": "codeleted", r"-1(\.0)?": ""},
    own_markers=own_markers,
    shared_brain="Brain_mask.nii.gz",
)
