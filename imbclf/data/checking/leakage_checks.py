"""What stands on both sides of a split, or would: patients, identical images, images that look the same."""

from collections import defaultdict

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imbclf.data.checking.appearance import pairs_alike
from imbclf.data.checking.finding import Finding, listed, named
from imbclf.data.fingerprints import file_fingerprints

# Words for images in 2D: mirrored along these axes; and, after rows became columns, along so many axes.
_MIRRORED = {(): "", (0,): "mirrored upside down", (1,): "mirrored left to right", (0, 1): "turned by half"}
_TURNED = ("mirrored along a diagonal", "turned by a quarter", "mirrored along a diagonal")


def patients_across_splits(table):
    """Patients in two splits."""
    for patient, positions in table.positions_by("patient").items():
        first_of = table.firsts("split", positions)
        if len(first_of) > 1:
            rows = [table.rows[position] for position in positions if table.rows[position].split]
            where = " and ".join(f"in {split} with {named(row)}" for split, row in first_of.items())
            message = f"Patient {patient} is {where}: keep each patient in one split."
            yield Finding.about(rows, "error", "patient in two splits", message, leaks=True)


def identical_images(table):
    """Images with equal bytes (all files are compared) or equal pixels (of the images that were opened)."""
    keys = [identical_files(table), {position: look.digest for position, look in table.looks.items()}]
    for positions in _linked(len(table.rows), keys):
        rows = [table.rows[position] for position in positions]
        splits = sorted({row.split for row in rows if row.split})
        labels = sorted({row.label for row in rows if row.label})
        if len({row.path for row in rows}) == 1:
            # One path in several rows was found already.
            continue
        said = f"{len(rows)} images are identical: {listed(map(_named_in_split, rows))}"
        if len(splits) > 1:
            message = f"{said}: keep one, or put them into one split."
            yield Finding.about(rows, "error", "identical images across splits", message, leaks=True)
        if len(labels) > 1:
            message = f"{said}, but their labels are {listed(labels)}."
            yield Finding.about(rows, "error", "identical images, two labels", message)
        elif len(splits) <= 1:
            yield Finding.about(rows, "warning", "identical images", f"{said}: each counts as an image of its own.")


def similar_images(table):
    """Images across splits that look the same: resized, compressed, brightened or mirrored copies, or one patient.

    Images without a split are compared with all, because they will get one. Images of one patient are not compared,
    which patients_across_splits does, nor those with equal pixels.
    """
    by_rank = defaultdict(list)
    for position, look in table.looks.items():
        if not look.unusable:
            by_rank[len(look.space)].append(position)
    for rank, positions in by_rank.items():
        yield from _similar(table, rank, np.sort(positions))


def _similar(table, rank, positions):
    splits = table.splits()[positions]
    patients = _numbers([table.rows[position].patient for position in positions])
    digests = _numbers([table.looks[position].digest for position in positions])

    def may_match(first, second):
        across = (splits[first] != splits[second]) | (splits[first] < 0)
        one_patient = (patients[first] == patients[second]) & (patients[first] >= 0)
        return across & ~one_patient & (digests[first] != digests[second])

    pairs = pairs_alike(np.stack([table.looks[position].features for position in positions]), rank, may_match)
    first, second = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    group = connected_components(coo_array((np.ones(len(pairs)), (first, second)), shape=[len(positions)] * 2))[1]
    pairs_of = defaultdict(list)
    for pair in pairs:
        pairs_of[group[pair[0]]].append(pair)
    for members in pairs_of.values():
        # The clearest pair stands for the group, one across two known splits before all others.
        one, other, correlation, symmetry = max(
            members, key=lambda pair: (min(splits[pair[0]], splits[pair[1]]) >= 0, pair[2])
        )
        leaks = bool(min(splits[one], splits[other]) >= 0)
        images = sorted({position for pair in members for position in pair[:2]})
        rows = [table.rows[positions[position]] for position in images]
        first_row, second_row = table.rows[positions[one]], table.rows[positions[other]]
        message = (
            f"{_named_in_split(first_row)} looks like {_named_in_split(second_row)}{_said_of_symmetry(*symmetry)} "
            f"(correlation {correlation:.3f})"
        )
        message += f", and {len(rows) - 2} more look like these" if len(rows) > 2 else ""
        if leaks:
            message += ": keep one, or put them into one split."
            yield Finding.about(rows, "error", "images alike across splits", message, leaks=True)
        else:
            message += ": if they show one patient, name it, so that no split parts them."
            yield Finding.about(rows, "warning", "images alike", message)


def _said_of_symmetry(order, flipped):
    """Words for what `pairs_alike` found was done to one image."""
    is_turned = order != tuple(range(len(order)))
    if len(order) == 2:
        words = _TURNED[len(flipped)] if is_turned else _MIRRORED[flipped]
        return f", {words}" if words else ""
    turned = f", its axes in the order {order}" if is_turned else ""
    mirrored = f", mirrored along axis {' and '.join(map(str, flipped))}" if flipped else ""
    return turned + mirrored


def identical_files(table):
    """A word for the file of each position, {position: word}: equal words mean equal bytes. Missing files have none."""
    if table.root is None:
        return {}
    existing = [position for position, size in enumerate(table.sizes) if size >= 0]
    return dict(zip(existing, file_fingerprints([table.root / table.rows[position].path for position in existing])))


def _linked(count, keys):
    """Groups of at least two positions that some mapping gives an equal key, each ascending."""
    first, second = [], []
    for key_of in keys:
        start = {}
        for position, key in key_of.items():
            if key is not None and start.setdefault(key, position) != position:
                first.append(start[key])
                second.append(position)
    group = connected_components(coo_array((np.ones(len(first)), (first, second)), shape=(count, count)))[1]
    members = defaultdict(list)
    for position in sorted({*first, *second}):
        members[group[position]].append(position)
    return members.values()


def _numbers(words):
    """A number for each different word, -1 for the empty one."""
    found, number = np.unique(np.array(words, dtype=str), return_inverse=True)
    return np.where(found[number] == "", -1, number)


def _named_in_split(row):
    return f"{named(row)} in {row.split}" if row.split else named(row)
