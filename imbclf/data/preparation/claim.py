"""A prepared folder belongs to one preparation, and to one process at a time."""

import contextlib
from pathlib import Path

from imbclf.data.preparation.making import explain_failure
from imbclf.errors import InputError
from imbclf.files import read_json

try:
    import fcntl
except ImportError:
    # Without it (Windows) two preparations at once are not noticed; files are still written whole or not at all.
    fcntl = None


@contextlib.contextmanager
def claimed(out, name):
    """Hold the folder of a preparation: made if need be, locked against others, rid of what a kill left behind.

    Args:
        out: The folder; new, empty, or made by the same preparation before.
        name: Name of the recipe.

    Raises:
        InputError: It holds something else, another process prepares into it, or it cannot be written.
    """
    out = Path(out)
    check_contents(out, name)
    for folder in (out, out / "arrays", out / "keys"):
        explain_failure(Path.mkdir, folder, 0o777, True, True)
    with explain_failure(open, out / ".lock", "w") as lock:
        if fcntl is not None:
            _lock(lock, out)
        try:
            _remove_temporaries(out)
            yield
        finally:
            _remove_temporaries(out)


def is_marked(out, mark, what):
    """Whether a folder holds the file that says what was made in it; one that is new or empty does not.

    Args:
        out: The folder.
        mark: Name of the file.
        what: What is to be made, in the plural.

    Raises:
        InputError: `out` is a file, or a folder that holds something else.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise InputError(f"The {what} need a folder, but {out} is a file: choose another one.")
    if (out / mark).exists():
        return True
    # A kill right at the start leaves hidden files, or folders that are still empty.
    others = [path for path in sorted(out.iterdir()) if not path.name.startswith(".") and not _is_empty(path)]
    if others:
        raise InputError(
            f"{out} holds something else ({others[0].name}) and no {mark}: choose a new or an empty folder."
        )
    return False


def _is_empty(path):
    return path.is_dir() and not any(path.iterdir())


def check_contents(out, name):
    """Raise `InputError` unless a folder is new, empty, or made by the preparation of this name."""
    if not is_marked(out, "prepare.json", "prepared images"):
        return
    made_by = read_json(out / "prepare.json")
    found = made_by.get("recipe") if isinstance(made_by, dict) else made_by
    if found != name:
        raise InputError(f"{out} was made by the preparation {found!r}, not {name!r}: choose another folder.")


def _lock(lock, out):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"Another process is preparing into {out}: wait until it has ended.") from None
    except OSError:
        # Some network file systems cannot lock; files are still written whole or not at all.
        return


def _remove_temporaries(out):
    """Remove the temporary files of `write_bytes`, which only a kill leaves behind."""
    for pattern in (".*.csv.????????", ".prepare.json.????????", "arrays/.*.npy.????????", "keys/.*.json.????????"):
        for file in out.glob(pattern):
            file.unlink(missing_ok=True)
