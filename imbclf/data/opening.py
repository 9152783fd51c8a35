"""One entrance to every kind of data."""

from pathlib import Path

from imbclf.data.digits import long_tailed_digits
from imbclf.data.folder import read_folder
from imbclf.data.index import read_index
from imbclf.data.leakage import check_leakage
from imbclf.data.medmnist import read_medmnist
from imbclf.errors import InputError

FORMATS = ("auto", "npz", "folder", "csv", "digits")


def open_dataset(
    root=None,
    index=None,
    format="auto",
    image_size=None,
    channels=None,
    class_names=None,
    cache="auto",
    allow_patient_overlap=False,
    allow_duplicate_images=False,
):
    """Open a MedMNIST .npz, a CSV index, a folder per class, or the digits that come with scikit-learn.

    Args:
        root: Folder of the data; or the .npz file itself; not needed for the digits.
        index: An .npz or .csv file in `root`, a mapping from split to .csv file, or None for a folder per class.
        format: `"npz"`, `"csv"`, `"folder"`, `"digits"`, or `"auto"`, which goes by the name of `index`.
        image_size: `(height, width)` or one number to resize files to; see `ImageFiles`.
        channels: 1 or 3 to make files grey or colour; see `ImageFiles`.
        class_names: The classes in order, or None; see the readers.
        cache: See `ImageFiles`.
        allow_patient_overlap: Accept a patient in two splits that the data assign.
        allow_duplicate_images: Accept an identical image in two such splits.

    Returns:
        A `Dataset`; samples without an assigned split have split `""`, see `assign_splits`.

    Raises:
        InputError: What the readers raise, leakage between assigned splits, `root` missing, or an option that the
            format does not have.

    Example:

    >>> from imbclf.data import open_dataset
    >>> open_dataset(format="digits").num_classes
    10
    """
    if format not in FORMATS:
        raise InputError(f"format must be one of {', '.join(FORMATS)}, not {format!r}.")
    if format == "digits":
        return long_tailed_digits()
    if root is None:
        raise InputError("The folder of the data (root) is not given.")
    root = Path(root).expanduser()
    if not root.exists():
        raise InputError(f"The data folder {root} does not exist.")
    if root.is_file():
        root, index = root.parent, root.name
    index = index or None
    if format == "auto":
        format = _format_of(index)
    if format == "npz":
        dataset = _open_npz(root, index, image_size, channels, class_names)
    elif format == "csv":
        if index is None:
            raise InputError("The format csv needs the index: the name of the CSV file.")
        dataset = read_index(root, index, class_names, image_size, channels, cache)
    else:
        if index is not None:
            raise InputError(f"A folder per class has no index, but {index!r} is given.")
        dataset = read_folder(root, class_names, image_size, channels, cache)
    check_leakage(dataset, allow_patient_overlap, allow_duplicate_images)
    return dataset


def _format_of(index):
    if index is None:
        return "folder"
    if isinstance(index, dict):
        return "csv"
    suffix = Path(index).suffix.lower()
    if suffix not in (".npz", ".csv"):
        raise InputError(f"The index must be an .npz or a .csv file, not {str(index)!r}.")
    return suffix[1:]


def _open_npz(root, index, image_size, channels, class_names):
    if not isinstance(index, str | Path):
        raise InputError("The format npz needs the index: the name of the .npz file.")
    dataset = read_medmnist(root / index, class_names)
    wanted = {"image_size": image_size, "channels": channels}
    *space, found_channels = dataset.image_shape
    if channels not in (None, found_channels) or (image_size is not None and {*_sides(image_size)} != {*space}):
        given = " and ".join(f"{name}={value!r}" for name, value in wanted.items() if value is not None)
        raise InputError(f"Images in {index} have shape {dataset.image_shape} and are not resized: leave {given} away.")
    return dataset


def _sides(image_size):
    return tuple(image_size) if isinstance(image_size, list | tuple) else (image_size,)
