"""What a preparation works on: one image that will be, and the files it is made from."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Subject:
    """The files of one image, and what the index will say of it.

    Args:
        id: Unique among the subjects, of letters, digits, `.`, `_` and `-`; the array becomes `arrays/{id}.npy`.
        files: Source file of each role: `{"image": ...}` for a photograph, `{"t1": ..., "t1c": ..., "t2": ...,
            "flair": ..., "mask": ...}` for an MRI.
        label: Name of the class.
        patient: Patient, or "" where the archive names none.
        site: Site, or "".
        split: `"train"`, `"val"`, `"test"`, or "" to leave it to the training.
    """

    id: str
    files: dict[str, Path]
    label: str
    patient: str = ""
    site: str = ""
    split: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A subject that an archive has and a preparation does not take, and why."""

    id: str
    reason: str
