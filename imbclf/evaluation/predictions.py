"""Predicted probabilities on disk: `predictions.csv` of the model and `floors.csv` of the two floors."""

from dataclasses import dataclass

import numpy as np

from imbclf.errors import InputError
from imbclf.files import read_rows, write_table

LEADING = ("id", "patient", "split", "y")
SPLITS = ("train", "val", "test")
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Predictions:
    """Probabilities of `n` images for `K` classes, with what is needed to judge them.

    Args:
        ids: unique names of the images, `(n,)`.
        split: "train", "val" or "test" for each image, `(n,)`.
        y: true classes, integers `0..K-1`, `(n,)`.
        probabilities: `(n, K)`, finite, rows that sum to 1 within 0.001.
        class_names: `K` different names.
        patients: name of the patient of each image, `(n,)`, "" where unknown; None where no image has one.

    Raises:
        InputError: lengths differ, a name is repeated, a label or a probability is impossible.

    Example:

    >>> probabilities = [[0.9, 0.1], [0.4, 0.6]]
    >>> predictions = Predictions(["a", "b"], ["test", "val"], [0, 1], probabilities, ["benign", "malignant"])
    >>> predictions.select("test").probabilities.shape
    (1, 2)
    """

    ids: np.ndarray
    split: np.ndarray
    y: np.ndarray
    probabilities: np.ndarray
    class_names: tuple
    patients: np.ndarray | None = None

    def __post_init__(self):
        patients = None if self.patients is None else np.asarray(self.patients, dtype=str)
        values = {
            "ids": np.asarray(self.ids, dtype=str),
            "split": np.asarray(self.split, dtype=str),
            "y": np.asarray(self.y).astype(np.int64),
            "probabilities": np.asarray(self.probabilities, dtype=np.float64),
            "class_names": tuple(str(name) for name in self.class_names),
            "patients": patients if patients is not None and np.any(patients != "") else None,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._check_shapes()
        problem = first_problem(self.ids, self.split, self.y, self.probabilities)
        if problem is not None:
            row, sentence = problem
            raise InputError(f"Image {self.ids[row]}: {sentence}")

    def _check_shapes(self):
        n, classes = len(self.ids), len(self.class_names)
        if classes < 2 or len(set(self.class_names)) < classes:
            raise InputError(f"Expected at least two different class names, got {list(self.class_names)}.")
        if self.probabilities.shape != (n, classes):
            raise InputError(f"Expected probabilities of shape {(n, classes)}, got {self.probabilities.shape}.")
        for name in ("split", "y", "patients"):
            value = getattr(self, name)
            if value is not None and value.shape != (n,):
                raise InputError(f"Expected {n} values of {name}, one per image, got an array of shape {value.shape}.")

    def __len__(self):
        return len(self.ids)

    def rows(self, index):
        """The images with this integer or boolean index."""
        patients = None if self.patients is None else self.patients[index]
        return Predictions(
            self.ids[index], self.split[index], self.y[index], self.probabilities[index], self.class_names, patients
        )

    def select(self, split):
        """The images of one split."""
        return self.rows(self.split == split)


def first_problem(ids, split, y, probabilities):
    """(row, sentence) of the first row that cannot be right, or None."""
    classes = probabilities.shape[1]
    sums = probabilities.sum(axis=1)
    with np.errstate(invalid="ignore"):
        outside = ~np.all((probabilities >= 0) & (probabilities <= 1), axis=1)
        not_one = ~(np.abs(sums - 1) <= SUM_TOLERANCE)
    repeated = np.ones(len(ids), dtype=bool)
    repeated[np.unique(ids, return_index=True)[1]] = False
    checks = [
        (outside, lambda i: f"expected probabilities between 0 and 1, got {probabilities[i].tolist()}."),
        (
            not_one,
            lambda i: f"expected probabilities that sum to 1 within {SUM_TOLERANCE}, got a sum of {sums[i]:.6g}.",
        ),
        ((y < 0) | (y >= classes), lambda i: f"expected a class index y in 0..{classes - 1}, got {y[i]}."),
        (~np.isin(split, SPLITS), lambda i: f"expected a split out of {', '.join(SPLITS)}, got {str(split[i])!r}."),
        (repeated, lambda i: f"expected an id of its own for every image, but {str(ids[i])!r} was there before."),
    ]
    found = [(int(np.argmax(bad)), sentence) for bad, sentence in checks if bad.any()]
    if not found:
        return None
    row, sentence = min(found, key=lambda pair: pair[0])
    return row, sentence(row)


def write_predictions(path, predictions):
    """Write `predictions.csv`: `id,patient,split,y` and one column per class, probabilities with nine digits."""
    return write_table(path, [*LEADING, *predictions.class_names], _rows(predictions, predictions.probabilities))


def write_floors(path, test, floors):
    """Write `floors.csv`: as `predictions.csv` with a first column `floor`, for the rows of `test`.

    Args:
        path: the file to write.
        test: `Predictions` of the model on the test split; the floors share its ids, patients and labels.
        floors: {name: probabilities `(n, K)`}, as `floors` gives them.
    """
    rows = [[name, *row] for name, probabilities in floors.items() for row in _rows(test, np.asarray(probabilities))]
    return write_table(path, ["floor", *LEADING, *test.class_names], rows)


def read_predictions(path):
    """Read `predictions.csv` as `Predictions`.

    Raises:
        InputError: naming the file and the row (the header is row 1) that cannot be right.
    """
    header, numbered = read_rows(path)
    return _parse(path, _class_names(path, header, LEADING), numbered)


def read_floors(path):
    """Read `floors.csv` as {floor name: `Predictions`}; errors as in `read_predictions`."""
    header, numbered = read_rows(path)
    class_names = _class_names(path, header, ("floor", *LEADING))
    by_floor = {}
    for number, row in numbered:
        by_floor.setdefault(row[0], []).append((number, row[1:]))
    return {name: _parse(path, class_names, rows) for name, rows in by_floor.items()}


def _rows(predictions, probabilities):
    patients = predictions.patients if predictions.patients is not None else [""] * len(predictions)
    columns = zip(predictions.ids, patients, predictions.split, predictions.y, probabilities)
    return [[*leading, *(f"{value:.9g}" for value in values)] for *leading, values in columns]


def _class_names(path, header, leading):
    if tuple(header[: len(leading)]) != tuple(leading):
        raise InputError(
            f"{path}, row 1: expected the columns {','.join(leading)} and then one column per class, "
            f"got {','.join(header) or 'an empty file'}."
        )
    names = header[len(leading) :]
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise InputError(
            f"{path}, row 1: expected at least two different class columns after {leading[-1]}, got {names}."
        )
    return names


def _parse(path, class_names, numbered):
    """`Predictions` from (row number, cells) pairs."""
    labels, probabilities = [], []
    for number, cells in numbered:
        try:
            labels.append(int(cells[3]))
        except ValueError:
            raise InputError(
                f"{path}, row {number}: expected a class index (an integer) in column y, got {cells[3]!r}."
            ) from None
        try:
            probabilities.append([float(cell) for cell in cells[4:]])
        except ValueError:
            raise InputError(f"{path}, row {number}: expected numbers in the class columns, got {cells[4:]}.") from None
    ids, patients, split = ([cells[column] for _, cells in numbered] for column in range(3))
    labels = np.asarray(labels, dtype=np.int64)
    probabilities = np.reshape(np.asarray(probabilities, dtype=np.float64), (len(numbered), len(class_names)))
    problem = first_problem(np.asarray(ids, dtype=str), np.asarray(split, dtype=str), labels, probabilities)
    if problem is not None:
        row, sentence = problem
        raise InputError(f"{path}, row {numbered[row][0]}: {sentence}")
    return Predictions(ids, split, labels, probabilities, class_names, patients)
