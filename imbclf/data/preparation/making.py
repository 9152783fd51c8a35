"""Making one array: from the files of a subject to an `.npy` with its record."""

import hashlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imbclf.data.preparation.record import (
    Record,
    array_entry,
    digests,
    read_record,
    recipe_key,
    record_path,
    source_entry,
    write_record,
)
from imbclf.errors import InputError
from imbclf.files import file_digest, write_bytes

PREPARED, KEPT, FAILED, UNWRITABLE = "prepared", "kept", "failed", "unwritable"


class CannotWrite(InputError):
    """The folder of the arrays takes no more; unlike a bad subject, this ends the preparation."""


@dataclass(frozen=True)
class MakeArray:
    """`make(subject)` says how it went with one subject, as `(word, reason)`; it raises nothing, so that others go on.

    Args:
        recipe: See `imbclf.data.preparation.prepare`.
        out: The prepared folder.
    """

    recipe: object
    out: Path

    def __call__(self, subject):
        try:
            return self._make(subject), ""
        except CannotWrite as error:
            return UNWRITABLE, str(error)
        except InputError as error:
            return FAILED, str(error)
        except MemoryError:
            return FAILED, "There is not enough memory: use fewer workers."
        except Exception as error:
            # Whatever a damaged file makes a library raise, the subjects after it shall be prepared.
            return FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}"

    def _make(self, subject):
        path, key = array_path(self.out, subject), recipe_key(self.recipe)
        known = read_record(path)
        of_role = {} if known is None else known.sources
        sources = {role: source_entry(file, of_role.get(role)) for role, file in subject.files.items()}
        if known is not None and known.is_of(key, sources) and path.is_file():
            digest = file_digest(path)
            if digest == known.array["digest"]:
                # Copied or touched, but the same: the record learns the new times.
                explain_failure(write_record, path, Record(key, sources, array_entry(path, digest)))
                return KEPT
        array = checked_array(self.recipe(subject))
        for role, file in subject.files.items():
            if digests({role: source_entry(file, sources[role])}) != digests({role: sources[role]}):
                raise InputError(f"{file} changed while it was read: prepare again.")
        content = npy_bytes(array)
        explain_failure(_forget, path)
        explain_failure(write_bytes, path, content)
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        explain_failure(write_record, path, Record(key, sources, array_entry(path, digest)))
        return PREPARED


def array_path(out, subject):
    """File of the array of a subject."""
    return Path(out) / "arrays" / f"{subject.id}.npy"


def checked_array(array):
    """What a recipe made, after checking that it can be stored: uint8, or float16 in [0, 1], with channels last."""
    if not isinstance(array, np.ndarray) or array.dtype not in (np.uint8, np.float16):
        raise InputError(f"A recipe must make a NumPy array of uint8 or float16, not {_kind(array)}.")
    if not 2 <= array.ndim <= 4 or 0 in array.shape:
        raise InputError(
            f"A recipe must make arrays (*space, channels) of one to three spatial axes, not {array.shape}."
        )
    # NaN fails this too.
    if array.dtype == np.float16 and not (array.min() >= 0 and array.max() <= 1):
        raise InputError(f"Values must lie in [0, 1], but they go from {array.min():g} to {array.max():g}.")
    return np.ascontiguousarray(array)


def npy_bytes(array):
    """The content of the `.npy` file of an array; equal arrays have equal bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def explain_failure(write, path, *arguments):
    """`write(path, *arguments)`; an error of the disk becomes `CannotWrite` that names the file and the free space."""
    try:
        return write(path, *arguments)
    except OSError as error:
        free = shutil.disk_usage(_existing(Path(path))).free / 1e6
        raise CannotWrite(
            f"{path} cannot be written ({error.strerror or error}; {free:.1f} MB are free): make room or choose "
            "another folder, then give the same command again, which goes on from here."
        ) from None


def _forget(path):
    record_path(path).unlink(missing_ok=True)


def _existing(path):
    return path if path.exists() or path == path.parent else _existing(path.parent)


def _kind(value):
    return value.dtype if isinstance(value, np.ndarray) else type(value).__name__
