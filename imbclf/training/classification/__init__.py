"""Training of classifiers: what `imbclf.training.fit` asks of a task."""

from imbclf.training.classification.augmentation import draw_augmentation
from imbclf.training.classification.build import build_batches, build_dataset, build_model, describe, record
from imbclf.training.classification.finish import finish, predict

# The metric whose greatest value on the validation images chooses an epoch, and its name for people.
MONITOR, MONITOR_NAME = "balanced_accuracy", "balanced accuracy"

__all__ = [
    "MONITOR",
    "MONITOR_NAME",
    "build_batches",
    "build_dataset",
    "build_model",
    "describe",
    "draw_augmentation",
    "finish",
    "predict",
    "record",
]
