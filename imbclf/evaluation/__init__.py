"""How good a classifier is, with error bars: scores, intervals, floors, feature maps, and the report of a run."""

from imbclf.evaluation.embedding import embed, tsne
from imbclf.evaluation.evaluate import evaluate_run
from imbclf.evaluation.feature_map import draw_feature_map, map_features, write_features
from imbclf.evaluation.floors import floors
from imbclf.evaluation.intervals import paired_difference, scores_with_intervals
from imbclf.evaluation.predictions import Predictions, read_floors, read_predictions, write_floors, write_predictions
from imbclf.evaluation.report import write_report
from imbclf.evaluation.scores import expected_calibration_error, scores

__all__ = [
    "Predictions",
    "draw_feature_map",
    "embed",
    "evaluate_run",
    "expected_calibration_error",
    "floors",
    "map_features",
    "paired_difference",
    "read_floors",
    "read_predictions",
    "scores",
    "scores_with_intervals",
    "tsne",
    "write_features",
    "write_floors",
    "write_predictions",
    "write_report",
]
