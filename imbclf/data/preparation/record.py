"""What a prepared array was made from: kept beside it, so that it is known whether it must be made again."""

import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from imbclf.errors import InputError
from imbclf.files import file_digest, write_json

# The coarsest clock of a file system in use (FAT): a file as young as this may change again without its time changing.
TICK = 2.0


@dataclass(frozen=True)
class Record:
    """The key of one array: what went in, and what came out.

    A record is written after its array and taken away before the array is replaced. Killed in between, a preparation
    finds an array without a record and makes it again.

    Args:
        recipe: `recipe_key` of the recipe.
        sources: For each role of the source files `{"digest": str, "states": [...]}`, as `source_entry` gives it.
        array: `{"digest": str, "size": int, "modified": int}` of the array's file.
    """

    recipe: str
    sources: dict
    array: dict

    def is_of(self, recipe, sources):
        """Whether the array was made by this recipe from files of these digests."""
        return self.recipe == recipe and digests(self.sources) == digests(sources)


def record_path(array_path):
    """Where the record of an array is kept: `OUT/keys/a.json` for `OUT/arrays/a.npy`."""
    array_path = Path(array_path)
    return array_path.parent.parent / "keys" / f"{array_path.stem}.json"


def read_record(array_path):
    """The `Record` of an array, or None where there is none that can be read."""
    try:
        values = json.loads(record_path(array_path).read_text(encoding="utf-8"))
        record = Record(values["recipe"], values["sources"], values["array"])
        # A record of another form is none.
        [(entry["digest"], entry["states"]) for entry in record.sources.values()]
        record.array["digest"], record.array["size"], record.array["modified"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return record


def write_record(array_path, record):
    """Write the `Record` of an array beside it."""
    write_json(record_path(array_path), dataclasses.asdict(record))


def recipe_key(recipe):
    """Digest of the name, the version and the fields of a recipe.

    >>> from dataclasses import dataclass
    >>> from typing import ClassVar
    >>> @dataclass(frozen=True)
    ... class Halved:
    ...     name: ClassVar[str] = "halved"
    ...     version: ClassVar[int] = 1
    ...     side: int = 240
    >>> recipe_key(Halved()) == recipe_key(Halved(240)), recipe_key(Halved()) == recipe_key(Halved(120))
    (True, False)
    """
    text = json.dumps([recipe.name, recipe.version, dataclasses.asdict(recipe)], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def source_entry(path, known=None):
    """Digest and state of one source: a file, or a folder of files such as a DICOM series.

    Args:
        path: File or folder.
        known: What the record says of this source; its digest is taken over where the state is the same.

    Returns:
        `{"digest": str, "states": [...]}` with a list of numbers for every file.

    Raises:
        InputError: Nothing there, or a file that cannot be read.
    """
    states = source_states(path)
    if known is not None and _is_certain(states) and states == known["states"]:
        return {"digest": known["digest"], "states": states}
    try:
        return {"digest": _digest_of_source(Path(path)), "states": states}
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from None


def source_states(path):
    """What tells without reading that the files of a source are still the same.

    Size, time of modification, time of change, inode and device of each. The time of change and the inode notice what
    the others miss: two folders of equally large files of one archive that were swapped. A file that was modified only
    just now has no time (None), because it could be modified again within one tick of the clock; it is read each time
    until it has aged.
    """
    try:
        stats = [file.stat() for file in _files(Path(path))]
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from None
    if not stats:
        raise InputError(f"The folder {path} is empty.")
    now = time.time()
    return [
        [stat.st_size, stat.st_mtime_ns if now - stat.st_mtime > TICK else None, stat.st_ctime_ns]
        + [stat.st_ino, stat.st_dev]
        for stat in stats
    ]


def array_entry(array_path, digest):
    """What a record says of an array whose file has this digest."""
    stat = Path(array_path).stat()
    return {"digest": digest, "size": stat.st_size, "modified": stat.st_mtime_ns}


def known_digest(array_path, record):
    """The digest of an array's file as its record says, or None where the file has changed since."""
    if record is None:
        return None
    try:
        entry = array_entry(array_path, record.array["digest"])
    except OSError:
        return None
    return entry["digest"] if entry == record.array else None


def is_certainly_current(array_path, files, recipe):
    """Whether an array is what the recipe would make, judged by sizes and times alone; no file is read but the record.

    Args:
        array_path: The array.
        files: Source of each role.
        recipe: `recipe_key` of the recipe.
    """
    record = read_record(array_path)
    if record is None or record.recipe != recipe or set(record.sources) != set(files):
        return False
    if known_digest(array_path, record) is None:
        return False
    try:
        states = {role: source_states(path) for role, path in files.items()}
    except InputError:
        return False
    return all(_is_certain(states[role]) and states[role] == record.sources[role]["states"] for role in files)


def digests(sources):
    """The digest of each role."""
    return {role: entry["digest"] for role, entry in sources.items()}


def _is_certain(states):
    return all(modified is not None for _, modified, *_ in states)


def _files(path):
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _digest_of_source(path):
    if not path.is_dir():
        return file_digest(path)
    parts = [f"{file.relative_to(path).as_posix()}\0{file_digest(file)}" for file in _files(path)]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
