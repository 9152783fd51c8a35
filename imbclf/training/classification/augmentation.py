"""What the augmentation of a configuration makes of its images, to be looked at before a training."""

from pathlib import Path

import numpy as np

from imbclf.augment.contact_sheet import draw_contact_sheet
from imbclf.published_chains import chain_of_shape
from imbclf.training.build import build_augmentation
from imbclf.training.classification.build import build_dataset


def draw_augmentation(config, path, images_per_class=2, published=False):
    """Draw training images of each class beside draws of the augmentation, and write the sheet as a PNG file.

    Args:
        config: a `Config`, whose data and augmentation are taken.
        path: the PNG file.
        images_per_class: at most; the first of them.
        published: take `chain_of_shape` of the images in place of the augmentation of the configuration.

    Returns:
        The path.
    """
    dataset = build_dataset(config)
    if published:
        config = type(config)(**{**config.model_dump(), "augment": chain_of_shape(dataset.image_shape)})
    train = dataset.indices("train")
    of_class = [train[dataset.y[train] == label] for label in range(dataset.num_classes)]
    shown = np.concatenate([members[:images_per_class] for members in of_class])
    layers = build_augmentation(config, dataset.image_shape)
    names = [f"{dataset.class_names[dataset.y[sample]]}\n{Path(dataset.ids[sample]).stem}" for sample in shown]
    return draw_contact_sheet(dataset.images[shown], layers, path, names=names, seed=config.seed)
