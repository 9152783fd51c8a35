"""What happens during training beside training: recording, stopping, and telling how it goes."""

import math
import re
import signal
import sys
import threading
import time

import keras

from imbclf.errors import InputError
from imbclf.progress import duration


class Interrupted(Exception):
    """Training was asked to stop by Ctrl-C."""


class RunRecorder(keras.callbacks.Callback):
    """Writes the run folder after every epoch: history, the best model, and the state to resume from.

    The best epoch is the one of greatest validation score, of two equals the one of lower validation loss.

    Args:
        folder: a `RunFolder`.
        rows: rows of the history so far, when resuming.
        record: `best_epoch`, `best_score`, `best_loss` and `seconds` so far, when resuming.
        monitor: name of the metric that is the score.
    """

    def __init__(self, folder, rows=(), record=None, monitor="balanced_accuracy"):
        super().__init__()
        self.folder = folder
        self.monitor = monitor
        self.rows = list(rows)
        self.record = {
            "best_epoch": 0,
            "best_score": -math.inf,
            "best_loss": math.inf,
            "seconds": 0.0,
            **(record or {}),
        }

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()
        self._learning_rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self._started
        scores = {key: float(value) for key, value in of_first_output(logs).items()}
        self.rows.append({"epoch": epoch + 1, "seconds": seconds, "learning_rate": self._learning_rate, **scores})
        score, loss = scores[f"val_{self.monitor}"], scores["val_loss"]
        self.record["seconds"] += seconds
        best = (self.record["best_score"], -self.record["best_loss"])
        if (score, -loss) > best:
            self.record.update(best_epoch=epoch + 1, best_score=score, best_loss=loss)
            self.folder.save_model(self.model, "best.keras")
        self.folder.write_history(self.rows)
        # Last, since it is what says that the epoch is complete.
        self.folder.save_state(self.model, {**self.record, "epoch": epoch + 1})


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Stops at the first step whose loss is NaN or infinite and says which it was."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):
            raise InputError(
                f"The loss became {logs['loss']} at step {batch + 1} of epoch {self.epoch}; check labels, pixels and "
                "the learning rate."
            )


class StopOnInterrupt(keras.callbacks.Callback):
    """Turns Ctrl-C into a clean stop at the end of the step; a second one stops at once."""

    def on_train_begin(self, logs=None):
        self.asked = False
        self.previous = None
        if threading.current_thread() is threading.main_thread():
            self.previous = signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_):
        self.asked = True
        self.restore()

    def restore(self):
        """Give Ctrl-C its former meaning back."""
        if self.previous is not None:
            signal.signal(signal.SIGINT, self.previous)
            self.previous = None

    def on_train_batch_end(self, batch, logs=None):
        if self.asked:
            raise Interrupted

    def on_test_batch_end(self, batch, logs=None):
        if self.asked:
            raise Interrupted

    def on_train_end(self, logs=None):
        self.restore()


class Progress(keras.callbacks.Callback):
    """Says how training goes: a line that is rewritten in a terminal, a line per epoch elsewhere, with the time left.

    Args:
        epochs: number of epochs of the whole training.
        first: index of the first epoch, above 0 when resuming.
        stream: where to write; standard error without it, so that standard output stays for results.
        monitor: name of the metric that is shown.
        monitor_name: how it is called.
    """

    def __init__(self, epochs, first=0, stream=None, monitor="balanced_accuracy", monitor_name="balanced accuracy"):
        super().__init__()
        self.monitor = monitor
        self.monitor_name = monitor_name
        self.epochs = epochs
        self.first = first
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.best = -math.inf

    def on_train_begin(self, logs=None):
        self.started = self.shown = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if not self.live or now - self.shown < 0.2:
            return
        self.shown = now
        logs = of_first_output(logs)
        steps = self.params["steps"]
        done = self.epoch - self.first + (batch + 1) / steps
        self._rewrite(
            f"epoch {self.epoch + 1}/{self.epochs}  step {batch + 1}/{steps}  loss {logs['loss']:.4f}  "
            f"{self.monitor_name} {logs[self.monitor]:.3f}  {self._left(done)} left"
        )

    def on_epoch_end(self, epoch, logs=None):
        logs = of_first_output(logs)
        score = logs[f"val_{self.monitor}"]
        star = "  best so far" if score > self.best else ""
        self.best = max(self.best, score)
        line = (
            f"epoch {epoch + 1}/{self.epochs}  loss {logs['loss']:.4f}"
            f"  {self.monitor_name} {logs[self.monitor]:.3f}"
            f"  validation: loss {logs['val_loss']:.4f}  {self.monitor_name} {score:.3f}"
            f"  {self._left(epoch + 1 - self.first)} left{star}"
        )
        if self.live:
            self._rewrite(line)
            self.stream.write("\n")
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def _left(self, done):
        per_epoch = (time.perf_counter() - self.started) / done
        return duration(per_epoch * (self.epochs - self.first - done))

    def _rewrite(self, line):
        self.stream.write("\r\x1b[2K" + line)
        self.stream.flush()


class BalanceSwitchLogger(keras.callbacks.Callback):
    """Says after which step the switch of a `Balance` loss flipped, at the end of the epoch in which it did.

    Silent with every other loss.

    Args:
        stream: where to write; standard error without it.
    """

    def __init__(self, stream=None):
        super().__init__()
        self.stream = stream or sys.stderr

    def on_train_begin(self, logs=None):
        self.pending = [loss for loss in _balance_losses(self.model.loss) if not _value(loss.switched)]

    def on_epoch_end(self, epoch, logs=None):
        for loss in [loss for loss in self.pending if _value(loss.switched)]:
            self.pending.remove(loss)
            steps = int(_value(loss.steps_before_switch))
            self.stream.write(f"{loss.name}: the inter-class part joined after step {steps}, in epoch {epoch + 1}\n")
            self.stream.flush()


def _balance_losses(loss):
    """Every switching `Balance` in a loss, however deep."""
    if hasattr(loss, "switched"):
        return [loss] if loss.schedule == "switch" else []
    inner = [*getattr(loss, "losses", []), *([loss.loss] if hasattr(loss, "loss") else [])]
    return [found for part in inner for found in _balance_losses(part)]


def _value(variable):
    return float(keras.ops.convert_to_numpy(variable))


def of_first_output(logs):
    """Logs in which the metrics of the first of several outputs have their plain names.

    >>> of_first_output({"val_probabilities_dice_score": 0.5, "probabilities_2_deep_supervision_loss": 1.0})
    {'val_dice_score': 0.5, 'probabilities_2_deep_supervision_loss': 1.0}
    """
    return {re.sub(r"^(val_)?probabilities_(?!\d)", r"\1", key): value for key, value in logs.items()}
