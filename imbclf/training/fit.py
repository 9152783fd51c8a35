"""Train by a configuration and leave a run folder; what depends on the task stands in a room of its own."""

import importlib
import platform
import shlex
import sys
import time
from datetime import UTC, datetime
from importlib import metadata

import keras
import numpy as np

import imbclf
from imbclf.data import write_split
from imbclf.errors import InputError
from imbclf.files import write_json
from imbclf.progress import duration
from imbclf.sampling import EpochFromTrainer
from imbclf.training.callbacks import (
    BalanceSwitchLogger,
    Interrupted,
    Progress,
    RunRecorder,
    StopOnInterrupt,
    StopOnNonFiniteLoss,
)
from imbclf.training.run_folder import RunFolder


def train(config, resume=False, overwrite=False, stream=None):
    """Train, keep the chosen epoch, predict, score, and write the report.

    Args:
        config: a `Config`.
        resume: continue the run that stands in the folder, which ends as if it had never stopped.
        overwrite: replace what stands in the folder.
        stream: where progress goes; standard error without it.

    Returns:
        The `RunFolder`.

    Raises:
        InputError: data, configuration or folder that cannot be used, or a loss that is no longer finite; then the
            last completed epoch is in `last.keras`.
        KeyboardInterrupt: Ctrl-C; what was completed stays, and `resume` continues it.
    """
    run = RunFolder(config.run_dir)
    run_setup(config)
    task = task_of(config)
    recorded = run / "split.csv"
    dataset = task.build_dataset(config, recorded if resume and recorded.is_file() else None)
    batches, validation = task.build_batches(config, dataset)
    model = task.build_model(config, dataset)
    run.claim(config, resume, overwrite)
    first, rows, record = 0, [], None
    if resume:
        record = run.load_state(model)
        first = int(record.pop("epoch"))
        rows = run.history()[:first]
    write_split(run / "split.csv", dataset)
    write_json(run / "environment.json", environment())
    recorder = RunRecorder(run, rows, record, monitor=task.MONITOR)
    interrupt = StopOnInterrupt()
    callbacks = [
        EpochFromTrainer(batches),
        StopOnNonFiniteLoss(),
        interrupt,
        recorder,
        Progress(config.training.epochs, first, stream, task.MONITOR, task.MONITOR_NAME),
        BalanceSwitchLogger(stream),
    ]
    stopped = "finished"
    problem = None
    try:
        model.fit(
            batches,
            validation_data=validation,
            epochs=config.training.epochs,
            initial_epoch=first,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
    except (Interrupted, KeyboardInterrupt):
        stopped = "interrupted"
    except Exception as error:
        problem = _cause(error, batches, validation)
        if problem is None:
            raise
        stopped = "non-finite loss" if str(problem).startswith("The loss became") else "unreadable data"
    finally:
        interrupt.restore()
    write_json(run / "training.json", _record(config, dataset, batches, model, recorder, stopped))
    if stopped != "finished":
        kept = _keep_last_epoch(run, model, recorder)
        if problem is not None:
            raise InputError(f"{problem} {kept}") from None
        raise KeyboardInterrupt(f"Stopped. {kept}" + (" Continue with --resume." if recorder.rows else ""))
    run.save_model(model, "last.keras")
    task.finish(run, config, dataset)
    return run


def evaluate(run_dir, config=None):
    """Predict again with the saved model of a run and write everything that follows from it.

    Args:
        run_dir: the run folder.
        config: its `Config` with other `data.root` or `evaluation`, or `None` for the one it was trained with.
    """
    run = RunFolder(run_dir)
    config = config or run.config()
    task = task_of(config)
    # The recorded division, not a new one: images that have come since must not move others from train to test.
    task.finish(run, config, task.build_dataset(config, run / "split.csv"))
    return run


def predict_files(run_dir, source, config=None, **options):
    """Predictions for images that have no labels, see `predict` of the task of the run.

    Args:
        run_dir: the run folder whose model predicts.
        source: path of an image or of a folder of them; for a classifier also of an .npz.
        config: the run's `Config`, or `None` to read it.
        **options: `output`, the folder for the masks of a segmentation.

    Returns:
        `(ids, probabilities, class_names)` of a classifier; `(rows, class_names)` of a segmentation, with the voxels of
        each class in each image.
    """
    run = RunFolder(run_dir)
    config = config or run.config()
    return task_of(config).predict(run, config, source, **options)


def task_of(config):
    """The room of the task that a configuration names."""
    return importlib.import_module(f"imbclf.training.{config.task}")


def dry_run(config, stream=None):
    """Read the data, build the network, train two steps on real batches, write nothing, and say what a run would be."""
    stream = stream or sys.stdout
    run_setup(config)
    task = task_of(config)
    dataset = task.build_dataset(config)
    batches, _ = task.build_batches(config, dataset)
    model = task.build_model(config, dataset)
    losses, seconds = [], []
    for step in range(2):
        started = time.perf_counter()
        batch = batches.batch(0, step % len(batches))
        losses.append(float(model.train_on_batch(*batch, return_dict=True)["loss"]))
        seconds.append(time.perf_counter() - started)
    if not np.isfinite(losses).all():
        raise InputError(f"The loss became {losses[-1]} within two steps; check labels, pixels and the learning rate.")
    for line in task.describe(config, dataset, batches):
        print(line, file=stream)
    print(f"network: {model.name}, {model.count_params():,} parameters, input {model.input_shape[1:]}", file=stream)
    print(f"loss: {config.loss.name}, {losses[0]:.4f} before training", file=stream)
    total = seconds[1] * len(batches) * config.training.epochs
    print(
        f"{config.training.epochs} epochs of {len(batches)} steps, {seconds[1]:.2f} s a step: about {duration(total)}",
        file=stream,
    )
    print(f"run folder: {config.run_dir} (not made)", file=stream)


def run_setup(config):
    """Seeds, precision and determinism of the process."""
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_dtype_policy(config.training.precision)
    if config.training.deterministic:
        backend = keras.backend.backend()
        if backend == "tensorflow":
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()
        elif backend == "torch":
            import torch

            torch.use_deterministic_algorithms(True, warn_only=True)


def environment():
    """What the run was made with."""
    packages = ("keras", "tensorflow", "jax", "torch", "numpy", "scikit-learn", "scikit-image", "scipy")
    installed = {distribution.metadata["Name"].lower() for distribution in metadata.distributions()}
    return {
        "imbclf": imbclf.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": keras.backend.backend(),
        **{package: metadata.version(package) for package in packages if package in installed},
        "command": shlex.join(["imbclf", *sys.argv[1:]]) if sys.argv[0].endswith("imbclf") else shlex.join(sys.argv),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _cause(error, batches, validation):
    """The `InputError` behind an exception of `fit`, or None; TensorFlow wraps what a data set raises."""
    for candidate in (error, batches.failure, validation.failure):
        if isinstance(candidate, InputError):
            return candidate
    return None


def _keep_last_epoch(run, model, recorder):
    """Save the last completed epoch as last.keras; returns a sentence that says so."""
    epochs = len(recorder.rows)
    if not epochs:
        return "No epoch was completed."
    run.load_state(model)
    run.save_model(model, "last.keras")
    return f"Epoch {epochs}, the last that was completed, is in {run / 'last.keras'}."


def _record(config, dataset, batches, model, recorder, stopped):
    return {
        "name": config.name,
        "task": config.task,
        "source": dataset.source,
        "class_names": list(dataset.class_names),
        "model": f"{config.model.name}, width {config.model.width}",
        "parameters": int(model.count_params()),
        "loss": config.loss.name,
        "batch_size": config.training.batch_size,
        "epochs_planned": config.training.epochs,
        "epochs_run": len(recorder.rows),
        "best_epoch": int(recorder.record["best_epoch"]),
        "selection": config.training.select,
        "steps_per_epoch": len(batches),
        "seconds": round(recorder.record["seconds"], 3),
        "stopped": stopped,
        "seed": config.seed,
        **task_of(config).record(config, dataset, batches),
    }
