"""The record of a division: `split.csv`."""

import csv
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from imbclf.data.index import SPLIT_WORDS
from imbclf.errors import InputError

COLUMNS = ("id", "patient", "label", "split")


def write_split(path, dataset):
    """Write `id,patient,label,split` of every sample, label as the class name, atomically.

    Args:
        path: The CSV file; its folder must exist.
        dataset: A `Dataset`.
    """
    path = Path(path)
    patients = [""] * len(dataset) if dataset.patients is None else dataset.patients
    labels = [dataset.class_names[label] for label in dataset.y]
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(zip(dataset.ids, patients, labels, dataset.split))
        # mkstemp makes the file private to its owner; a result is to be readable like any other file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_split(path, dataset):
    """The division that a `split.csv` records, for the same samples.

    Args:
        path: File written by `write_split`.
        dataset: A `Dataset` with the same ids and labels; its own splits are replaced.

    Returns:
        A `Dataset`.

    Raises:
        InputError: The file is missing or has other columns, names a sample twice or one that the data do not have,
            gives it another label or an unknown split, or leaves a sample out.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            columns = reader.fieldnames or ()
            lines = [(reader.line_num, line) for line in reader]
    except FileNotFoundError:
        raise InputError(f"The split file {path} does not exist.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The split file {path} is no readable CSV file in UTF-8 ({error}).") from None
    if missing := [name for name in ("id", "label", "split") if name not in columns]:
        raise InputError(f"The split file {path} has no column {missing[0]!r}: it needs {','.join(COLUMNS)}.")
    position_of = {sample: position for position, sample in enumerate(dataset.ids)}
    split = {}
    for number, line in lines:
        where, sample, word = f"{path} row {number}", line["id"], line["split"]
        if sample not in position_of:
            raise InputError(f"{where} names {sample}, which is not in the data {dataset.name}.")
        if sample in split:
            raise InputError(f"{where} names {sample} again: keep one row.")
        label = dataset.class_names[dataset.y[position_of[sample]]]
        if line["label"] != label:
            raise InputError(f"{where} has label {line['label']!r} for {sample}, but the data say {label!r}.")
        if not SPLIT_WORDS.get(word):
            raise InputError(f"{where} has split {word!r}, but train, val or test is expected.")
        split[sample] = SPLIT_WORDS[word]
    if len(split) < len(dataset):
        left_out = next(sample for sample in dataset.ids if sample not in split)
        raise InputError(f"The split file {path} lists {len(split)} of {len(dataset)} samples; {left_out} is missing.")
    return replace(dataset, split=np.array([split[sample] for sample in dataset.ids]))
