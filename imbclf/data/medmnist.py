"""Reading MedMNIST .npz files."""

from pathlib import Path

import numpy as np

from imbclf.data.arrays import ImageArray, stack_images
from imbclf.data.columns import SPLITS
from imbclf.data.dataset import Dataset
from imbclf.errors import InputError
from imbclf.files import read_arrays

CLASS_NAMES = {
    "retinamnist": ("0", "1", "2", "3", "4"),
    "pneumoniamnist": ("normal", "pneumonia"),
    "breastmnist": ("malignant", "normal or benign"),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "adrenalmnist3d": ("normal", "hyperplasia"),
    "nodulemnist3d": ("benign", "malignant"),
    "vesselmnist3d": ("vessel", "aneurysm"),
    "synapsemnist3d": ("inhibitory synapse", "excitatory synapse"),
}


def read_medmnist(path, class_names=None):
    """Read an .npz file in the layout of MedMNIST: `train_images`, `train_labels`, and the same for `val` and `test`.

    Grey images get a channel axis: `(n, height, width)` and volumes `(n, depth, height, width)`. Four axes are colour
    images where the last one has 3 entries (or 1), otherwise volumes; a file name with `3d` is always volumes. Of
    the three splits at least one must be there. Objects are never unpickled.

    Args:
        path: The file.
        class_names: Names of the classes 0 to K-1; None takes the names known for the file's name, else the numbers.

    Returns:
        A `Dataset` with ids such as `"train/000012"`.

    Raises:
        InputError: The file is missing, damaged, pickled, without images or labels, has several labels per image,
            labels outside the classes, images of different shape in its splits, NaN or infinity.
    """
    path = Path(path)
    arrays = read_arrays(path, lambda name: name.split("_")[0] in SPLITS)
    splits = [split for split in SPLITS if f"{split}_images" in arrays]
    if not splits:
        raise InputError(
            f"The file {path} holds {', '.join(sorted(arrays)) or 'nothing'}, but train_images and train_labels are "
            "expected."
        )
    labels = {split: _labels(path, arrays, split) for split in splits}
    images = _images(path, arrays, splits)
    y = np.concatenate([labels[split] for split in splits])
    known = CLASS_NAMES.get(path.stem.lower().split("_")[0], ())
    if class_names is None:
        class_names = known if y.max() < len(known) else [str(label) for label in range(y.max() + 1)]
    for split in splits:
        if labels[split].max() >= len(class_names):
            sample = int(np.argmax(labels[split] >= len(class_names)))
            raise InputError(
                f"In {path} sample {sample} of {split}_labels is {labels[split][sample]}, but there are "
                f"{len(class_names)} classes: {', '.join(map(str, class_names))}."
            )
    return Dataset(
        images=images,
        y=y,
        class_names=tuple(class_names),
        ids=np.array([f"{split}/{sample:06d}" for split in splits for sample in range(len(labels[split]))]),
        split=np.repeat(splits, [len(labels[split]) for split in splits]),
        name=path.stem,
        source=path.name,
    )


def _labels(path, arrays, split):
    key = f"{split}_labels"
    if key not in arrays:
        raise InputError(f"The file {path} holds {split}_images but no {key}.")
    labels, count = arrays[key], len(np.atleast_1d(arrays[f"{split}_images"]))
    if labels.ndim == 2 and labels.shape[1] > 1:
        raise InputError(
            f"Each image must have one label, but {key} in {path} has shape {labels.shape}: sets with several labels "
            "per image cannot be read."
        )
    if count == 0 or labels.shape not in ((count,), (count, 1)):
        raise InputError(f"In {path} there are {count} {split}_images, but {key} has shape {labels.shape}.")
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise InputError(
            f"Labels must be whole numbers from 0 on, but {key} in {path} is {labels.dtype} from {labels.min()}."
        )
    return labels.reshape(-1).astype(np.int64)


def _images(path, arrays, splits):
    images = stack_images({f"{split}_images": arrays.pop(f"{split}_images") for split in splits}, path)
    is_volume = "3d" in path.stem.lower() or images.shape[-1] not in (1, 3)
    has_channels = images.ndim == 5 or (images.ndim == 4 and not is_volume)
    return ImageArray(images if has_channels else images[..., np.newaxis], name=str(path))
