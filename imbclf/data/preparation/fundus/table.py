"""Any folder of fundus photographs with a table of labels and patients."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from imbclf.data.dataset import Dataset
from imbclf.data.leakage import check_leakage
from imbclf.data.preparation.fundus.division import check_every_class, image_fingerprints, settle_copies
from imbclf.data.preparation.fundus.label_classes import class_of_labels
from imbclf.data.preparation.fundus.table_rows import read_image_rows
from imbclf.data.preparation.subject import LeftOut, Subject
from imbclf.data.preparation.subject_ids import subject_ids
from imbclf.data.splits import assign_splits
from imbclf.errors import InputError


def read_fundus_table(
    source,
    table,
    columns=None,
    class_names=None,
    test=0.25,
    seed=0,
    conflicts="refuse",
    allow_mixed_patients=False,
    allow_patient_overlap=False,
):
    """Find the photographs that a CSV file names, with label and patient, and give each a split.

    All images of a patient, both eyes above all, and identical files stay on one side, and the classes keep their
    proportions as well as whole patients allow: see `imbclf.data.assign_splits`. Splits that the table has stay as they
    are. Rows without a label are left out.

    Args:
        source: Folder that the paths start from. A path without an ending finds the one image of that name.
        table: CSV file, given from here or from `source`.
        columns: Names of the columns, such as `{"label": "dx", "patient": None}`, None for one that is not there. Those
            not given are found by the usual names: `path` (`image`, `filename`, `image_id`, ...), `label` (`class`,
            `diagnosis`, `grade`), `patient` (`patient_id`, `subject`, ...), and where they are there `eye`
            (`laterality`), `site` (`hospital`, `centre`) and `split`.
        class_names: The classes in order. A label is then one of them, or its number where all labels are numbers and
            no class is. None takes the labels that occur; `class_names_of` sorts them.
        test: Share of the images for test, where the table has no test split; 0 for none.
        seed: Chooses the patients.
        conflicts: What becomes of an image that stands in two classes: `"refuse"` it or `"leave_out"` all its copies.
        allow_mixed_patients: Accept a patient with two labels. It is an error otherwise, because in most tables it is a
            slip; where each eye or each visit has a label of its own it is right.
        allow_patient_overlap: Accept a patient in two splits of the table.

    Returns:
        `Subject`s with the file `"image"`, in the order of the table, and the `LeftOut`.

    Raises:
        InputError: A missing folder, table, column or image; two columns that could be meant; a row without a path; a
            path twice, absolute, or with `..`; a label outside `class_names`; labels that look like one class; a
            patient with two labels; a patient in two splits; an identical image in two classes; a class that a split
            lacks, or that has too few patients to be divided.
    """
    source, table = Path(source).expanduser(), Path(table).expanduser()
    if not source.is_dir():
        raise InputError(f"The folder {source} does not exist.")
    table = table if table.exists() else source / table
    rows, eyes = read_image_rows(source, table, columns or {})
    ids = subject_ids([row.path for row in rows])
    left_out = [LeftOut(subject, f"no label in {table.name}") for subject, row in zip(ids, rows) if not row.label]
    labelled = [(subject, row) for subject, row in zip(ids, rows) if row.label]
    if not labelled:
        raise InputError(f"No row of {table} has a label.")
    class_of = class_of_labels([row for _, row in labelled], class_names)
    if not allow_mixed_patients:
        _check_one_class_per_patient([row for _, row in labelled], class_of, eyes)
    subjects = [
        Subject(subject, {"image": source / row.path}, class_of[row.label], row.patient, row.site, row.split)
        for subject, row in labelled
    ]
    fingerprints = image_fingerprints(subjects)
    subjects, copies = settle_copies(subjects, fingerprints, conflicts)
    names = class_names_of(subjects) if class_names is None else tuple(map(str, class_names))
    subjects = _divide(subjects, fingerprints, names, test, seed, allow_patient_overlap)
    check_every_class(subjects, names, table)
    return subjects, left_out + copies


def class_names_of(subjects):
    """The labels that occur among subjects, sorted; whole numbers by value.

    >>> class_names_of([Subject("a", {}, "10"), Subject("b", {}, "9")])
    ('9', '10')
    """
    labels = {subject.label for subject in subjects}
    return tuple(sorted(labels, key=int if all(label.isdecimal() for label in labels) else None))


def _check_one_class_per_patient(rows, class_of, eyes):
    first = {}
    for row in rows:
        earlier = first.setdefault(row.patient, row)
        if row.patient and class_of[earlier.label] != class_of[row.label]:
            both = {eyes[earlier.path], eyes[row.path]} - {""}
            of_eyes = f" (eyes {' and '.join(sorted(both))})" if len(both) == 2 else ""
            raise InputError(
                f"{row.where} gives patient {row.patient} the label {row.label}, but {earlier.where} says "
                f"{earlier.label}{of_eyes}: correct one, or set allow_mixed_patients if both are right."
            )


class _Images:
    """Just enough of images for dividing them: their number, and which of them are the same."""

    def __init__(self, words):
        self.words = words

    def __len__(self):
        return len(self.words)

    def fingerprints(self):
        return self.words


def _divide(subjects, fingerprints, class_names, test, seed, allow_patient_overlap):
    """The subjects with a split each."""
    dataset = Dataset(
        images=_Images([fingerprints[subject.id] for subject in subjects]),
        y=np.array([class_names.index(subject.label) for subject in subjects]),
        class_names=class_names,
        ids=np.array([subject.id for subject in subjects]),
        split=np.array([subject.split for subject in subjects]),
        patients=np.array([subject.patient for subject in subjects]),
    )
    check_leakage(dataset, allow_patient_overlap)
    split = assign_splits(dataset, validation=0, test=test, seed=seed).split
    return [replace(subject, split=str(word)) for subject, word in zip(subjects, split)]
