"""What is wrong with the rows of an index, before any image is opened."""

from collections import defaultdict

import numpy as np

from imbclf.data.checking.counts import NO_SPLIT, class_counts, site_groups, split_groups
from imbclf.data.checking.finding import Finding, listed, named
from imbclf.data.index import order_by_class_number
from imbclf.data.spellings import MOST_WORDS, near_words, same_words
from imbclf.errors import InputError

_KINDS = {"path": "unusable path", "mask": "unusable path", "label": "missing label", "split": "unknown split"}


def unusable_cells(table):
    """Rows without path or label, absolute paths and `..`, unknown split words, misspelt columns."""
    for problem in table.problems:
        kind = "misspelt column" if problem.where == "the header" else _KINDS[problem.column]
        files = (problem.path,) if problem.path else ()
        yield Finding("error", kind, problem.message, (problem.where,), files)


def repeated_paths(table):
    """One image in two rows."""
    for path, positions in table.positions_by("path").items():
        if len(positions) > 1:
            rows = [table.rows[position] for position in positions]
            splits = sorted({row.split for row in rows if row.split})
            where = listed(row.where for row in rows)
            message = f"{path} is listed {len(rows)} times ({where})"
            message += f", in {' and in '.join(splits)}: keep one." if len(splits) > 1 else ": keep one."
            yield Finding.about(rows, "error", "path listed twice", message, leaks=len(splits) > 1)


def missing_files(table):
    """Paths without a file."""
    for position in np.flatnonzero(table.sizes == -1):
        row = table.rows[position]
        message = f"{named(row)} is not in {table.root}."
        yield Finding.about([row], "error", "missing file", message)
    if table.has_masks:
        for row in table.rows:
            if row.mask and not (table.root / row.mask).is_file():
                message = f"The mask {row.mask} of {named(row)} is not in {table.root}."
                yield Finding.about([row], "error", "missing file", message)


def label_spellings(table):
    """Labels that look like one class."""
    yield from _spellings(table, "label", "labels", "class")


def site_spellings(table):
    """Sites that look like one site."""
    yield from _spellings(table, "site", "sites", "site")


def _spellings(table, column, plural, thing):
    positions = {} if table.has_masks and column == "label" else table.positions_by(column)
    if len(positions) > MOST_WORDS:
        message = f"There are {len(positions)} different {plural}: is {column!r} the right column?"
        yield Finding("warning", f"many {plural}", message)
        return
    for severity, kind, groups in (
        ("error", f"{thing} in two spellings", same_words(positions)),
        ("warning", f"{thing} misspelt?", near_words(positions)),
    ):
        for words in groups:
            # The commonest spelling is the likeliest to be meant.
            words = sorted(words, key=lambda word: -len(positions[word]))
            rare = [table.rows[position] for word in words[1:] for position in positions[word]]
            counted = " and ".join(f"{word!r} ({_images(len(positions[word]))})" for word in words)
            looks = "are" if severity == "error" else "may be"
            message = f"{counted} {looks} one {thing} in {len(words)} spellings: see {listed(map(named, rare), 3)}."
            yield Finding.about(rare, severity, kind, message)


def class_numbers(table):
    """A Class with two Class_Int, or the reverse."""
    try:
        order_by_class_number([row for row in table.rows if row.label])
    except InputError as error:
        yield Finding("error", "class number", str(error))


def classes_missing(table):
    """Classes without an image in a split, or at a site."""
    if table.has_masks and len(table.looks) < len(table.rows):
        return
    for kind, groups in (("split", split_groups(table)), ("site", site_groups(table))):
        for name, counted in class_counts(table, groups).items():
            missing = [label for label, count in zip(table.class_names, counted.counts) if count == 0]
            if missing and name != NO_SPLIT:
                place = f"The split {name}" if kind == "split" else f"The site {name}"
                message = f"{place} ({_images(len(groups[name]))}) has none of class {listed(missing)}."
                yield Finding("warning", f"class missing from a {kind}", message)


def rows_without_split(table):
    """Rows without a split beside rows with one."""
    rest = split_groups(table).get(NO_SPLIT, [])
    # An unknown word was found already, with the words that are known.
    unknown = {problem.where for problem in table.problems if problem.column == "split"}
    rows = [table.rows[position] for position in rest if table.rows[position].where not in unknown]
    if rows:
        message = f"{_images(len(rows))} of {len(table.rows)} have no split: {listed(map(named, rows), 3)}."
        yield Finding.about(rows, "warning", "row without split", message)


def rows_without_patient(table):
    """Rows without a patient beside rows with one."""
    rows = [row for row in table.rows if not row.patient]
    if 0 < len(rows) < len(table.rows):
        message = f"{_images(len(rows))} of {len(table.rows)} name no patient: {listed(map(named, rows), 3)}."
        yield Finding.about(rows, "warning", "row without patient", message)


def patients_with_two_labels(table):
    """Patients whose images have several classes: right for two eyes, wrong for one tumour."""
    if table.has_masks:
        return
    for patient, positions in table.positions_by("patient").items():
        first_of = table.firsts("label", positions)
        if len(first_of) > 1:
            said = " and ".join(f"{label} in {named(row)}" for label, row in first_of.items())
            message = f"Patient {patient} is {said}: right for two eyes, wrong for one disease."
            yield Finding.about(first_of.values(), "warning", "patient with two labels", message)


def patients_in_two_spellings(table):
    """Patients that differ in case or spaces only, which would not be kept together."""
    spellings = defaultdict(set)
    positions = table.positions_by("patient")
    for patient in positions:
        spellings["".join(patient.split()).casefold()].add(patient)
    for words in spellings.values():
        if len(words) > 1:
            rows = [table.rows[positions[word][0]] for word in sorted(words)]
            where = " and ".join(f"{row.patient!r} in {named(row)}" for row in rows)
            yield Finding.about(rows, "warning", "patient in two spellings", f"One patient may be written as {where}.")


def _images(count):
    return "1 image" if count == 1 else f"{count} images"
