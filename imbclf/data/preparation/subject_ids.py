"""Ids of subjects, made from the paths of their images."""

import hashlib
import re
from collections import Counter
from pathlib import PurePosixPath

LONGEST = 160


def subject_ids(paths):
    """An id for each path: `normal_control/89.png` becomes `normal_control-89`.

    The suffix goes, and each character but ASCII letters, digits, `.`, `_` and `-` becomes `-`, as does a `.` at the
    start. Where two paths would get one id, even on a file system that takes `A` for `a`, a digest of its path is added
    to each of them; long ids keep their end and get a digest too.

    Args:
        paths: Relative paths with `/`, all different.

    Returns:
        The ids, all different, in the order of the paths.

    Example:

    >>> subject_ids(["left/1.jpg", "left/2.jpg"])
    ['left-1', 'left-2']
    """
    plain = [re.sub(r"^\.|[^A-Za-z0-9._-]", "-", str(PurePosixPath(path).with_suffix(""))) for path in paths]
    count = Counter(subject.lower() for subject in plain)
    return [
        subject if count[subject.lower()] == 1 and len(subject) <= LONGEST else f"{subject[-LONGEST:]}-{_digest(path)}"
        for subject, path in zip(plain, paths)
    ]


def _digest(path):
    return hashlib.blake2b(path.encode(), digest_size=4).hexdigest()
