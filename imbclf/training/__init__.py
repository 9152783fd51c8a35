"""Configuration, training, the run folder, and what follows from it."""

import importlib

_HOMES = {
    "BalanceSwitchLogger": "callbacks",
    "Config": "config",
    "RunFolder": "run_folder",
    "dry_run": "fit",
    "evaluate": "fit",
    "load_config": "config",
    "predict_files": "fit",
    "train": "fit",
}

__all__ = ["BalanceSwitchLogger", "Config", "RunFolder", "dry_run", "evaluate", "load_config", "predict_files", "train"]


def __getattr__(name):
    # Reading a configuration must not load Keras, so that `--print-config` and a mistyped key answer at once.
    if name in _HOMES:
        return getattr(importlib.import_module(f"imbclf.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'imbclf.training' has no attribute {name!r}")
