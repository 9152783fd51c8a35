"""From a configuration to what a classifier is trained with: data, network, batches."""

from dataclasses import replace

import keras
import numpy as np

from imbclf.data import open_dataset
from imbclf.data.windows import Windows
from imbclf.errors import InputError
from imbclf.metrics import F1, BalancedAccuracy, MatthewsCorrelationCoefficient
from imbclf.models import ResNet34
from imbclf.sampling import BalancedBatches, UniformBatches, class_weights
from imbclf.training.build import build_augmentation, build_loss, compile_model
from imbclf.training.division import check_division, divide


def build_dataset(config, split=None):
    """The data of a run, every image in a split, checked for leakage; `split` is a recorded division to follow."""
    data = config.data
    if data.root is None and data.format != "digits":
        raise InputError(
            "data.root is not set: give the folder of the data, as in `imbclf train CONFIG data.root=/path`."
        )
    check_division(data)
    dataset = open_dataset(
        root=data.root,
        index=data.index,
        format=data.format,
        image_size=data.image_size,
        channels=data.channels,
        class_names=data.class_names,
        allow_patient_overlap=data.allow_patient_overlap,
        allow_duplicate_images=data.allow_duplicate_images,
    )
    if data.window is not None:
        dataset = replace(dataset, images=Windows(dataset.images, data.window))
    return divide(dataset, data, split)


def build_model(config, dataset):
    """The network for a data set, compiled."""
    layers = build_augmentation(config, dataset.image_shape)
    model = ResNet34(
        dataset.image_shape,
        dataset.num_classes,
        width=config.model.width,
        stem=config.model.stem,
        dropout=config.model.dropout,
        momentum=config.model.momentum,
        augmentation=keras.Sequential(layers, name="augmentation") if layers else None,
    )
    loss = build_loss(config)
    metrics = [
        BalancedAccuracy(dataset.num_classes, name="balanced_accuracy"),
        F1(dataset.num_classes, average="macro", name="macro_f1"),
        MatthewsCorrelationCoefficient(dataset.num_classes, name="mcc"),
        *(loss.part_metrics() if hasattr(loss, "part_metrics") else []),
    ]
    steps_per_epoch = -(-len(dataset.indices("train")) // config.training.batch_size)
    return compile_model(model, config, loss, steps_per_epoch, metrics=metrics)


def build_batches(config, dataset):
    """Training and validation batches."""
    training = config.training
    train, val = (dataset.select(dataset.indices(split)) for split in ("train", "val"))
    weights = weights_by_class(config, dataset)
    sample_weight = None if config.sampling.class_weight == "none" else weights[train.y].astype("float32")
    options = {"seed": config.seed, "class_names": dataset.class_names, "workers": training.workers}
    kind = {"balanced": BalancedBatches, "uniform": UniformBatches}[config.sampling.batches]
    batches = kind(train.images, train.y, training.batch_size, sample_weight=sample_weight, **options)
    return batches, UniformBatches(val.images, val.y, training.batch_size, shuffle=False, **options)


def weights_by_class(config, dataset):
    """The weight of one training sample of each class, `(K,)`."""
    if config.sampling.class_weight == "none":
        return np.ones(dataset.num_classes)
    y = dataset.y[dataset.indices("train")]
    return class_weights(y, config.sampling.class_weight, dataset.class_names, dataset.num_classes)


def describe(config, dataset, batches):
    """What a dry run says of the data, line by line."""
    for split in ("train", "val", "test"):
        counts = ", ".join(f"{name}: {n}" for name, n in zip(dataset.class_names, dataset.counts(split), strict=True))
        yield f"{split}: {len(dataset.indices(split))} images ({counts})"
    drawn = ", ".join(f"{name}: {n:.0f}" for name, n in zip(dataset.class_names, batches.drawn_counts(), strict=True))
    yield f"drawn per epoch: {drawn}; weights {np.round(weights_by_class(config, dataset), 3).tolist()}"


def record(config, dataset, batches):
    """What training.json says of a classifier beside what it says of every run."""
    return {
        "image_shape": list(dataset.image_shape),
        "sampling": config.sampling.batches,
        "class_weight": config.sampling.class_weight,
        "counts": {split: dataset.counts(split).tolist() for split in ("train", "val", "test")},
        "drawn_per_epoch": np.asarray(batches.drawn_counts(), dtype=float).tolist(),
        "sample_weights": np.asarray(weights_by_class(config, dataset), dtype=float).tolist(),
    }
