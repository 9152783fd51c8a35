"""Training of segmentation networks: what `imbclf.training.fit` asks of a task."""

from imbclf.training.segmentation.build import build_batches, build_dataset, build_model, describe, record
from imbclf.training.segmentation.finish import finish, predict

# The metric whose greatest value on the validation cases chooses an epoch, and its name for people.
MONITOR, MONITOR_NAME = "dice_score", "Dice"

__all__ = [
    "MONITOR",
    "MONITOR_NAME",
    "build_batches",
    "build_dataset",
    "build_model",
    "describe",
    "finish",
    "predict",
    "record",
]
