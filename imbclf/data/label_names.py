"""Names of the labels, as `dataset.json` of the Medical Segmentation Decathlon and of nnU-Net gives them."""

from imbclf.errors import InputError
from imbclf.files import read_json


def read_label_names(path):
    """Class names, background first, and the ignored label or None.

    Both ways round are read: `{"0": "background", "1": "tumour"}` (Decathlon) and `{"background": 0, "tumour": 1}`
    (nnU-Net, where a label named `ignore` is no class).

    Raises:
        InputError: No JSON, no `labels`, labels that are no numbers from 0 on without a gap, or regions of several
            labels.
    """
    content = read_json(path)
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, dict) or not labels:
        raise InputError(f"{path} must hold an object 'labels' with the names of the labels.")
    for name, label in labels.items():
        if isinstance(label, list):
            raise InputError(f"{path} gives {name!r} the labels {label}, but regions of several labels are not read.")
    pairs = labels.items() if all(_is_whole(label) for label in labels.values()) else zip(labels.values(), labels)
    name_of, ignore_class = {}, None
    for name, label in pairs:
        if not _is_whole(label):
            raise InputError(f"{path} must pair names with whole numbers, but has {name!r} and {label!r}.")
        if name == "ignore" and labels.get("ignore") == label:
            ignore_class = int(label)
        elif int(label) in name_of:
            raise InputError(f"{path} gives the label {int(label)} two names: {name_of[int(label)]} and {name}.")
        else:
            name_of[int(label)] = str(name)
    if sorted(name_of) != list(range(len(name_of))):
        raise InputError(f"{path} must number its labels from 0 on without a gap, but has {sorted(name_of)}.")
    return tuple(name_of[label] for label in range(len(name_of))), ignore_class


def _is_whole(value):
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())
