"""Losses that do not forget the rare class. One idea per file; each a short formula over `imbclf.statistics`."""

from keras.src.losses import ALL_OBJECTS_DICT

from imbclf.losses.ce_plus_f1 import CEPlusF1
from imbclf.losses.ce_plus_mcc import CEPlusMCC
from imbclf.losses.cross_entropy import CrossEntropy
from imbclf.losses.focal import Focal
from imbclf.losses.soft_f1 import SoftF1
from imbclf.losses.soft_mcc import SoftMCC
from imbclf.losses.weighted_sum import WeightedSum

__all__ = ["CEPlusF1", "CEPlusMCC", "CrossEntropy", "Focal", "SoftF1", "SoftMCC", "WeightedSum"]

# `keras.losses.get("package>Name")` looks names up in this table alone, not among the registered classes.
ALL_OBJECTS_DICT.update({f"imbclf>{name}": globals()[name] for name in __all__})
