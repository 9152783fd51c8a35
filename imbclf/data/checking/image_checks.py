"""What is wrong with the images that were opened."""

from collections import Counter

import numpy as np

from imbclf.data.checking.finding import Finding, named
from imbclf.data.checking.outliers import comparable_groups, robust_scores

# A share of 0.9 of one kind makes the others exceptions; with less, there is no one kind.
_COMMON = 0.9
# Of 8,214 fundus photographs, X-rays and adrenal shapes, 7 lie beyond in mean or standard deviation.
FAR = 6.0
# Sizes that differ by less than 5 % count as equal, so that a score of 6 is a factor of 1.35.
_SIZE_FLOOR = 0.05
# Smallest deviation that counts as one: of values in [0, 1], and of logarithms of others.
_FLOORS = {True: 0.01, False: 0.05}
_KINDS_OF_COLOUR = {1: "1 channel (grey)", 3: "3 channels (colour)"}


def unreadable_images(table):
    """Files that cannot be read."""
    for position, reason in sorted(table.unreadable.items()):
        yield Finding.about(
            [table.rows[position]], "error", "unreadable image", f"{table.rows[position].where}: {reason}"
        )


def unusable_values(table):
    """NaN and infinity in arrays."""
    for row, look in _looks(table):
        if look.unusable:
            values = int(np.prod(look.space)) * look.channels
            message = f"{named(row)} has {look.unusable} values of {values} that are NaN or infinite."
            yield Finding.about([row], "error", "NaN or infinity", message)


def constant_images(table):
    """Images, or channels of images, in which all values are the same."""
    for row, look in _looks(table):
        if len(look.flat_channels) == look.channels:
            message = f"{named(row)} shows nothing: all its values are {look.lowest:g}."
            if look.highest > look.lowest:
                message = f"{named(row)} shows nothing: each of its channels has one value everywhere."
            yield Finding.about([row], "error", "constant image", message)
        elif look.flat_channels:
            numbers = ", ".join(map(str, look.flat_channels))
            message = f"{named(row)} shows nothing in channel {numbers} (of {look.channels}, counted from 0)."
            yield Finding.about([row], "warning", "constant channel", message)


def masks(table):
    """Masks that cannot be read, do not lie on their image, or hold background only."""
    for row, look in _looks(table):
        if look.mask_problem:
            yield Finding.about([row], "error", "unusable mask", f"{row.where}: {look.mask_problem}")
        elif look.mask_labels == (0,):
            yield Finding.about(
                [row], "warning", "empty mask", f"The mask {row.mask} of {named(row)} is all background."
            )


def channels(table):
    """Images with another number of channels than most."""
    yield from _exceptions(
        table,
        "other channels",
        lambda look: look.channels,
        lambda count: _KINDS_OF_COLOUR.get(count, f"{count} channels"),
    )


def shapes(table):
    """Images of another size than most, or than is usual."""
    yield from _exceptions(table, "other shape", lambda look: look.space, _times, "shape outlier")


def spacings(table):
    """Volumes with another voxel size than most, or than is usual."""
    yield from _exceptions(
        table,
        "other spacing",
        lambda look: None if look.spacing is None else tuple(float(f"{size:.3g}") for size in look.spacing),
        lambda sizes: f"voxels of {_times(sizes)} mm",
        "spacing outlier",
    )


def intensities(table):
    """Images that are much brighter, darker, flatter or harsher than the others of their site."""
    found = _looks(table, lambda look: len(look.flat_channels) < look.channels and not look.unusable)
    if not found:
        return
    rows, looks = zip(*found)
    measures = {
        "mean": np.array([look.mean for look in looks]),
        "standard deviation": np.array([look.spread for look in looks]),
    }
    # Numbers without a scale of their own, as MRI has, are compared by their ratio.
    is_scaled = all(look.lowest >= 0 and look.highest <= 1 for look in looks)
    compared = {
        measure: values if is_scaled or values.min() <= 0 else np.log(values) for measure, values in measures.items()
    }
    far = []
    for called, judged, by in comparable_groups([row.site for row in rows]):
        scores = {measure: robust_scores(values[by], _FLOORS[is_scaled]) for measure, values in compared.items()}
        for position in judged.tolist():
            place = np.searchsorted(by, position)
            measure = max(scores, key=lambda measure: abs(scores[measure][place]))
            score = abs(scores[measure][place])
            if score >= FAR:
                message = (
                    f"{named(rows[position])} has {measure} {measures[measure][position]:.3g}; the median of {called} "
                    f"is {np.median(measures[measure][by]):.3g} ({score:.0f} robust standard deviations away)."
                )
                far.append((score, Finding.about([rows[position]], "warning", "intensity outlier", message)))
    yield from (finding for _, finding in sorted(far, key=lambda scored: -scored[0]))


def value_ranges(table):
    """Prepared arrays with values outside [0, 1], which training expects."""
    for row, look in _looks(table):
        if row.path.lower().endswith(".npy") and not (look.lowest >= 0 and look.highest <= 1):
            message = f"{named(row)} has values from {look.lowest:.3g} to {look.highest:.3g}, but [0, 1] is expected."
            yield Finding.about([row], "error", "values outside [0, 1]", message)


def _looks(table, is_wanted=lambda look: True):
    return [(table.rows[position], look) for position, look in sorted(table.looks.items()) if is_wanted(look)]


def _exceptions(table, kind, value_of, written, outlier=None):
    """Images that differ from what nine tenths have in common; without such a majority, those far from the median."""
    found = [(row, value_of(look)) for row, look in _looks(table) if value_of(look) is not None]
    if not found:
        return
    counts = Counter(value for _, value in found)
    common, count = counts.most_common(1)[0]
    if count == len(found):
        return
    if count >= _COMMON * len(found) or outlier is None:
        for row, value in found:
            if value != common:
                message = (
                    f"{named(row)} has {written(value)}, but {count} of {len(found)} images have {written(common)}."
                )
                yield Finding.about([row], "warning", kind, message)
        return
    ranks = {len(value) for _, value in found}
    if len(ranks) > 1:
        yield Finding("error", kind, f"Some images have {min(ranks)} spatial axes and some {max(ranks)}.")
        return
    sizes = np.array([value for _, value in found], float)
    rows = [row for row, _ in found]
    low, high, median = sizes.min(axis=0), sizes.max(axis=0), np.median(sizes, axis=0)
    yield Finding(
        "note", kind, f"{len(counts)} different: from {written(low)} to {written(high)}, median {written(median)}."
    )
    for called, judged, by in comparable_groups([row.site for row in rows]):
        scores = np.stack([robust_scores(np.log(axis[by]), _SIZE_FLOOR) for axis in sizes.T], axis=1)
        far = np.abs(scores).max(axis=1) >= FAR
        for position in judged[far[np.searchsorted(by, judged)]].tolist():
            message = (
                f"{named(rows[position])} has {written(sizes[position])}; the median of {called} is "
                f"{written(np.median(sizes[by], axis=0))}."
            )
            yield Finding.about([rows[position]], "warning", outlier, message)


def _times(sizes):
    return " x ".join(f"{size:g}" for size in sizes)
