"""How good a network is, with error bars: scores, intervals, floors, feature maps, and the report of a run."""

from imbclf.evaluation.case_montage import montage, montage_cases
from imbclf.evaluation.case_scores import mean_dice, read_cases, score_case, write_cases
from imbclf.evaluation.embedding import embed, tsne
from imbclf.evaluation.evaluate import evaluate_run
from imbclf.evaluation.feature_map import draw_feature_map, map_features, write_features
from imbclf.evaluation.floors import floors
from imbclf.evaluation.intervals import paired_difference, scores_with_intervals
from imbclf.evaluation.predictions import Predictions, read_floors, read_predictions, write_floors, write_predictions
from imbclf.evaluation.report import write_report
from imbclf.evaluation.scores import expected_calibration_error, scores
from imbclf.evaluation.segmentation_report import write_segmentation_report
from imbclf.evaluation.segmentation_scores import evaluate_segmentation

__all__ = [
    "Predictions",
    "draw_feature_map",
    "embed",
    "evaluate_run",
    "evaluate_segmentation",
    "expected_calibration_error",
    "floors",
    "map_features",
    "mean_dice",
    "montage",
    "montage_cases",
    "paired_difference",
    "read_cases",
    "read_floors",
    "read_predictions",
    "score_case",
    "scores",
    "scores_with_intervals",
    "tsne",
    "write_cases",
    "write_features",
    "write_floors",
    "write_predictions",
    "write_report",
    "write_segmentation_report",
]
