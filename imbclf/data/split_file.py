"""The record of a division: `split.csv`."""

from dataclasses import replace

import numpy as np

from imbclf.data.index_rows import SPLIT_WORDS
from imbclf.errors import InputError
from imbclf.files import read_rows, write_table

COLUMNS = ("id", "patient", "label", "split")


def write_split(path, dataset):
    """Write `id,patient,label,split` of every sample, label as the class name, atomically.

    Args:
        path: The CSV file.
        dataset: A `Dataset`, or a `SegmentationDataset`, whose labels are the names of the classes in a mask, joined
            by `+`.
    """
    patients = [""] * len(dataset) if dataset.patients is None else dataset.patients
    write_table(path, COLUMNS, zip(dataset.ids, patients, dataset.label_texts(), dataset.split))


def read_split(path, dataset):
    """The division that a `split.csv` records, for the same samples.

    Args:
        path: File written by `write_split`.
        dataset: A `Dataset` or `SegmentationDataset` with the same ids and labels; its own splits are replaced.

    Returns:
        The data set with these splits.

    Raises:
        InputError: The file is missing or has other columns, names a sample twice or one that the data do not have,
            gives it another label or an unknown split, or leaves a sample out.
    """
    header, rows = read_rows(path)
    if missing := [name for name in ("id", "label", "split") if name not in header]:
        raise InputError(f"The split file {path} has no column {missing[0]!r}: it needs {','.join(COLUMNS)}.")
    position_of = {sample: position for position, sample in enumerate(dataset.ids)}
    labels = dataset.label_texts()
    split = {}
    for number, cells in rows:
        row = dict(zip(header, cells))
        where, sample, word = f"{path} row {number}", row["id"], row["split"]
        if sample not in position_of:
            raise InputError(f"{where} names {sample}, which is not in the data {dataset.name}.")
        if sample in split:
            raise InputError(f"{where} names {sample} again: keep one row.")
        label = labels[position_of[sample]]
        if row["label"] != label:
            raise InputError(f"{where} has label {row['label']!r} for {sample}, but the data say {label!r}.")
        if not SPLIT_WORDS.get(word):
            raise InputError(f"{where} has split {word!r}, but train, val or test is expected.")
        split[sample] = SPLIT_WORDS[word]
    if len(split) < len(dataset):
        left_out = next(sample for sample in dataset.ids if sample not in split)
        raise InputError(f"The split file {path} lists {len(split)} of {len(dataset)} samples; {left_out} is missing.")
    return replace(dataset, split=np.array([split[sample] for sample in dataset.ids]))
