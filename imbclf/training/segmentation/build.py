"""From a configuration to what a segmentation network is trained with: data, network, windows."""

from imbclf.data import open_segmentation, thin_class
from imbclf.errors import InputError
from imbclf.losses import DeepSupervision
from imbclf.metrics import DiceScore
from imbclf.models import UNet34
from imbclf.sampling import GridPatches, PatchBatches
from imbclf.training.build import build_augmentation, build_loss, compile_model
from imbclf.training.division import check_division, divide


def build_dataset(config, split=None):
    """The cases of a run, every one in a split, checked for leakage; `split` is a recorded division to follow."""
    data = config.data
    if data.root is None and data.format != "shapes":
        raise InputError(
            "data.root is not set: give the folder of the data, as in `imbclf train CONFIG data.root=/path`."
        )
    if data.thin is not None and data.ignore_class is None:
        raise InputError("data.thin needs data.ignore_class, the label that the thinned class gets, such as 255.")
    check_division(data)
    dataset = open_segmentation(
        root=data.root,
        index=data.index,
        format=data.format,
        class_names=data.class_names,
        normalize=data.normalize,
        ignore_class=data.ignore_class,
        allow_patient_overlap=data.allow_patient_overlap,
        allow_duplicate_images=data.allow_duplicate_images,
    )
    dataset = divide(dataset, data, split)
    if data.thin is not None:
        dataset = thin_class(dataset, data.thin.name, data.thin.share, seed=data.thin.seed)
    return dataset


def build_model(config, dataset):
    """The network for windows of the cases, compiled."""
    outputs = 1 + config.model.deep_supervision
    model = UNet34(
        (*patch_size(config, dataset), dataset.channels),
        dataset.num_classes,
        width=config.model.width,
        stem=config.model.stem,
        dropout=config.model.dropout,
        momentum=config.model.momentum,
        deep_supervision=config.model.deep_supervision,
    )
    loss = build_loss(config, ignore_class=dataset.ignore_class)
    metrics = [
        DiceScore(dataset.num_classes, include_background=False, name="dice_score", ignore_class=dataset.ignore_class),
        *(loss.part_metrics() if hasattr(loss, "part_metrics") else []),
    ]
    if outputs > 1:
        loss, metrics = DeepSupervision(loss), [metrics, *([] for _ in range(outputs - 1))]
    # The weights say which voxels are padding.
    return compile_model(model, config, loss, steps_per_epoch(config, dataset), weighted_metrics=metrics)


def build_batches(config, dataset):
    """Training windows, drawn, and validation windows, which show every voxel once."""
    size, outputs = patch_size(config, dataset), 1 + config.model.deep_supervision
    train, val = (dataset.select(dataset.indices(split)) for split in ("train", "val"))
    options = {"outputs": outputs, "workers": config.training.workers}
    batches = PatchBatches(
        train,
        size,
        config.training.batch_size,
        patches_per_epoch=config.patches.per_epoch,
        foreground=config.patches.foreground,
        seed=config.seed,
        augmentation=build_augmentation(config, (*size, dataset.channels)),
        flips=config.patches.flips,
        **options,
    )
    return batches, GridPatches(val, size, config.training.batch_size, **options)


def patch_size(config, dataset):
    """The size of the windows, one number per axis of the cases."""
    size = config.patches.size
    size = [size] * dataset.rank if isinstance(size, int) else size
    if len(size) != dataset.rank:
        raise InputError(f"patches.size has {len(size)} numbers, but the images have {dataset.rank} axes.")
    return tuple(size)


def steps_per_epoch(config, dataset):
    """Number of batches in an epoch of training."""
    windows = config.patches.per_epoch or len(dataset.indices("train"))
    return -(-windows // config.training.batch_size)


def describe(config, dataset, batches):
    """What a dry run says of the data, line by line."""
    for split in ("train", "val", "test"):
        held = ", ".join(f"{name}: {n}" for name, n in zip(dataset.class_names, dataset.counts(split), strict=True))
        yield f"{split}: {len(dataset.indices(split))} cases (cases that hold {held})"
    shares = zip(dataset.class_names, _voxel_shares(dataset), strict=True)
    yield "share of voxels: " + ", ".join(f"{name}: {share:.3%}" for name, share in shares)
    yield f"windows of {batches.patch_size}, {config.patches.foreground:.0%} centred on foreground"


def record(config, dataset, batches):
    """What training.json says of a segmentation beside what it says of every run."""
    return {
        "image_channels": dataset.channels,
        "patch_size": list(batches.patch_size),
        "counts": {split: len(dataset.indices(split)) for split in ("train", "val", "test")},
        "voxel_shares": _voxel_shares(dataset),
        "foreground_share": config.patches.foreground,
    }


def _voxel_shares(dataset):
    counts = dataset.voxel_counts("train").sum(axis=0)
    return (counts / counts.sum()).tolist()
