"""One entrance to every kind of segmentation data."""

from pathlib import Path

from imbclf.data.leakage import check_leakage
from imbclf.data.pairs import read_pair_folders, read_pair_index
from imbclf.data.segmentation import AUTOMATIC_MEMORY
from imbclf.data.shapes import segmentation_shapes
from imbclf.errors import InputError

SEGMENTATION_FORMATS = ("auto", "folder", "csv", "shapes")


def open_segmentation(
    root=None,
    index=None,
    format="auto",
    class_names=None,
    normalize="zscore",
    ignore_class=None,
    memory=AUTOMATIC_MEMORY,
    allow_patient_overlap=False,
    allow_duplicate_images=False,
):
    """Open folders of images and masks, a CSV index of them, or the synthetic shapes.

    Images and masks are NIfTI (3D, or 4D with the channels last), or PNG (2D, images also JPEG). Headers and all masks
    are read and checked at once, images when they are asked for.

    Args:
        root: Folder of the data; not needed for the shapes.
        index: A CSV file, absolute or in `root`; None for folders.
        format: `"folder"` (see `read_pair_folders`), `"csv"` (see `read_pair_index`), `"shapes"` (see
            `segmentation_shapes`), or `"auto"`, which is csv where an index is given, else folder.
        class_names: The K names, background first. None takes those of a `dataset.json`, or else K is the largest label
            found plus 1 (`ignore_class` aside), named background, 1, 2 and so on; then each label must occur.
        normalize: `"zscore"`, `"minmax"` or `"none"`; see `normalize_image`.
        ignore_class: Label that is no class and does not count, such as 255, or None.
        memory: Bytes of cases that are kept after they were read; see `SegmentationDataset`.
        allow_patient_overlap: Accept a patient in two splits that the data assign.
        allow_duplicate_images: Accept an identical image file in two such splits.

    Returns:
        A `SegmentationDataset`; cases without an assigned split have split `""`, see `assign_splits`.

    Raises:
        InputError: What the readers raise; an image and its mask of different shape, or of affines that differ by more
            than 1e-3; labels that are not whole numbers or lie outside the classes; flat images among volumes; images
            of different channels; leakage between assigned splits; `root` missing.

    Example:

    >>> from imbclf.data import open_segmentation
    >>> open_segmentation(format="shapes").class_names
    ('background', 'organ', 'lesion')
    """
    if format not in SEGMENTATION_FORMATS:
        raise InputError(f"format must be one of {', '.join(SEGMENTATION_FORMATS)}, not {format!r}.")
    options = {"normalize": normalize, "ignore_class": ignore_class, "memory": memory}
    if format == "shapes":
        if class_names is not None or root is not None:
            raise InputError("The format shapes has its own images and class names: leave root and class_names away.")
        return segmentation_shapes(**options)
    if root is None:
        raise InputError("The folder of the data (root) is not given.")
    root = Path(root).expanduser()
    if not root.is_dir():
        raise InputError(f"The data folder {root} does not exist.")
    if format == "auto":
        format = "folder" if index is None else "csv"
    if format == "csv" and index is None:
        raise InputError("The format csv needs the index: the name of the CSV file.")
    if format == "folder" and index is not None:
        raise InputError(f"Folders of images and labels have no index, but {str(index)!r} is given.")
    if format == "csv":
        dataset = read_pair_index(root, index, class_names, **options)
    else:
        dataset = read_pair_folders(root, class_names, **options)
    check_leakage(dataset, allow_patient_overlap, allow_duplicate_images)
    return dataset
