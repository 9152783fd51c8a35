"""From a configuration to the objects that are trained: loss, augmentation, network, batches."""

import keras
import numpy as np

import imbclf
from imbclf import augment as augmentation_layers
from imbclf.data import assign_splits, check_split, open_dataset
from imbclf.errors import InputError
from imbclf.metrics import F1, BalancedAccuracy, MatthewsCorrelationCoefficient
from imbclf.models import ResNet34
from imbclf.sampling import BalancedBatches, UniformBatches, class_weights
from imbclf.training.config import check_name, check_options


def build_dataset(config):
    """The data of a run, every image in a split, checked for leakage."""
    data = config.data
    if data.root is None and data.format != "digits":
        raise InputError(
            "data.root is not set: give the folder of the data, as in `imbclf train CONFIG data.root=/path`."
        )
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
    dataset = assign_splits(dataset, validation=data.validation, test=data.test, seed=data.split_seed)
    check_split(dataset, data.allow_patient_overlap, data.allow_duplicate_images)
    return dataset


def build_loss(config):
    """The loss that a configuration names, with its options."""
    losses = imbclf.losses
    name = check_name(config.loss.name, losses.__all__, "loss")
    return _make(getattr(losses, name), config.loss.options, "loss")


def build_augmentation(config, image_shape):
    """The augmentation as one layer, or `None`; every layer draws from a seed of its own."""
    layers = []
    for position, entry in enumerate(config.augment):
        key = f"augment.{position}"
        name = check_name(entry.name, augmentation_layers.__all__, key)
        seed = int(np.random.SeedSequence((config.seed, position)).generate_state(1)[0] >> 1)
        layers.append(_make(getattr(augmentation_layers, name), {"seed": seed, **entry.options}, key, image_shape))
    return keras.Sequential(layers, name="augmentation") if layers else None


def build_model(config, dataset):
    """The network for a data set, compiled: Adam whose learning rate falls to 0 along a cosine."""
    training = config.training
    model = ResNet34(
        dataset.image_shape,
        dataset.num_classes,
        width=config.model.width,
        stem=config.model.stem,
        dropout=config.model.dropout,
        momentum=config.model.momentum,
        augmentation=build_augmentation(config, dataset.image_shape),
    )
    steps_per_epoch = -(-len(dataset.indices("train")) // training.batch_size)
    warmup = training.warmup_epochs * steps_per_epoch
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=training.learning_rate * (0.01 if warmup else 1),
        decay_steps=max(1, training.epochs * steps_per_epoch - warmup),
        warmup_target=training.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    loss = build_loss(config)
    parts = loss.part_metrics() if hasattr(loss, "part_metrics") else []
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, weight_decay=training.weight_decay),
        loss=loss,
        metrics=[
            BalancedAccuracy(dataset.num_classes, name="balanced_accuracy"),
            F1(dataset.num_classes, average="macro", name="macro_f1"),
            MatthewsCorrelationCoefficient(dataset.num_classes, name="mcc"),
            *parts,
        ],
    )
    return model


def build_batches(config, dataset):
    """Training and validation batches, and the weight of one sample of each class."""
    training, sampling = config.training, config.sampling
    train, val = (dataset.select(dataset.indices(split)) for split in ("train", "val"))
    weights = np.ones(dataset.num_classes)
    sample_weight = None
    if sampling.class_weight != "none":
        weights = class_weights(train.y, sampling.class_weight, dataset.class_names, dataset.num_classes)
        sample_weight = weights[train.y].astype("float32")
    options = {"seed": config.seed, "class_names": dataset.class_names, "workers": training.workers}
    kind = {"balanced": BalancedBatches, "uniform": UniformBatches}[sampling.batches]
    batches = kind(train.images, train.y, training.batch_size, sample_weight=sample_weight, **options)
    validation = UniformBatches(val.images, val.y, training.batch_size, shuffle=False, **options)
    return batches, validation, weights


def _make(cls, options, key, image_shape=None):
    """An instance of `cls`; an unknown option or a value it refuses becomes an `InputError` that names the key.

    A layer is built for images of `image_shape`, so that it can refuse those too.
    """
    try:
        known = cls().get_config()
    except TypeError:
        known = None
    if known is not None:
        check_options(options, list(known), key)
    try:
        made = cls(**options)
        if image_shape is not None:
            made.build((None, *image_shape))
        return made
    except (TypeError, ValueError) as error:
        raise InputError(f"{key} ({cls.__name__}): {error}") from None
