"""Reading an index: a CSV file that names images and their classes."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from imbclf.data.dataset import Dataset
from imbclf.data.files import ImageFiles
from imbclf.errors import InputError
from imbclf.files import read_rows

SPLIT_WORDS = {
    "": "",
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
OPTIONAL_COLUMNS = ("patient", "split", "site")
PUBLISHED_GLAUCOMA_COLUMNS = {"Class", "Class_Int", "Filename"}


@dataclass(frozen=True)
class IndexRow:
    """One row of an index: where it stands, and what it says."""

    where: str
    path: str
    label: str = ""
    mask: str = ""
    patient: str = ""
    split: str = ""
    site: str = ""
    class_number: str = ""


def read_index(root, index, class_names=None, image_size=None, channels=None, cache="auto"):
    """Read images that a CSV file lists.

    The columns are `path,label[,patient,split,site]`; further columns are left alone. Paths are relative to `root`. The
    published glaucoma lists `Class,Class_Int,Filename` are read too; there the path is `Class/Filename` and the classes
    are in the order of `Class_Int`.

    Args:
        root: Folder that the paths start from.
        index: CSV file, absolute or relative to `root`; or a mapping such as `{"train": "train.csv", "test":
            "test.csv"}` that gives the split of each file's rows.
        class_names: The classes in order; None sorts the labels that occur (numbers by value). With names given, a
            label is a name, or its number where all labels are numbers and no name is.
        image_size, channels, cache: See `ImageFiles`.

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
    y, names = _classes(rows, class_names)

    return Dataset(
        images=ImageFiles([row.path for row in rows], root, image_size, channels, cache),
        y=y,
        class_names=names,
        ids=np.array([row.path for row in rows]),
        split=np.array([row.split for row in rows]),
        patients=filled_column(rows, "patient"),
        sites=filled_column(rows, "site"),
        name=root.resolve().name,
        source=", ".join(str(file) for file in files.values()),
    )


def read_index_rows(path, split="", required=("path", "label")):
    """The rows of one CSV file as `IndexRow`, their paths checked; `required` columns must be there and filled in."""
    header, lines = read_rows(path)
    header = [name.strip() for name in header]
    lines = [(number, [cell.strip() for cell in cells]) for number, cells in lines if any(map(str.strip, cells))]
    if not lines:
        raise InputError(
            f"The index {path} has no rows: it needs the header {','.join(required)} and one row per image."
        )
    is_published_glaucoma = set(header) >= PUBLISHED_GLAUCOMA_COLUMNS
    if not is_published_glaucoma:
        _check_header(path, header, required)
    rows = []
    for number, cells in lines:
        where = f"{path} row {number}"
        values = dict(zip(header, cells))
        if is_published_glaucoma:
            values["path"] = f"{values['Class']}/{values['Filename']}" if values["Class"] and values["Filename"] else ""
            values["label"] = values["Class"]
        for column, thing in (("path", "image"), ("label", "label"), ("mask", "mask")):
            if column in required and not values[column]:
                raise InputError(f"{where} names no {thing}.")
        rows.append(
            IndexRow(
                where,
                path=_relative_path(where, values["path"]),
                label=values.get("label", ""),
                mask=_relative_path(where, values["mask"]) if "mask" in required else "",
                patient=values.get("patient", ""),
                split=_split(where, values.get("split", ""), split),
                site=values.get("site", ""),
                class_number=values["Class_Int"] if is_published_glaucoma else "",
            )
        )
    return rows


def _check_header(path, header, required):
    if len(set(header)) != len(header):
        raise InputError(f"The header of {path} names a column twice: {','.join(header)}.")
    for column in required:
        if column not in header:
            near = get_close_matches(column, [name.lower() for name in header], 1, 0.5)
            original = next((name for name in header if near and name.lower() == near[0]), None)
            hint = f": is it {original!r}, then rename it" if original else ""
            raise InputError(f"The index {path} has no column {column!r}, only {','.join(header)}{hint}.")
    for name in set(header) - {"path", "label", *OPTIONAL_COLUMNS}:
        near = get_close_matches(name.lower(), OPTIONAL_COLUMNS, 1, 0.75)
        if near and near[0] not in header:
            # Read as an unknown column it would be ignored, and with it the protection against leakage.
            raise InputError(f"The index {path} has a column {name!r}: rename it to {near[0]!r}, or to something else.")


def _split(where, word, split_of_file):
    if word.lower() not in SPLIT_WORDS:
        near = get_close_matches(word.lower(), SPLIT_WORDS, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"{where} has split {word!r}, but train, val, test or nothing is expected{hint}.")
    split = SPLIT_WORDS[word.lower()]
    if split and split_of_file and split != split_of_file:
        raise InputError(f"{where} has split {word!r}, but the file was given as {split_of_file}.")
    return split or split_of_file


def _relative_path(where, written):
    path = PurePosixPath(written.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(written).drive:
        raise InputError(f"{where} has the absolute path {written}: give it relative to the data's folder.")
    if ".." in path.parts:
        raise InputError(f"{where} has the path {written}, which may leave the data's folder: remove the '..'.")
    return str(path)


def filled_column(rows, name):
    """One column of `IndexRow`s as an array of strings, or None where no row fills it in."""
    values = np.array([getattr(row, name) for row in rows], dtype=str)
    return values if (values != "").any() else None


def check_each_path_once(rows):
    """Raise `InputError` if two of the `IndexRow` have one path."""
    first = {}
    for row in rows:
        if (earlier := first.setdefault(row.path, row)) is not row:
            raise InputError(f"{row.where} names {row.path} again, which {earlier.where} has: keep one.")


def _classes(rows, class_names):
    labels = [row.label for row in rows]
    are_numbers = all(_is_whole(label) for label in labels)
    if class_names is None:
        names = _order_by_class_number(rows) or sorted(set(labels), key=int if are_numbers else None)
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


def _order_by_class_number(rows):
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
