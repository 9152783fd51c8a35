"""Classification under class imbalance on Keras 3: losses, sampling, models, and evidence.

    model.compile("adam", loss=imbclf.CEPlusF1())

Importing the package is light: a name is imported when it is first asked for. As soon as Keras is imported, before or
after this package, losses, metrics and layers are registered with it, so that `"imbclf>CEPlusF1"` and saved models are
understood.
"""

import importlib

import wrapt

__version__ = "0.1.0"

_ROOMS = ("augment", "data", "evaluation", "losses", "metrics", "models", "sampling", "training")
_LOSSES = ("CEPlusF1", "CEPlusMCC", "CrossEntropy", "Focal", "SoftF1", "SoftMCC", "WeightedSum")

__all__ = [*_LOSSES, *_ROOMS]


def __getattr__(name):
    if name in _LOSSES:
        return getattr(importlib.import_module("imbclf.losses"), name)
    if name in _ROOMS:
        return importlib.import_module(f"imbclf.{name}")
    raise AttributeError(f"module 'imbclf' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])


@wrapt.when_imported("keras")
def _register_with_keras(_):
    for room in ("losses", "metrics", "augment"):
        importlib.import_module(f"imbclf.{room}")
