"""Streaming Keras metrics for imbalanced classification, exact over uneven batches and replicas."""

from imbclf.metrics.balanced_accuracy import BalancedAccuracy
from imbclf.metrics.cohen_kappa import CohenKappa
from imbclf.metrics.expected_calibration_error import ExpectedCalibrationError
from imbclf.metrics.f1 import F1
from imbclf.metrics.macro_auc import MacroAUC
from imbclf.metrics.matthews_correlation_coefficient import MatthewsCorrelationCoefficient

__all__ = [
    "F1",
    "BalancedAccuracy",
    "CohenKappa",
    "ExpectedCalibrationError",
    "MacroAUC",
    "MatthewsCorrelationCoefficient",
]
