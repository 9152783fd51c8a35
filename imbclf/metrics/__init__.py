"""Streaming Keras metrics, exact over uneven batches and replicas, and surface distances of single structures."""

from imbclf.metrics.balanced_accuracy import BalancedAccuracy
from imbclf.metrics.cohen_kappa import CohenKappa
from imbclf.metrics.dice_score import DiceScore
from imbclf.metrics.expected_calibration_error import ExpectedCalibrationError
from imbclf.metrics.f1 import F1
from imbclf.metrics.iou import IoU
from imbclf.metrics.macro_auc import MacroAUC
from imbclf.metrics.matthews_correlation_coefficient import MatthewsCorrelationCoefficient
from imbclf.metrics.surfaces import (
    SurfaceDistances,
    average_surface_distance,
    hausdorff,
    hausdorff95,
    normalized_surface_distance,
    surface_distances,
)

__all__ = [
    "F1",
    "BalancedAccuracy",
    "CohenKappa",
    "DiceScore",
    "ExpectedCalibrationError",
    "IoU",
    "MacroAUC",
    "MatthewsCorrelationCoefficient",
    "SurfaceDistances",
    "average_surface_distance",
    "hausdorff",
    "hausdorff95",
    "normalized_surface_distance",
    "surface_distances",
]
