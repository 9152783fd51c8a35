"""Everything that is wrong with a data set, before anything is trained on it."""

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from imbclf.data.checking import image_checks, leakage_checks, row_checks
from imbclf.data.checking.counts import NO_SPLIT, class_counts, site_groups, split_groups
from imbclf.data.checking.finding import SEVERITIES
from imbclf.data.checking.report import CheckReport
from imbclf.data.checking.table import open_table
from imbclf.errors import InputError, whole
from imbclf.files import write_bytes
from imbclf.progress import Progress

SAMPLE = 500
CHECKS = (
    leakage_checks.patients_across_splits,
    leakage_checks.identical_images,
    leakage_checks.similar_images,
    row_checks.unusable_cells,
    row_checks.missing_files,
    row_checks.repeated_paths,
    row_checks.label_spellings,
    row_checks.site_spellings,
    row_checks.class_numbers,
    row_checks.classes_missing,
    row_checks.rows_without_split,
    row_checks.rows_without_patient,
    row_checks.patients_with_two_labels,
    row_checks.patients_in_two_spellings,
    image_checks.unreadable_images,
    image_checks.unusable_values,
    image_checks.constant_images,
    image_checks.masks,
    image_checks.value_ranges,
    image_checks.channels,
    image_checks.shapes,
    image_checks.spacings,
    image_checks.intensities,
)


def check_index(index, root=None, sample=SAMPLE, full=False, seed=0, workers=1, figure=None, stream=None):
    """Look for everything that is wrong with a data set, and say it all at once.

    Rows, file sizes and files with equal bytes are checked for the whole index. Images are opened for the rest:
    `sample` of them, in turn from every combination of split, class and site, or all of them.

    Args:
        index: CSV index (`path,label` or `path,mask`, with `patient,split,site`), the published glaucoma lists, a
            mapping such as `{"train": "train.csv", "test": "test.csv"}`, a folder per class, or a MedMNIST `.npz`.
            Images are PNG, JPEG, NIfTI, or prepared `.npy`.
        root: Folder that the paths start from; the folder of the (first) index without it.
        sample: Number of images to open.
        full: Open all images.
        seed: Chooses the sample.
        workers: Images that are opened at the same time, in threads.
        figure: Where to save the class distribution, `.png` or `.svg`.
        stream: Where to say how many images were opened, or None.

    Returns:
        A `CheckReport`; its `exit_status` is 1 on leakage.

    Raises:
        InputError: An index that cannot be read at all, or an option that makes no sense.

    Example:

    >>> import tempfile, pathlib, numpy as np
    >>> from PIL import Image
    >>> folder = tempfile.TemporaryDirectory()
    >>> for name in "ab":
    ...     Image.fromarray(np.eye(16, dtype="uint8") * 200).save(f"{folder.name}/{name}.png")
    >>> index = pathlib.Path(folder.name, "index.csv")
    >>> _ = index.write_text("path,label,split\\na.png,ill,train\\nb.png,ill,test\\n")
    >>> report = check_index(index)
    >>> print(report.findings[0].message)
    2 images are identical: a.png (row 2) in train, b.png (row 3) in test: keep one, or put them into one split.
    >>> report.exit_status
    1
    >>> folder.cleanup()
    """
    sample, workers = whole(sample, "sample", least=0), whole(workers, "workers", least=1)
    if figure is not None and not str(figure).lower().endswith((".png", ".svg")):
        raise InputError(f"The figure is a .png or an .svg file, not {figure}.")
    times = [perf_counter()]
    table = open_table(index, root)
    chosen = _chosen(table, len(table.rows) if full else sample, seed)
    times.append(perf_counter())
    _look_at(table, chosen, workers, stream)
    times.append(perf_counter())
    findings = [finding for check in CHECKS for finding in check(table)]
    times.append(perf_counter())
    report = CheckReport(
        source=table.source,
        images=len(table.rows),
        opened=len(chosen),
        opened_note=_note(table, chosen),
        class_names=table.class_names,
        counted="masks" if table.has_masks else "images",
        splits=class_counts(table, split_groups(table) or {NO_SPLIT: range(len(table.rows))}),
        sites=class_counts(table, site_groups(table)),
        # Sorting keeps the order of the checks within a severity.
        findings=tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))),
        seconds=dict(zip(("rows", "images", "checks"), np.diff(times).tolist())),
    )
    if figure is not None:
        # matplotlib takes longer to import than an index to check.
        from imbclf.data.checking.figure import class_distribution
        from imbclf.drawing import render

        drawn = class_distribution(report.class_names, report.splits, report.sites, report.counted)
        write_bytes(figure, render(drawn, str(figure).lower()[-3:], dpi=150))
    return report


def _chosen(table, count, seed):
    """Positions to open: at random, in turn from every combination of split, class and site; ascending."""
    existing = np.flatnonzero(table.sizes >= 0)
    if count >= len(existing):
        return existing.tolist()
    shuffled = np.random.default_rng(seed).permutation(existing)
    taken, turns = {}, []
    for position in shuffled.tolist():
        row = table.rows[position]
        group = row.split, row.label, row.site
        turns.append(taken.setdefault(group, 0))
        taken[group] += 1
    return sorted(shuffled[np.argsort(turns, kind="stable")[:count]].tolist())


def _look_at(table, chosen, workers, stream):
    progress = None if stream is None else Progress(len(chosen), "images opened", stream)
    with ThreadPoolExecutor(workers) as threads:
        for _ in threads.map(table.look_at, chosen):
            if progress is not None:
                progress.step()


def _note(table, chosen):
    total = len(table.rows)
    if len(chosen) == total:
        return f"All {total:,d} images were opened."
    if len(chosen) == np.count_nonzero(table.sizes >= 0):
        return f"All {len(chosen):,d} images that exist were opened, of {total:,d} rows."
    if not chosen:
        return f"No image was opened, of {total:,d}. Files with equal bytes were looked for among all of them."
    return (
        f"{len(chosen):,d} of {total:,d} images were opened, in turn from every split, class and site. Files with "
        "equal bytes were looked for among all of them; what needs the pixels, such as images that look alike, among "
        "the opened ones only: open all (full) before you rely on the split."
    )
