"""Reading an index: a CSV file that names images and their classes."""

from difflib import get_close_matches
from pathlib import Path

import numpy as np

from imbclf.data.dataset import Dataset
from imbclf.data.index_rows import SPLIT_WORDS, check_each_path_once, filled_column, read_index_rows
from imbclf.data.readers import open_image_files
from imbclf.errors import InputError
from imbclf.files import read_json


def read_index(root, index, class_names=None, image_size=None, channels=None, cache="auto"):
    """Read images that a CSV file lists.

    The columns are `path,label[,patient,split,site]`; further columns are left alone. Paths are relative to `root`. The
    published glaucoma lists `Class,Class_Int,Filename` are read too; there the path is `Class/Filename` and the classes
    are in the order of `Class_Int`. The files are PNG and JPEG images, or all of them prepared `.npy` arrays.

    Args:
        root: Folder that the paths start from.
        index: CSV file, absolute or relative to `root`; or a mapping such as `{"train": "train.csv", "test":
            "test.csv"}` that gives the split of each file's rows.
        class_names: The classes in order. None takes those that `imbclf prepare` recorded beside the index, or sorts
            the labels that occur (numbers by value). With names given, a label is a name, or its number where all
            labels are numbers and no name is.
        image_size, channels, cache: See `ImageFiles`; the first two are not for arrays.

    Returns:
        A `Dataset` whose ids are the paths.

    Raises:
        InputError: Missing or empty file, missing or misspelt columns, a row without path or label, a label outside
            `class_names`, a path twice, absolute or outside `root`, an unknown split word, an image that cannot be
            read.
    """
    root = Path(root)
    files = index if isinstance(index, dict) else {"": index}
    rows = []
    for split, file in files.items():
        if split not in SPLIT_WORDS:
            raise InputError(f"The files of an index are given as train, val or test, not {split!r}.")
        rows += read_index_rows(root / file, SPLIT_WORDS[split])
    check_each_path_once(rows)
    if class_names is None:
        class_names = prepared_class_names([root / file for file in files.values()], {row.label for row in rows})
    y, names = _classes(rows, class_names)

    return Dataset(
        images=open_image_files([row.path for row in rows], root, image_size, channels, cache),
        y=y,
        class_names=names,
        ids=np.array([row.path for row in rows]),
        split=np.array([row.split for row in rows]),
        patients=filled_column(rows, "patient"),
        sites=filled_column(rows, "site"),
        name=root.resolve().name,
        source=", ".join(str(file) for file in files.values()),
    )


def _classes(rows, class_names):
    labels = [row.label for row in rows]
    are_numbers = all(_is_whole(label) for label in labels)
    if class_names is None:
        names = order_by_class_number(rows) or sorted(set(labels), key=int if are_numbers else None)
        if are_numbers and len({int(name) for name in names}) < len(names):
            raise InputError(
                f"Labels such as {names[0]} are written in two ways in {rows[0].where.rsplit(' row', 1)[0]}."
            )
    else:
        names = [str(name) for name in class_names]
    if are_numbers and class_names is not None and not any(_is_whole(name) for name in names):
        number = {str(position): position for position in range(len(names))}
        labels = [str(int(label)) for label in labels]
    else:
        number = {name: position for position, name in enumerate(names)}
    for row, label in zip(rows, labels):
        if label not in number:
            near = get_close_matches(label, number, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(f"{row.where} has label {row.label!r}, but the classes are {', '.join(names)}{hint}.")
    return np.array([number[label] for label in labels], np.int64), tuple(names)


def prepared_class_names(files, labels):
    """Class names in the order that `prepare.json` gives beside all of some indices; None where it does not.

    Args:
        files: Paths of the indices.
        labels: Set of the labels in them, each of which must be one of the names.
    """
    names = None
    if not labels:
        return None
    for folder in {Path(file).parent for file in files}:
        if not (folder / "prepare.json").is_file():
            return None
        recorded = read_json(folder / "prepare.json")
        found = recorded.get("class_names") if isinstance(recorded, dict) else None
        if not isinstance(found, list) or not labels <= {*map(str, found)} or names not in (None, found):
            return None
        names = found
    return tuple(map(str, names))


def order_by_class_number(rows):
    """Class names in the order of the published `Class_Int`, or None where there is none."""
    number_of, name_of = {}, {}
    for row in rows:
        if not row.class_number:
            continue
        if not _is_whole(row.class_number):
            raise InputError(f"{row.where} has Class_Int {row.class_number!r}, which is no whole number.")
        if number_of.setdefault(row.label, int(row.class_number)) != int(row.class_number) or (
            name_of.setdefault(int(row.class_number), row.label) != row.label
        ):
            raise InputError(
                f"{row.where} pairs Class {row.label} with Class_Int {row.class_number}, earlier rows differ."
            )
    return sorted(number_of, key=number_of.get) if len(number_of) == len({row.label for row in rows}) else None


def _is_whole(text):
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()
