"""Classification and segmentation under class imbalance on Keras 3: losses, sampling, models, and evidence.

    model.compile("adam", loss=imbclf.CEPlusF1())

Importing the package is light: a name is imported when it is first asked for. As soon as Keras is imported, before or
after this package, losses, metrics and layers are registered with it, so that `"imbclf>CEPlusF1"` and saved models are
understood.
"""

import importlib
import sys

import wrapt

__version__ = "0.1.0"

_ROOMS = ("analysis", "augment", "data", "evaluation", "losses", "metrics", "models", "sampling", "training")
_LOSSES = (
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
)

__all__ = [*_LOSSES, *_ROOMS]


def __getattr__(name):
    if name in _LOSSES:
        return getattr(importlib.import_module("imbclf.losses"), name)
    if name in _ROOMS:
        return importlib.import_module(f"imbclf.{name}")
    raise AttributeError(f"module 'imbclf' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])


def _register_with_keras(imported):
    """Import what Keras must know by name, unless it stands on a module that is only now being imported."""
    below = [sys.modules.get(name) for name in _BELOW if name != imported.__name__]
    if any(getattr(module.__spec__, "_initializing", False) for module in below if module is not None):
        return
    for room in ("losses", "metrics", "augment"):
        importlib.import_module(f"imbclf.{room}")


# Whichever comes first: Keras itself, or a module below the rooms, which imports Keras before it is complete.
_BELOW = ("imbclf.samples", "imbclf.statistics")
for _name in ("keras", *_BELOW):
    wrapt.register_post_import_hook(_register_with_keras, _name)
