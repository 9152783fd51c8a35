"""One thing that a check has found."""

from dataclasses import dataclass

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """What is wrong, how badly, and where.

    Args:
        severity: `"error"` where training would refuse or mislead, `"warning"` for what a person should look at,
            `"note"` for what is only to be known.
        check: Short name of the kind of finding, such as `"missing file"`.
        message: One sentence or two for the user.
        rows: Rows of the index that it is about, such as `"row 12"`.
        files: Images that it is about, as the index names them.
        leaks: Whether it lets test images be known in training.
    """

    severity: str
    check: str
    message: str
    rows: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    leaks: bool = False

    @classmethod
    def about(cls, rows, severity, check, message, leaks=False):
        """A finding about some `IndexRow`s."""
        return cls(severity, check, message, tuple(row.where for row in rows), tuple(row.path for row in rows), leaks)


def named(row):
    """An image and its row, for a sentence: `a.png (row 2)`."""
    return f"{row.path} ({row.where})" if row.path and row.where != row.path else row.path or row.where


def listed(names, most=5):
    """Names with commas between them, the first few of many.

    Example:

    >>> listed(["east", "west"]), listed("abcdefg", most=3)
    ('east, west', 'a, b, c and 4 more')
    """
    names = list(names)
    shown = ", ".join(map(str, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
