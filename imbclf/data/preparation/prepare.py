"""From the subjects of an archive to a folder of arrays with an index; a run that was stopped is taken up again."""

import contextlib
import dataclasses
import json
import re
import sys
from collections import Counter
from pathlib import Path

from imbclf.data.columns import SPLITS
from imbclf.data.preparation.claim import check_contents, claimed
from imbclf.data.preparation.making import FAILED, KEPT, PREPARED, UNWRITABLE, MakeArray, array_path, explain_failure
from imbclf.data.preparation.processes import Died, work_through
from imbclf.data.preparation.record import is_certainly_current, recipe_key
from imbclf.errors import InputError, whole
from imbclf.files import read_json, read_table, write_json, write_table
from imbclf.progress import Progress

INDEX_COLUMNS = ["path", "label", "patient", "split", "site"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a preparation went.

    Args:
        folder: The prepared folder.
        prepared: Arrays made.
        kept: Arrays that were there and still right.
        failed: Subjects that could not be prepared; `failed.csv` says why.
        left_out: Subjects of the archive that were not to be prepared; `left_out.csv` says why.
    """

    folder: Path
    prepared: int
    kept: int
    failed: int
    left_out: int

    def __str__(self):
        counts = f"{self.prepared} prepared, {self.kept} kept, {self.failed} failed, {self.left_out} left out"
        return f"{counts} -> {self.folder}"


def prepare(subjects, recipe, out, class_names, left_out=(), workers=1, stream=None):
    """Make an array of every subject, and the index to train from.

    ```
    OUT/index.csv      path,label,patient,split,site   of every array, in the order of the subjects
        arrays/ID.npy  what the recipe makes of a subject
        keys/ID.json   what it was made from: digests of the source files, of the recipe and of the array
        failed.csv     id,reason                       subjects that could not be prepared
        left_out.csv   id,reason                       subjects that were not to be
        prepare.json   recipe, version, fields, class names, counts
    ```

    An array stays as it is where its sources and the recipe are those that it was made from; a source or a recipe that
    changed remakes what depends on it, and nothing else. Sources are compared by digest, those with size, times and
    inode as before without being read. While arrays are made there is no `index.csv`, so that nothing trains on half of
    them. Stopped by Ctrl-C or killed, the same call goes on where it stopped. Arrays of subjects that are no longer
    given stay on the disk but not in the index.

    Args:
        subjects: `Subject`s.
        recipe: Frozen, picklable dataclass with class attributes `name` and `version`; `recipe(subject)` gives uint8
            (value x 255) or float16 in [0, 1] of shape `(*space, channels)` and raises `InputError` for a subject that
            cannot be used. Its fields are its parameters, such as JSON can hold.
        out: The prepared folder: new, empty, or made by this recipe before.
        class_names: Names of the classes in order.
        left_out: `LeftOut`s, for the record.
        workers: Processes at most; as many are used as 20 GiB, or 3/4 of the memory, are enough for. With 1 the
            subjects are prepared in this process.
        stream: Where progress goes; standard error without it.

    Returns:
        An `Outcome`. Subjects that failed have had a line on `stream`, the others are done.

    Raises:
        InputError: No subject, ids that are used twice or are no file names, a label outside `class_names`, a folder
            that holds something else or is being prepared into, a disk that is full.
        KeyboardInterrupt: Ctrl-C; what was done stays.

    Example:

    >>> import io, tempfile
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from pathlib import Path
    >>> from typing import ClassVar
    >>> from imbclf.data.preparation.subject import Subject
    >>> @dataclass(frozen=True)
    ... class Bytes:
    ...     name: ClassVar[str] = "bytes"
    ...     version: ClassVar[int] = 1
    ...     def __call__(self, subject):
    ...         return np.frombuffer(subject.files["image"].read_bytes(), np.uint8)[:, np.newaxis]
    >>> folder = tempfile.TemporaryDirectory()
    >>> source, out = Path(folder.name, "a.bin"), Path(folder.name, "prepared")
    >>> _ = source.write_bytes(bytes([0, 255]))
    >>> subjects = [Subject("a", {"image": source}, "healthy", split="train")]
    >>> outcome = prepare(subjects, Bytes(), out, ("healthy", "sick"), stream=io.StringIO())
    >>> outcome.prepared, np.load(out / "arrays" / "a.npy").tolist()
    (1, [[0], [255]])
    >>> print((out / "index.csv").read_text(), end="")
    path,label,patient,split,site
    arrays/a.npy,healthy,,train,
    >>> prepare(subjects, Bytes(), out, ("healthy", "sick"), stream=io.StringIO()).kept
    1
    >>> folder.cleanup()
    """
    subjects, left_out, stream = list(subjects), list(left_out), stream or sys.stderr
    out = Path(out).expanduser()
    _check_subjects(subjects, class_names)
    workers = whole(workers, "workers", least=1)
    description = {
        "recipe": recipe.name,
        "version": recipe.version,
        "fields": dataclasses.asdict(recipe),
        "class_names": list(class_names),
    }
    with claimed(out, recipe.name):
        key = recipe_key(recipe)
        waiting = [
            subject for subject in subjects if not is_certainly_current(array_path(out, subject), subject.files, key)
        ]
        counts, reasons = Counter({KEPT: len(subjects) - len(waiting)}), {}
        if waiting:
            explain_failure(write_json, out / "prepare.json", {**description, "counts": None})
            explain_failure(Path.unlink, out / "index.csv", True)
            make = MakeArray(recipe, out)
            _collect(work_through(make, waiting, workers), Progress(len(waiting), "subjects", stream), counts, reasons)
        _write_tables(out, subjects, left_out, reasons, description)
    return Outcome(out, counts[PREPARED], counts[KEPT], counts[FAILED], len(left_out))


def plan(subjects, recipe, out, class_names, left_out=()):
    """What `prepare` would do with these arguments, in lines of text; nothing is written and no image is opened."""
    subjects, left_out = list(subjects), list(left_out)
    out = Path(out).expanduser()
    _check_subjects(subjects, class_names)
    check_contents(out, recipe.name)
    lines = []
    for split in (*SPLITS, ""):
        counts = Counter(subject.label for subject in subjects if subject.split == split)
        if counts:
            by_class = ", ".join(f"{name}: {counts[name]}" for name in class_names)
            lines.append(f"{split or 'no split'}: {counts.total()} subjects ({by_class})")
    for reason, count in Counter(one.reason for one in left_out).most_common():
        lines.append(f"left out: {count}, {reason}")
    key = recipe_key(recipe)
    kept = sum(is_certainly_current(array_path(out, subject), subject.files, key) for subject in subjects)
    return "\n".join([*lines, f"{len(subjects) - kept} to make, {kept} to keep -> {out} (not written)"])


def _check_subjects(subjects, class_names):
    if not subjects:
        raise InputError("There is no subject to prepare.")
    first = {}
    for subject in subjects:
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", subject.id):
            raise InputError(
                f"The id {subject.id!r} cannot name a file: up to 200 letters, digits, '.', '_' and '-' can, and no "
                "'.' at the start."
            )
        # Some file systems do not tell capitals from small letters.
        if (earlier := first.setdefault(subject.id.lower(), subject)) is not subject:
            raise InputError(f"Two subjects have the id {subject.id} ({earlier.id}): ids must differ.")
        if subject.label not in class_names:
            raise InputError(
                f"The subject {subject.id} has label {subject.label!r}, but the classes are {', '.join(class_names)}."
            )
        if subject.split not in (*SPLITS, ""):
            raise InputError(f"The subject {subject.id} has split {subject.split!r}, not train, val, test or nothing.")


def _collect(results, progress, counts, reasons):
    """Count results as they come, and say which subjects failed."""
    # Closed at once whatever happens, so that no process goes on writing.
    with contextlib.closing(results):
        try:
            for subject, result in results:
                word, reason = (FAILED, str(result)) if isinstance(result, Died) else result
                if word == UNWRITABLE:
                    raise InputError(reason)
                counts[word] += 1
                if word == FAILED:
                    reasons[subject.id] = reason
                    progress.say(f"failed: {subject.id}: {reason}")
                progress.step(failed=word == FAILED)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Stopped with {progress.done - progress.failed} of {progress.total} subjects prepared; the same "
                "command goes on from there."
            ) from None


def _write_tables(out, subjects, left_out, reasons, description):
    """Write what does not say so already; the index last, since it says that all is done."""
    done = [subject for subject in subjects if subject.id not in reasons]
    by_class = {name: sum(subject.label == name for subject in done) for name in description["class_names"]}
    counts = {"arrays": len(done), "failed": len(reasons), "left_out": len(left_out), "by_class": by_class}
    failed = [[subject.id, reasons[subject.id]] for subject in subjects if subject.id in reasons]
    rows = [[f"arrays/{one.id}.npy", one.label, one.patient, one.split, one.site] for one in done]
    _update_table(out / "left_out.csv", ["id", "reason"], [[one.id, one.reason] for one in left_out])
    _update_table(out / "failed.csv", ["id", "reason"], failed)
    _update_json(out / "prepare.json", {**description, "counts": counts})
    _update_table(out / "index.csv", INDEX_COLUMNS, rows)


def _update_table(path, header, rows):
    with contextlib.suppress(InputError):
        if read_table(path) == (header, rows):
            return
    explain_failure(write_table, path, header, rows)


def _update_json(path, value):
    # Through text, so that tuples are compared as the lists that JSON makes of them.
    if not path.exists() or read_json(path) != json.loads(json.dumps(value)):
        explain_failure(write_json, path, value)
