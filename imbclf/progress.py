"""Saying how far something is: a bar in a terminal, a line now and then elsewhere."""

import sys
import time

BAR = 24


class Progress:
    """Counts what is done of a known number of things.

    In a terminal one line is rewritten, five times a second at most; elsewhere a line is written each time another
    tenth is done.

    Args:
        total: Number of things.
        what: What they are, in the plural.
        stream: Where to write; standard error without it, so that standard output stays for results.

    Example:

    >>> import io
    >>> stream = io.StringIO()
    >>> progress = Progress(2, "images", stream)
    >>> progress.step()
    >>> progress.say("failed: b: its file is missing")
    >>> progress.step(failed=True)
    >>> print(stream.getvalue(), end="")
    1 of 2 images, 0 s left
    failed: b: its file is missing
    2 of 2 images, 1 failed, 0 s left
    """

    def __init__(self, total, what, stream=None):
        self.total, self.what = total, what
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.done = self.failed = 0
        self.started = time.perf_counter()
        self.shown = -1.0

    def step(self, failed=False):
        """One more is done."""
        tenth = 10 * self.done // self.total
        self.done += 1
        self.failed += failed
        is_last = self.done == self.total
        if self.live:
            now = time.perf_counter()
            if is_last or now - self.shown > 0.2:
                self.shown = now
                filled = BAR * self.done // self.total
                self._write(f"\r\x1b[2K[{'#' * filled}{'.' * (BAR - filled)}] {self._text()}" + "\n" * is_last)
        elif is_last or 10 * self.done // self.total > tenth:
            self._write(self._text() + "\n")

    def say(self, line):
        """Write a line of its own; a bar moves below it."""
        self._write(("\r\x1b[2K" if self.live else "") + line + "\n")

    def _text(self):
        left = (time.perf_counter() - self.started) / self.done * (self.total - self.done)
        failed = f"{self.failed} failed, " if self.failed else ""
        return f"{self.done} of {self.total} {self.what}, {failed}{duration(left)} left"

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()


def duration(seconds):
    """Seconds as a person says them.

    >>> duration(42), duration(200), duration(7500)
    ('42 s', '3 min 20 s', '2 h 5 min')
    """
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
