"""What a check has found, as a table for people and as JSON for programs."""

import textwrap
from dataclasses import asdict, dataclass

from imbclf.data.checking.counts import ClassCounts
from imbclf.data.checking.finding import SEVERITIES, Finding
from imbclf.files import write_json

WIDTH = 110
LEAKAGE = 1


@dataclass(frozen=True, eq=False)
class CheckReport:
    """Everything that `check_index` found.

    Args:
        source: Name of the index.
        images: Number of rows.
        opened: Number of images that were opened.
        opened_note: Sentence that says what was opened, and what this can and cannot tell.
        class_names: The K classes.
        counted: What has the classes, `"images"` or `"masks"`.
        splits: {split: `ClassCounts`}.
        sites: {site: `ClassCounts`}; empty where the index names none.
        findings: What was found, errors first.
        seconds: {stage: seconds}: `"rows"`, `"images"`, `"checks"`.
    """

    source: str
    images: int
    opened: int
    opened_note: str
    class_names: tuple[str, ...]
    counted: str
    splits: dict[str, ClassCounts]
    sites: dict[str, ClassCounts]
    findings: tuple[Finding, ...]
    seconds: dict[str, float]

    @property
    def leaks(self):
        """Whether anything stands on both sides of a split."""
        return any(finding.leaks for finding in self.findings)

    @property
    def exit_status(self):
        """1 on leakage, else 0."""
        return LEAKAGE if self.leaks else 0

    def count(self, severity):
        """Number of findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def text(self, most=5):
        """The report to print: counts, what was opened, findings by kind.

        Args:
            most: Findings of one kind that are printed; the number of the others is said.
        """
        parts = [f"{self.source}: {_number(self.images, 'image')}, {_number(len(self.class_names), 'class')}"]
        if self.class_names:
            parts.append(_table(self.class_names, self.splits, "split", self.counted))
            if self.sites:
                parts.append(_table(self.class_names, self.sites, "site", self.counted))
        parts.append(_wrapped(self.opened_note))
        kinds = dict.fromkeys((finding.severity, finding.check) for finding in self.findings)
        for severity, check in kinds:
            parts.append(self._kind(severity, check, most))
        counts = [_number(self.count(severity), severity) for severity in SEVERITIES]
        verdict = "leakage: do not train on these splits" if self.leaks else "no leakage found"
        parts.append(f"{', '.join(counts)}; {verdict}.")
        return "\n\n".join(parts)

    def _kind(self, severity, check, most):
        findings = [finding for finding in self.findings if (finding.severity, finding.check) == (severity, check)]
        count = f" ({len(findings):,d})" if len(findings) > 1 else ""
        lines = [f"{severity.upper()}  {check}{count}"]
        lines += [_wrapped(finding.message, "    ", "  - ") for finding in findings[:most]]
        if len(findings) > most:
            lines.append(f"  - and {len(findings) - most:,d} more of this kind")
        return "\n".join(lines)

    def to_dict(self):
        """Everything as numbers, strings, lists and dicts."""
        return {
            "index": self.source,
            "images": self.images,
            "opened": self.opened,
            "opened_note": self.opened_note,
            "class_names": list(self.class_names),
            "counted": self.counted,
            "counts": {
                "split": _as_lists(self.splits),
                "site": _as_lists(self.sites),
            },
            "leakage": self.leaks,
            "exit_status": self.exit_status,
            "severities": {severity: self.count(severity) for severity in SEVERITIES},
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "findings": [asdict(finding) for finding in self.findings],
        }

    def write(self, path):
        """Write `to_dict` as JSON; returns the path."""
        return write_json(path, self.to_dict())


def _table(class_names, groups, head, counted):
    """Counts as columns of text, one line per group; one per class where the lines would be too long."""
    images = sum(group.images for group in groups.values())
    total = sum(group.counts for group in groups.values())
    cells = [[head, *class_names, f"all {counted}"]]
    cells += [[name, *map(_count, group.counts), _count(group.images)] for name, group in groups.items()]
    if len(groups) > 1:
        cells += [["all", *map(_count, total), _count(images)]]
    cells += [["share", *(f"{100 * count / max(images, 1):.1f} %" for count in total), ""]]
    if sum(max(map(len, column)) + 2 for column in zip(*cells)) > WIDTH:
        cells = [list(column) for column in zip(*cells)]
        cells[0][0] = "class"
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [
        [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))] for row in cells
    ]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _as_lists(groups):
    return {name: {"images": group.images, "counts": group.counts.tolist()} for name, group in groups.items()}


def _count(count):
    return f"{count:,d}" if count else "none"


def _wrapped(text, indent="", first=""):
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def _number(count, noun):
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,d} {noun}{ending}"
