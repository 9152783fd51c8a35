"""Losses that do not forget the rare class. One idea per file; each a short formula over `imbclf.statistics`."""

from keras.src.losses import ALL_OBJECTS_DICT

from imbclf.losses.balance import Balance
from imbclf.losses.ce_plus import (
    CEPlusDice,
    CEPlusDiceBias,
    CEPlusF1,
    CEPlusLogDice,
    CEPlusMarginalKL,
    CEPlusMarginalL1,
    CEPlusMCC,
)
from imbclf.losses.combo import Combo
from imbclf.losses.cross_entropy import CrossEntropy
from imbclf.losses.deep_supervision import DeepSupervision
from imbclf.losses.dice import Dice
from imbclf.losses.dice_bias import DiceBias
from imbclf.losses.focal import Focal
from imbclf.losses.focal_plus_marginal_l1 import FocalPlusMarginalL1
from imbclf.losses.generalized_dice import GeneralizedDice
from imbclf.losses.gradient_aware import GradientAware, GradientAwareCE, GradientAwareDice
from imbclf.losses.inter_class_balance import InterClassBalance
from imbclf.losses.intra_class_balance import IntraClassBalance
from imbclf.losses.log_dice import LogDice
from imbclf.losses.marginal_kl import MarginalKL
from imbclf.losses.marginal_l1 import MarginalL1
from imbclf.losses.soft_f1 import SoftF1
from imbclf.losses.soft_mcc import SoftMCC
from imbclf.losses.top_k import TopK, TopKThreshold
from imbclf.losses.tversky import FocalTversky, Tversky
from imbclf.losses.unified_focal import UnifiedFocal
from imbclf.losses.weighted_sum import WeightedSum

__all__ = [
    "Balance",
    "CEPlusDice",
    "CEPlusDiceBias",
    "CEPlusF1",
    "CEPlusLogDice",
    "CEPlusMCC",
    "CEPlusMarginalKL",
    "CEPlusMarginalL1",
    "Combo",
    "CrossEntropy",
    "DeepSupervision",
    "Dice",
    "DiceBias",
    "Focal",
    "FocalPlusMarginalL1",
    "FocalTversky",
    "GeneralizedDice",
    "GradientAware",
    "GradientAwareCE",
    "GradientAwareDice",
    "InterClassBalance",
    "IntraClassBalance",
    "LogDice",
    "MarginalKL",
    "MarginalL1",
    "SoftF1",
    "SoftMCC",
    "TopK",
    "TopKThreshold",
    "Tversky",
    "UnifiedFocal",
    "WeightedSum",
]

# `keras.losses.get("package>Name")` looks names up in this table alone, not among the registered classes.
ALL_OBJECTS_DICT.update({f"imbclf>{name}": globals()[name] for name in __all__})
