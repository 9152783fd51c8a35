"""What must hold of subjects before they are prepared: copies on one side, every class on every side."""

from collections import defaultdict

from imbclf.data.fingerprints import file_fingerprints
from imbclf.data.preparation.subject import LeftOut
from imbclf.errors import InputError

CONFLICTS = ("refuse", "leave_out")
MOST_PROTECTED_FIRST = ("test", "val", "train", "")


def image_fingerprints(subjects):
    """For the id of each subject a word: equal words mean that the files `"image"` are the same byte for byte."""
    words = file_fingerprints([subject.files["image"] for subject in subjects])
    return {subject.id: word for subject, word in zip(subjects, words)}


def settle_copies(subjects, fingerprints, conflicts="refuse"):
    """Settle where images that are the same byte for byte contradict each other.

    Copies of one class on one side stay. Copies of two classes are an error, or all of them are left out. Where an
    archive puts copies on two sides, those that are not in the most protected split (test before val before train) are
    left out, so that the published test set stays as it is.

    Args:
        subjects: `Subject`s with a file `"image"`.
        fingerprints: Their `image_fingerprints`.
        conflicts: What becomes of an image that stands in two classes: `"refuse"` or `"leave_out"`.

    Returns:
        The subjects that stay and the `LeftOut`, both in the order of the subjects.

    Raises:
        InputError: Copies in two classes, unless `conflicts` is `"leave_out"`.
    """
    if conflicts not in CONFLICTS:
        raise InputError(f"conflicts must be {' or '.join(CONFLICTS)}, not {conflicts!r}.")
    groups = defaultdict(list)
    for subject in subjects:
        groups[fingerprints[subject.id]].append(subject)
    in_two_classes = [group for group in groups.values() if len(_labels(group)) > 1]
    if in_two_classes and conflicts == "refuse":
        first = in_two_classes[0][0]
        second = next(subject for subject in in_two_classes[0] if subject.label != first.label)
        raise InputError(
            f"The image {first.files['image']} of class {first.label} is identical to {second.files['image']} of class "
            f"{second.label}, one of {len(in_two_classes)} images in two classes: remove the wrong one, or set "
            "conflicts to leave_out."
        )
    reason_of = {}
    for group in groups.values():
        reason_of |= _reasons_to_leave_out(group)
    return (
        [subject for subject in subjects if subject.id not in reason_of],
        [LeftOut(subject.id, reason_of[subject.id]) for subject in subjects if subject.id in reason_of],
    )


def _labels(group):
    return sorted({subject.label for subject in group})


def _reasons_to_leave_out(group):
    """Reason by id, for those copies of one image that cannot stay."""
    if len(labels := _labels(group)) > 1:
        return {subject.id: f"the same image is in the classes {' and '.join(labels)}" for subject in group}
    keeper = min(group, key=lambda subject: MOST_PROTECTED_FIRST.index(subject.split))
    reason = f"identical to {keeper.id}, which is in {keeper.split}"
    return {subject.id: reason for subject in group if subject.split not in ("", keeper.split)}


def check_every_class(subjects, class_names, source):
    """Raise `InputError` if a class has no subject in a split that occurs among the subjects."""
    for split in sorted({subject.split for subject in subjects}):
        counts = dict.fromkeys(class_names, 0)
        for subject in subjects:
            counts[subject.label] += subject.split == split
        for name, count in counts.items():
            if count == 0:
                numbers = ", ".join(f"{other} {number}" for other, number in counts.items())
                raise InputError(
                    f"In {source} the class {name} has no image in {split or 'the unassigned part'} ({numbers}): add "
                    "images of it, or give the splits yourself."
                )
