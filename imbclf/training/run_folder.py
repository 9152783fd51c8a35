"""The folder of one run: what stands where, what is never overwritten, and the state a run is resumed from."""

import io
import os
import tempfile
from pathlib import Path

import numpy as np
import yaml

from imbclf.errors import InputError
from imbclf.files import read_json, read_table, write_bytes, write_table
from imbclf.training.config import load_config


class RunFolder:
    """Paths and state of a run folder.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path):
        self.path = Path(path)

    def __truediv__(self, name):
        return self.path / name

    @property
    def is_finished(self):
        """Whether training ran to its end."""
        record = self / "training.json"
        return record.is_file() and read_json(record).get("stopped") == "finished"

    @property
    def has_state(self):
        """Whether there is something to resume from."""
        return (self / "state.npz").is_file()

    def claim(self, config, resume=False, overwrite=False):
        """Make the folder ready for a run, or say why not. Nothing finished or started is overwritten unasked."""
        if resume:
            if self.is_finished:
                raise InputError(f"{self.path} holds a finished run; there is nothing to resume.")
            if not self.has_state:
                raise InputError(f"{self.path} holds no state to resume from: no epoch was completed there.")
            self._check_same(config)
            return
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"The run folder {self.path} is a file; choose another with output=.")
        if self.path.exists() and any(self.path.iterdir()) and not overwrite:
            if self.is_finished:
                raise InputError(
                    f"{self.path} holds a finished run; choose another folder with output=, or pass --overwrite."
                )
            hint = "continue it with --resume, " if self.has_state else ""
            raise InputError(
                f"{self.path} is not empty; {hint}choose another folder with output=, or pass --overwrite."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        for name in WRITTEN_BY_TRAINING:
            (self / name).unlink(missing_ok=True)
        write_bytes(self / "config.yaml", config.to_yaml().encode())

    def config(self, overrides=()):
        """The configuration that the run was trained with, with other values for some keys."""
        if not (self / "config.yaml").is_file():
            raise InputError(f"{self.path} is not a run folder: it has no config.yaml.")
        return load_config(self / "config.yaml", overrides)

    def load_chosen(self, config):
        """The model of the epoch that the configuration selects, for prediction."""
        path = self / f"{config.training.select}.keras"
        if not path.is_file():
            raise InputError(f"{path} is missing; `imbclf train` writes it.")
        import keras

        model = keras.saving.load_model(path, compile=False)
        # XLA, which Keras would use for prediction too, is many times slower for 3D convolutions on a CPU.
        model.compile(jit_compile=False)
        return model

    def history(self):
        """Rows of history.csv as dictionaries of numbers."""
        header, rows = read_table(self / "history.csv")
        return [{key: float(value) for key, value in zip(header, row, strict=True)} for row in rows]

    def write_history(self, rows):
        """Write history.csv, one row per epoch."""
        header = list(rows[0])
        write_table(self / "history.csv", header, [[_number(row[key]) for key in header] for row in rows])

    def save_model(self, model, name):
        """Save a model under a name, whole or not at all, without the optimizer."""
        with tempfile.TemporaryDirectory(dir=self.path, prefix=".saving-") as folder:
            temporary = Path(folder) / name
            model.save(temporary, include_optimizer=False)
            os.replace(temporary, self / name)

    def save_state(self, model, record):
        """Save all that the next epoch depends on: weights, moving statistics, seeds, optimizer, and `record`."""
        buffer = io.BytesIO()
        arrays = {f"record_{key}": np.asarray(value) for key, value in record.items()}
        for prefix, variables in _state_of(model).items():
            arrays |= {f"{prefix}_{i:05d}": np.asarray(v) for i, v in enumerate(variables)}
        np.savez(buffer, **arrays)
        write_bytes(self / "state.npz", buffer.getvalue())

    def load_state(self, model):
        """Bring a compiled model back to the saved state; returns the record saved with it."""
        model.optimizer.build(model.trainable_variables)
        with np.load(self / "state.npz", allow_pickle=False) as state:
            for prefix, variables in _state_of(model).items():
                saved = [key for key in state.files if key.startswith(f"{prefix}_")]
                if len(saved) != len(variables):
                    raise InputError(
                        f"{self / 'state.npz'} holds {len(saved)} {prefix} variables where this configuration has "
                        f"{len(variables)}; it belongs to another version or configuration."
                    )
                for key, variable in zip(sorted(saved), variables, strict=True):
                    variable.assign(state[key])
            return {key.removeprefix("record_"): state[key].item() for key in state.files if key.startswith("record_")}

    def _check_same(self, config):
        before, now = (_flatten(yaml.safe_load(c.to_yaml())) for c in (self.config(), config))
        for key in sorted({*before, *now} - {"output"}):
            if before.get(key) != now.get(key):
                raise InputError(
                    f"{self.path} was started with {key}={before.get(key)!r}, not {now.get(key)!r}; "
                    "a resumed run keeps its configuration."
                )


WRITTEN_BY_TRAINING = (
    "config.yaml",
    "environment.json",
    "split.csv",
    "history.csv",
    "training.json",
    "state.npz",
    "best.keras",
    "last.keras",
    "predictions.csv",
    "floors.csv",
    "cases.csv",
    "metrics.json",
    "features.npz",
    "report.html",
)


def _state_of(model):
    """Every variable that the next step depends on, by whose it is. A loss may have some too."""
    return {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "loss": getattr(model.loss, "variables", []),
    }


def _flatten(values, prefix=""):
    if not isinstance(values, dict):
        return {prefix.rstrip("."): values}
    return {key: value for name, inner in values.items() for key, value in _flatten(inner, f"{prefix}{name}.").items()}


def _number(value):
    return f"{int(value)}" if float(value).is_integer() else f"{value:.9g}"
