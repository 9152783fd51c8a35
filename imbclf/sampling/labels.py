"""Labels as class indices, whatever form they come in."""

import numpy as np

from imbclf.errors import InputError


def class_indices(y, class_names=None, num_classes=None):
    """Class indices and class names of a set of labels, after checking that every class has a sample.

    Args:
        y: Whole numbers `(n,)` or `(n, 1)` from 0 on, or one-hot `(n, K)`.
        class_names: The K names, used in errors; None takes the numbers.
        num_classes: K; None takes the number of names, of one-hot columns, or the largest label plus one.

    Returns:
        int64 `(n,)` and a tuple of K strings.

    Raises:
        InputError: No labels, strings or fractions, soft labels, a label outside the classes, a class without a sample.

    Example:

    >>> class_indices([[0, 1], [1, 0]])
    (array([1, 0]), ('0', '1'))
    """
    labels = np.atleast_1d(y)
    if labels.dtype == bool:
        labels = labels.astype(np.int64)
    if not np.issubdtype(labels.dtype, np.number) or np.iscomplexobj(labels):
        example = labels.ravel().tolist()[:1]
        raise InputError(
            f"Labels must be whole numbers or one-hot, but they are {labels.dtype} such as {example}: number the "
            "classes from 0."
        )
    if labels.size == 0:
        raise InputError("There are no labels.")
    columns = None
    if labels.ndim == 2 and labels.shape[1] > 1:
        columns = labels.shape[1]
        if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            row = int(np.argmax((~np.isin(labels, (0, 1))).any(axis=1) | (labels.sum(axis=1) != 1)))
            raise InputError(f"One-hot labels must have one 1 per row, but row {row} is {labels[row].tolist()}.")
        labels = labels.argmax(axis=1)
    if labels.shape not in ((len(labels),), (len(labels), 1)):
        raise InputError(f"Labels must have shape (n,), (n, 1) or one-hot (n, K), not {labels.shape}.")
    labels = labels.reshape(-1)
    if not np.isfinite(labels).all() or (labels != np.floor(labels)).any():
        row = int(np.argmax(~np.isfinite(labels) | (labels != np.floor(labels))))
        raise InputError(f"Labels must be whole numbers, but sample {row} has label {labels[row]}.")
    labels = labels.astype(np.int64)
    if class_names is not None:
        class_names = tuple(map(str, class_names))
        if num_classes not in (None, len(class_names)):
            raise InputError(f"num_classes is {num_classes}, but there are {len(class_names)} class names.")
        num_classes = len(class_names)
    count = num_classes or columns or int(labels.max()) + 1
    outside = (labels < 0) | (labels >= count)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(f"Sample {row} has label {labels[row]}, but there are {count} classes (0 to {count - 1}).")
    names = class_names or tuple(map(str, range(count)))
    empty = np.flatnonzero(np.bincount(labels, minlength=count) == 0)
    if len(empty) > 0:
        raise InputError(f"The class {names[empty[0]]} has no sample: add some, or leave the class out.")
    return labels, names
