"""Reading a folder per class."""

from pathlib import Path

import numpy as np

from imbclf.data.dataset import Dataset
from imbclf.data.files import ImageFiles
from imbclf.data.index_rows import SPLIT_WORDS
from imbclf.errors import InputError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
OTHER_IMAGE_SUFFIXES = (".bmp", ".gif", ".tif", ".tiff", ".webp", ".dcm", ".nii", ".gz", ".npy", ".ppm", ".pgm", ".jp2")


def read_folder(root, class_names=None, image_size=None, channels=None, cache="auto"):
    """Read `root/class/*.png`, or `root/train/class/*.png` with folders `train`, `val` and `test` above the classes.

    Folders inside a class folder belong to the class. Files of other kinds are left alone, unless they are images too.

    Args:
        root: The folder.
        class_names: The class folders in order; None sorts those that are there.
        image_size, channels, cache: See `ImageFiles`.

    Returns:
        A `Dataset` whose ids are the paths relative to `root`.

    Raises:
        InputError: No such folder, no class folders, a class folder without an image or outside `class_names`, split
            folders beside class folders, images of a kind that is not read, and what `ImageFiles` raises.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"The folder {root} does not exist.")
    folders = _folders(root)
    if not folders:
        raise InputError(f"The folder {root} holds no folders: put the images of each class into a folder of its name.")
    of_splits = [folder for folder in folders if SPLIT_WORDS.get(folder.name.lower())]
    if of_splits and len(of_splits) < len(folders):
        other = next(folder.name for folder in folders if folder not in of_splits)
        raise InputError(
            f"The folder {root} holds the split {of_splits[0].name} beside {other}: use splits or classes."
        )
    places = {folder: SPLIT_WORDS[folder.name.lower()] for folder in of_splits} or {root: ""}
    found = sorted({folder.name for place in places for folder in _folders(place)})
    names = found if class_names is None else [str(name) for name in class_names]
    if not names:
        raise InputError(f"The folders in {root} hold no class folders.")
    for place in places:
        for folder in _folders(place):
            if folder.name not in names:
                raise InputError(f"The folder {folder} belongs to no class: the classes are {', '.join(names)}.")
    paths, y, split = [], [], []
    for place, split_name in places.items():
        for label, name in enumerate(names):
            images = find_images(place / name)
            paths += [image.relative_to(root).as_posix() for image in images]
            y += [label] * len(images)
            split += [split_name] * len(images)
    for label, name in enumerate(names):
        if label not in y:
            raise InputError(f"The class {name} has no PNG or JPEG image in {root}.")
    return Dataset(
        images=ImageFiles(paths, root, image_size, channels, cache),
        y=np.array(y, np.int64),
        class_names=tuple(names),
        ids=np.array(paths),
        split=np.array(split),
        name=root.resolve().name,
        source=f"{root.resolve().name}/",
    )


def _folders(place):
    return sorted(entry for entry in place.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))


def find_images(folder):
    """Paths of the PNG and JPEG files in a folder and the folders inside it, sorted; hidden ones are left alone."""
    if not folder.is_dir():
        return []
    images = []
    for file in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in file.relative_to(folder).parts) or not file.is_file():
            continue
        if file.suffix.lower() in OTHER_IMAGE_SUFFIXES:
            raise InputError(f"The file {file} is neither PNG nor JPEG: convert it, or take it out of the folder.")
        if file.suffix.lower() in IMAGE_SUFFIXES:
            images.append(file)
    return images
