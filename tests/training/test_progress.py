import io

import pytest

from imbclf.training.callbacks import Progress

LOGS = {"loss": 0.5, "balanced_accuracy": 0.25, "val_loss": 0.75, "val_balanced_accuracy": 0.5}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(stream, scores=(0.5, 0.25)):
    """Two epochs of two steps, each step 60 s by the clock."""
    progress = Progress(epochs=4, stream=stream)
    progress.set_params({"steps": 2})
    progress.on_train_begin()
    for epoch, score in enumerate(scores):
        progress.on_epoch_begin(epoch)
        for step in range(2):
            progress.on_train_batch_end(step, LOGS)
        progress.on_epoch_end(epoch, {**LOGS, "val_balanced_accuracy": score})
    return stream.getvalue()


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Each look at the clock is 30 s later than the one before."""
    ticks = iter(range(0, 100_000, 30))
    monkeypatch.setattr("imbclf.training.callbacks.time.perf_counter", lambda: next(ticks))


def test_outside_a_terminal_each_epoch_is_one_plain_line():
    lines = run(io.StringIO()).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/4  loss 0.5000  balanced accuracy 0.250")
    assert lines[0].endswith("left  best so far")
    assert lines[1].endswith("left")
    assert "\r" not in "".join(lines)


def test_in_a_terminal_one_line_is_rewritten_at_every_step():
    written = run(Terminal())
    assert written.count("\n") == 2
    assert "step 1/2" in written
    assert "step 2/2" in written
    assert written.count("\r\x1b[2K") == 6


def test_time_left_is_what_the_epochs_so_far_took_for_those_that_remain():
    """Outside a terminal the clock is looked at once per step and once per epoch: 90 s an epoch, three remain."""
    first = run(io.StringIO(), scores=(0.5,))
    assert "4 min 30 s left" in first
