"""Which class a label in a table means."""

from difflib import get_close_matches

from imbclf.data.spellings import plain
from imbclf.errors import InputError


def class_of_labels(rows, class_names=None):
    """The class that each label stands for.

    Args:
        rows: `IndexRow`s with a label each, one at least.
        class_names: The classes. A label is then one of them, or its number where all labels are numbers and no class
            is. None takes the labels as they are, if no two of them look like one class.

    Returns:
        A dictionary from label to class name.

    Raises:
        InputError: Names the row of a label that is no class, or of one that looks like another.

    Example:

    >>> from imbclf.data.index_rows import IndexRow
    >>> class_of_labels([IndexRow("row 2", "a.png", "1"), IndexRow("row 3", "b.png", "0")], ("normal", "glaucoma"))
    {'1': 'glaucoma', '0': 'normal'}
    """
    where_of = {}
    for row in rows:
        where_of.setdefault(row.label, row.where)
    if class_names is None:
        alike = {}
        for label, where in where_of.items():
            first = alike.setdefault(plain(label), label)
            if first != label:
                raise InputError(
                    f"{where} has label {label!r}, which looks like the {first!r} of {where_of[first]}: spell them "
                    "alike, or give class_names."
                )
        return {label: label for label in where_of}
    names = [str(name) for name in class_names]
    if all(label.isdecimal() for label in where_of) and not any(name.isdecimal() for name in names):
        name_of = {label: names[int(label)] for label in where_of if int(label) < len(names)}
    else:
        name_of = {label: label for label in where_of if label in names}
    for label, where in where_of.items():
        if label not in name_of:
            name_of_form = {plain(name): name for name in names}
            near = [name_of_form[form] for form in get_close_matches(plain(label), name_of_form, 1)]
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(f"{where} has label {label!r}, but the classes are {', '.join(names)}{hint}.")
    return name_of
