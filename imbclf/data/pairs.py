"""Reading images with their masks: two folders, or an index."""

import re
from pathlib import Path

from imbclf.data.index_rows import check_each_path_once, filled_column, read_index_rows
from imbclf.data.label_names import read_label_names
from imbclf.data.segmentation import SegmentationDataset
from imbclf.data.volume_file import VOLUME_SUFFIXES
from imbclf.data.volumes import LabelFiles, VolumeFiles, check_same_place
from imbclf.errors import InputError

# The Decathlon and nnU-Net keep cases for training and for testing apart; test masks may not have been given out.
FOLDERS = (("images", "labels", ""), ("imagesTr", "labelsTr", "train"), ("imagesTs", "labelsTs", "test"))
_CHANNEL = re.compile(r"(.+)_(\d{4})")


def read_pair_folders(root, class_names=None, ignore_class=None, **options):
    """Read `images/` and `labels/`, in which an image and its mask have one name.

    `imagesTr/` and `labelsTr/` are training cases, `imagesTs/` and `labelsTs/` test cases, as the Medical Segmentation
    Decathlon and nnU-Net name them; `imagesTs/` without masks is left alone. Files `case_0000`, `case_0001` beside the
    mask `case` are the channels of one case. A `dataset.json` names the labels.

    Args:
        root: The folder.
        class_names, ignore_class: See `open_segmentation`.
        **options: Of `SegmentationDataset`.

    Returns:
        A `SegmentationDataset` whose ids are the names without suffix.

    Raises:
        InputError: No such folders, nothing in them, an image without a mask or the reverse, cases of different
            channels, and what `open_segmentation` says of images and masks.
    """
    root = Path(root)
    found = [(root / images, root / masks, split) for images, masks, split in FOLDERS if (root / masks).is_dir()]
    if not found:
        raise InputError(f"The folder {root} must hold the folders images and labels, or imagesTr and labelsTr.")
    ids, images, masks, splits = [], [], [], []
    for image_folder, mask_folder, split in found:
        mask_of = _files_by_name(mask_folder)
        channels_of = _channels_by_case(image_folder, mask_of)
        for name in sorted(mask_of):
            ids.append(name)
            images.append([file.relative_to(root).as_posix() for file in channels_of[name]])
            masks.append(mask_of[name].relative_to(root).as_posix())
            splits.append(split)
    if (root / "dataset.json").is_file() and class_names is None:
        class_names, named_ignore_class = read_label_names(root / "dataset.json")
        ignore_class = named_ignore_class if ignore_class is None else ignore_class
    return _dataset(
        root,
        images,
        masks,
        class_names,
        ignore_class,
        ids=ids,
        split=splits,
        source=f"{root.resolve().name}/",
        **options,
    )


def read_pair_index(root, index, class_names=None, ignore_class=None, **options):
    """Read images and masks that a CSV file lists: `path,mask[,patient,split,site]`, further columns left alone.

    Args:
        root: Folder that the paths start from.
        index: CSV file, absolute or relative to `root`.
        class_names, ignore_class: See `open_segmentation`.
        **options: Of `SegmentationDataset`.

    Returns:
        A `SegmentationDataset` whose ids are the paths without suffix.

    Raises:
        InputError: Missing or empty file, missing or misspelt columns, a row without path or mask, a path twice,
            absolute or outside `root`, an unknown split word, and what `open_segmentation` says of images and masks.
    """
    root = Path(root)
    rows = read_index_rows(root / index, required=("path", "mask"))
    check_each_path_once(rows)
    return _dataset(
        root,
        [[row.path] for row in rows],
        [row.mask for row in rows],
        class_names,
        ignore_class,
        ids=[_without_suffix(row.path) for row in rows],
        split=[row.split for row in rows],
        patients=filled_column(rows, "patient"),
        sites=filled_column(rows, "site"),
        source=str(index),
        **options,
    )


def _dataset(root, image_paths, mask_paths, class_names, ignore_class, **options):
    images, masks = VolumeFiles(image_paths, root), LabelFiles(mask_paths, root)
    for case in range(len(images)):
        image, mask = images.header(case), masks.header(case)
        if len(image.space) == len(mask.space):
            check_same_place(image, mask, f"The image {images.path(case)}", f"its mask {masks.path(case)}")
    if class_names is None:
        class_names = _names_of_labels(masks, ignore_class)
    dataset = SegmentationDataset(
        images, masks, class_names, ignore_class=ignore_class, name=root.resolve().name, **options
    )
    # Reads every mask that was not read yet, so that a label out of range is found before anything is trained.
    dataset.voxel_counts()
    return dataset


def _names_of_labels(masks, ignore_class):
    """`background, 1, 2, ...` up to the largest label that occurs."""
    found = sorted({label for case in range(len(masks)) for label in masks.label_counts(case)} - {ignore_class})
    largest = max(found, default=0)
    missing = sorted(set(range(largest + 1)) - set(found))
    if missing:
        raise InputError(
            f"The masks hold the labels {', '.join(map(str, found[:8]))}{', ...' if len(found) > 8 else ''} but no "
            f"{missing[0]}: renumber them without a gap, or give class_names, or ignore_class for one that does not "
            "count."
        )
    return ("background", *(str(label) for label in range(1, largest + 1)))


def _files_by_name(folder):
    """Files in a folder by name without suffix; hidden ones, and those that are no images, are left alone."""
    file_of = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        if file.name.startswith(".") or not file.is_file() or not file.name.lower().endswith(VOLUME_SUFFIXES):
            continue
        name = _without_suffix(file.name)
        if name in file_of:
            raise InputError(f"{file_of[name]} and {file.name} have one name: keep one.")
        file_of[name] = file
    return file_of


def _channels_by_case(folder, mask_of):
    """Image files of each mask, the channels of a case in their order."""
    image_of = _files_by_name(folder)
    if not image_of:
        raise InputError(f"There is no image ({', '.join(VOLUME_SUFFIXES)}) in {folder}.")
    numbers_of = {}
    for name, file in image_of.items():
        match = _CHANNEL.fullmatch(name)
        case, number = (name, 0) if name in mask_of or match is None else (match[1], int(match[2]))
        if case not in mask_of:
            raise InputError(f"The image {file} has no mask of its name: add one, or take the image out.")
        numbers_of.setdefault(case, {})[number] = file
    for name, file in mask_of.items():
        if name not in numbers_of:
            raise InputError(f"The mask {file} has no image of its name in {folder}: add one, or take the mask out.")
        if sorted(numbers_of[name]) != list(range(len(numbers_of[name]))):
            numbers = ", ".join(f"{number:04d}" for number in sorted(numbers_of[name]))
            raise InputError(f"The channels of {name} in {folder} must count from 0000, but they are {numbers}.")
    return {name: [numbers[number] for number in sorted(numbers)] for name, numbers in numbers_of.items()}


def _without_suffix(path):
    suffix = next((suffix for suffix in VOLUME_SUFFIXES if path.lower().endswith(suffix)), "")
    return path[: len(path) - len(suffix)]
