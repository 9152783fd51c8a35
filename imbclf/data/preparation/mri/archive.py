"""An archive of glioma MRI: how it names patients, files and markers, and what it holds on this disk."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from imbclf.data.preparation.mri.marker_table import find_marker_table, read_marker_table
from imbclf.data.preparation.mri.patient_folders import SHARED_LAYOUTS, find_patient_folders, find_scans
from imbclf.data.preparation.subject import LeftOut
from imbclf.errors import InputError

_UNKNOWN = {"", "-", "na", "n/a", "nan", "none", "null", "unknown", "indeterminate", "not available", "not tested"}


@dataclass(frozen=True)
class Archive:
    """What is known of an archive.

    Args:
        name: As people call it; the site of its patients.
        split: Split of its patients.
        identify: Takes the name of a folder or the id in a table, gives the id here (lower case, `ucsf-pdgm-0004`), or
            None.
        patient_of: Takes an id, gives the patient.
        layouts: Its own layouts, tried before the shared ones; see `patient_folders`.
        columns: Names that the columns `id`, `idh`, `codeletion` and perhaps `subtype` have in its table.
        idh: `{pattern: "wildtype" or "mutant"}`, patterns of the whole text without case.
        codeletion: `{pattern: "intact" or "codeleted"}`.
        subtypes: `{pattern: (idh, codeletion)}` of a column that says both.
        lists_its_scans: Whether every row of the table has images in the archive, so that one without is worth a word.
        own_markers: Takes the folders of a patient, gives a row of the table or None, for archives that have no table.
        shared_brain: Name of the file that is the brain mask of all patients in the archive's own layouts, or "".
    """

    name: str
    split: str
    identify: Callable
    layouts: tuple
    columns: dict
    idh: dict
    codeletion: dict
    patient_of: Callable = str
    subtypes: dict = field(default_factory=dict)
    lists_its_scans: bool = True
    own_markers: Callable | None = None
    shared_brain: str = ""


@dataclass(frozen=True)
class GliomaPatient:
    """Scans and markers of one patient; a marker that is not known is ""."""

    id: str
    patient: str
    files: dict[str, Path]
    idh: str
    codeletion: str


def read_archive(archive, root, table=None):
    """Scans and markers of the patients of an archive.

    Args:
        archive: An `Archive`.
        root: Its folder.
        table: Its table, where it does not lie in the folder; None looks for it there.

    Returns:
        List of `GliomaPatient`, and list of `LeftOut` for those whose markers or scans cannot be told.

    Raises:
        InputError: No folder of a patient, no table or several, an id twice with different markers.
    """
    folders, tables, others = find_patient_folders(root, archive.identify)
    if not folders:
        raise InputError(
            f"No folder in {root} is named as a patient of {archive.name}: give the folder that holds them."
        )
    rows = _marker_rows(archive, root, table, tables, folders)
    brain = next((path for path in others if path.name.lower() == archive.shared_brain.lower()), None)
    patients, left_out = [], []
    for name, places in folders.items():
        try:
            if name not in rows:
                raise InputError("The archive's table does not name it.")
            files = find_scans(places, (*archive.layouts, *SHARED_LAYOUTS))
            if not files:
                raise InputError(f"No file in {' or '.join(map(str, places))} is named as a scan of a known layout.")
            markers = _markers(archive, *rows[name])
        except InputError as error:
            left_out.append(LeftOut(name, str(error)))
            continue
        if archive.shared_brain and files == find_scans(places, archive.layouts) and "brain" not in files:
            files["brain"] = _checked_brain(archive, brain, root)
        patients.append(GliomaPatient(name, archive.patient_of(name), files, *markers))
    if archive.lists_its_scans:
        left_out += [
            LeftOut(name, f"{where} names it, but {root} has no folder of it.")
            for name, (where, _) in rows.items()
            if name not in folders
        ]
    return patients, left_out


def _marker_rows(archive, root, table, tables, folders):
    """`{id: (where, row)}`."""
    if table is None and archive.own_markers and not any(_has_markers(path, archive) for path in tables):
        own = {name: archive.own_markers(places) for name, places in folders.items()}
        if any(own.values()):
            return {name: row for name, row in own.items() if row}
    if table is None:
        found = find_marker_table(tables, archive.columns, archive.name, root)
    else:
        found = read_marker_table(table, archive.columns)
        if found is None:
            raise InputError(
                f"The table {table} must have the columns of {archive.name}: "
                f"{', '.join(' or '.join(names) for names in archive.columns.values())}."
            )
    rows = {}
    for where, row in found.rows:
        name = archive.identify(row["id"])
        if name is None:
            continue
        earlier, known = rows.setdefault(name, (where, row))
        if {**known, "id": ""} != {**row, "id": ""}:
            raise InputError(f"{where} gives {row['id']} other markers than {earlier}: keep one.")
    return rows


def _has_markers(path, archive):
    try:
        return read_marker_table(path, archive.columns) is not None
    except InputError:
        return False


def _checked_brain(archive, brain, root):
    if brain is None:
        raise InputError(
            f"Scans of {archive.name} still have their skull, but {root} holds no {archive.shared_brain}: fetch it "
            "from the archive, or skull-strip the scans with BraTS Toolkit."
        )
    return brain


def _markers(archive, where, row):
    """IDH and 1p/19q, "" where unknown."""
    idh = _read(row.get("idh", ""), archive.idh, f"{where}: IDH")
    codeletion = _read(row.get("codeletion", ""), archive.codeletion, f"{where}: 1p/19q")
    both = _read(row.get("subtype", ""), archive.subtypes, f"{where}: subtype") or ("", "")
    for marker, stated, implied in zip(("IDH", "1p/19q"), (idh, codeletion), both):
        if stated and implied and stated != implied:
            raise InputError(f"{where}: {marker} is {stated}, but its subtype says {implied}.")
    return idh or both[0], codeletion or both[1]


def _read(text, spellings, what):
    for pattern, value in spellings.items():
        if re.fullmatch(pattern, text, re.IGNORECASE):
            return value
    if text.lower() in _UNKNOWN:
        return ""
    raise InputError(f"{what} is written {text!r}, a spelling that is not known.")
