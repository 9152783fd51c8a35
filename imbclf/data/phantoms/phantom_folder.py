"""A folder that phantoms are drawn into: whose it is, and drawing what it lacks."""

import contextlib
from pathlib import Path

from imbclf.data.preparation.claim import is_marked
from imbclf.data.preparation.making import explain_failure
from imbclf.data.preparation.processes import Died, work_through
from imbclf.errors import InputError
from imbclf.files import read_json, write_json
from imbclf.progress import Progress

MARK = "phantom.json"


def check_phantom(out, description):
    """Whether a folder holds a set of phantoms, which must then be just this one; see `claim_phantom`."""
    if not is_marked(out, MARK, "phantoms"):
        return False
    found = read_json(out / MARK)
    for key, value in description.items():
        there = found.get(key) if isinstance(found, dict) else None
        if there != value:
            raise InputError(
                f"{out} holds phantoms with {key} {there!r}, not {value!r}: choose another folder, or remove this one."
            )
    return True


def said_of_phantom(out, files, counts, what):
    """Sentence on what is to be drawn: how many of each class, and how many files are still missing."""
    by_class = ", ".join(f"{name}: {count}" for name, count in counts.items())
    missing = sum(not (Path(out).expanduser() / file).exists() for file in files)
    return f"{sum(counts.values())} {what} ({by_class}), {missing} of {len(files)} files to draw -> {out} (not written)"


def claim_phantom(out, description):
    """Make a folder for a set of phantoms, or make sure that it holds just this one.

    Args:
        out: The folder: new, empty, or begun with the same description.
        description: What the phantoms depend on, such as JSON can hold, kept as `phantom.json`.

    Raises:
        InputError: A file, a folder with something else or with another set, or a disk that takes no files.

    Example:

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> claim_phantom(folder.name, {"phantom": "glaucoma", "seed": 0})
    >>> claim_phantom(folder.name, {"phantom": "glaucoma", "seed": 1})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    imbclf.errors.InputError: ... holds phantoms with seed 0, not 1: choose another folder, or remove this one.
    >>> folder.cleanup()
    """
    out = Path(out)
    if not check_phantom(out, description):
        explain_failure(write_json, out / MARK, description)


def draw_missing(draw, missing, what, workers, stream=None):
    """Call `draw` for everything that is missing, in several processes, and say how far it is.

    Args:
        draw: Picklable function of an item that writes its files.
        missing: List of items, picklable.
        what: What they are, in the plural.
        workers: Processes at most; with 1 the items are drawn in this process.
        stream: Where progress goes; standard error without it.

    Raises:
        InputError: What `draw` raised as such first, or a process that died.
    """
    if not missing:
        return
    results = work_through(_Attempt(draw), missing, min(workers, len(missing)))
    progress = Progress(len(missing), what, stream)
    # Closed at once whatever happens, so that no process goes on writing.
    with contextlib.closing(results):
        for item, failure in results:
            if isinstance(failure, Died):
                raise InputError(f"{item} was not drawn: {failure}")
            if failure:
                raise InputError(failure)
            progress.step()


class _Attempt:
    """Calls a function in another process, where an `InputError` must be an answer to come back."""

    def __init__(self, draw):
        self.draw = draw

    def __call__(self, item):
        try:
            self.draw(item)
        except InputError as error:
            return str(error)
        return ""
