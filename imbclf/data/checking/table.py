"""What the checks look at: the rows of an index, and the images that were opened."""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from imbclf.data.checking.look import Look, look_at_array, look_at_file
from imbclf.data.folder import read_folder
from imbclf.data.index import order_by_class_number, prepared_class_names
from imbclf.data.index_rows import SPLIT_WORDS, IndexRow, RowProblem, collect_index_rows
from imbclf.data.medmnist import read_medmnist
from imbclf.errors import InputError
from imbclf.files import read_rows


@dataclass(eq=False)
class CheckedTable:
    """Rows of an index and what was seen of their images.

    Args:
        source: Name of the index, for the report.
        root: Folder that the paths start from; None where the images are in memory.
        rows: One `IndexRow` per image; what cannot be used is "".
        problems: What is wrong with single cells.
        given_classes: Class names in their order, where the source says so.
        has_masks: Whether each row names a mask instead of a label.
        arrays: Images in memory, or None.
        looks: `Look` of the positions that were opened.
        unreadable: What is wrong with the positions that could not be opened.
    """

    source: str
    root: Path | None
    rows: list[IndexRow]
    problems: list[RowProblem] = field(default_factory=list)
    given_classes: tuple[str, ...] | None = None
    has_masks: bool = False
    arrays: object = None
    looks: dict[int, Look] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)

    @cached_property
    def sizes(self):
        """Bytes of each image file, -1 where there is none, -2 where the row names none, int64 `(n,)`."""
        if self.root is None:
            return np.zeros(len(self.rows), np.int64)
        return np.array([_size(self.root / row.path) if row.path else -2 for row in self.rows], np.int64)

    @cached_property
    def class_names(self):
        """The classes in their order; of masks, the labels that were seen."""
        if self.given_classes is not None:
            return self.given_classes
        if self.has_masks:
            return tuple(map(str, sorted({label for look in self.looks.values() for label in look.mask_labels or ()})))
        labelled = [row for row in self.rows if row.label]
        try:
            ordered = order_by_class_number(labelled)
        except InputError:
            ordered = None
        return tuple(ordered or sorted({row.label for row in labelled}, key=_numbers_by_value))

    def classes_of(self, position):
        """The classes that a row has: its label, or the labels of its mask."""
        if not self.has_masks:
            return (self.rows[position].label,) if self.rows[position].label else ()
        look = self.looks.get(position)
        return tuple(map(str, look.mask_labels or ())) if look else ()

    def positions_by(self, column):
        """Positions of the rows of each value of a column, empty cells left out."""
        positions = defaultdict(list)
        for position, row in enumerate(self.rows):
            if value := getattr(row, column):
                positions[value].append(position)
        return dict(positions)

    def firsts(self, column, positions):
        """The first row of each value but the empty one that a column has at some positions, {value: row}."""
        first_of = {}
        for position in positions:
            row = self.rows[position]
            if value := getattr(row, column):
                first_of.setdefault(value, row)
        return first_of

    def splits(self):
        """Number of the split of each row, 0 to 2, -1 where none is assigned, int8 `(n,)`."""
        number = {"train": 0, "val": 1, "test": 2}
        return np.array([number.get(row.split, -1) for row in self.rows], np.int8)

    def look_at(self, position):
        """Open an image and note how it looks, or why it cannot be opened."""
        row = self.rows[position]
        try:
            if self.arrays is not None:
                self.looks[position] = look_at_array(self.arrays[np.array([position])][0])
            else:
                mask = self.root / row.mask if self.has_masks and row.mask else None
                self.looks[position] = look_at_file(self.root / row.path, mask)
        except InputError as error:
            self.unreadable[position] = str(error)


def open_table(index, root=None):
    """The rows of an index, a folder per class, or a MedMNIST .npz, as a `CheckedTable` without looks.

    Raises:
        InputError: No such file, no usable header, no rows; of a folder and an .npz, whatever their readers raise.
    """
    files = index if isinstance(index, dict) else {"": index}
    for split in files:
        if split not in SPLIT_WORDS:
            raise InputError(f"The files of an index are given as train, val or test, not {split!r}.")
    if root is not None and not Path(root).expanduser().is_dir():
        raise InputError(f"The data folder {root} does not exist.")
    files = {SPLIT_WORDS[split]: _file(name, root) for split, name in files.items()}
    first = next(iter(files.values()))
    if len(files) == 1 and first.is_dir():
        # One size and grey, so that files of several sizes are listed and not refused.
        dataset = read_folder(first, image_size=1, channels=1, cache="none")
        return _of_dataset(dataset, first, None)
    if len(files) == 1 and first.suffix.lower() == ".npz":
        dataset = read_medmnist(first)
        return _of_dataset(dataset, None, dataset.images)
    rows, problems = [], []
    required = _required_columns(first)
    for split, file in files.items():
        # A single file need not be named in every sentence.
        found, wrong = collect_index_rows(file, split, required, called=file.name if len(files) > 1 else "")
        rows += found
        problems += wrong
    return CheckedTable(
        source=", ".join(str(file) for file in files.values()),
        root=Path(root).expanduser() if root is not None else first.parent,
        rows=rows,
        problems=problems,
        given_classes=prepared_class_names(files.values(), {row.label for row in rows} - {""}),
        has_masks=required[1] == "mask",
    )


def _file(name, root):
    path = Path(name).expanduser()
    if path.exists() or root is None:
        return path
    return Path(root).expanduser() / path


def _required_columns(file):
    header = {name.strip() for name in read_rows(file)[0]}
    return ("path", "mask") if "mask" in header and "label" not in header else ("path", "label")


def _of_dataset(dataset, root, arrays):
    rows = [
        IndexRow(where=name, path=name, label=label, split=split)
        for name, label, split in zip(dataset.ids.tolist(), dataset.label_texts(), dataset.split.tolist())
    ]
    return CheckedTable(dataset.source, root, rows, given_classes=dataset.class_names, arrays=arrays)


def _size(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _numbers_by_value(label):
    return (0, int(label), label) if label.isdecimal() else (1, 0, label)
