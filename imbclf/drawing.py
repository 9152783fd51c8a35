"""The look of every figure: one colour per class everywhere, and how a figure becomes a file."""

import io
import textwrap

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito (2008), told apart with every common colour blindness; their yellow is too pale for lines on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
SETTINGS = {
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "font.size": 10.5,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "imbclf",
}


# Decorates the functions that draw, so that the settings hold for their axes and for no other figure of the process.
styled = matplotlib.rc_context(SETTINGS)


def class_style(k):
    """Colour, line and marker of class `k`; colours repeat after 7 classes with another line and marker.

    Example:

    >>> class_style(0)["color"] == class_style(7)["color"], class_style(0)["linestyle"] == class_style(7)["linestyle"]
    (True, False)
    """
    turn = k // len(PALETTE)
    return {
        "color": PALETTE[k % len(PALETTE)],
        "linestyle": LINES[turn % len(LINES)],
        "marker": MARKERS[turn % len(MARKERS)],
    }


def short_names(names, width=20):
    """Class names cut to `width` characters, numbered where the cut would make two of them the same.

    Example:

    >>> short_names(["astrocytoma", "oligodendroglioma, IDH-mutant"], width=16)
    ['astrocytoma', 'oligodendroglio…']
    >>> short_names(["grade of the tumour: 2", "grade of the tumour: 3"], width=16)
    ['0 grade of the tu…', '1 grade of the tu…']
    """
    cut = [name if len(name) <= width else name[: width - 1].rstrip(" ,") + "…" for name in names]
    return cut if len(set(cut)) == len(set(names)) else [f"{k} {name}" for k, name in enumerate(cut)]


def wrapped(text, width):
    """Text broken into lines of at most `width` characters."""
    return "\n".join(textwrap.wrap(text, width))


def blank_figure(width, height):
    """A white figure of `width` by `height` inches without axes, and without pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def new_figure(width, height, panels=1, stacked=False, **options):
    """A `blank_figure` and its axes, side by side or stacked."""
    figure = blank_figure(width, height)
    rows, columns = (panels, 1) if stacked else (1, panels)
    return figure, figure.subplots(rows, columns, squeeze=False, **options).ravel()


def grouped_bars(axis, class_names, series, written):
    """Horizontal bars, one group for each class and one bar in it for each series, with the numbers at their ends.

    Args:
        axis: matplotlib axes.
        class_names: K names.
        series: list of `(label, K values, color)`.
        written: format of the numbers, such as `"{:.0f} %"`.
    """
    height = 0.8 / len(series)
    places = np.arange(len(class_names))
    for number, (label, values, color) in enumerate(series):
        bars = axis.barh(
            places + (number - (len(series) - 1) / 2) * height, values, height * 0.92, color=color, label=label
        )
        axis.bar_label(bars, [written.format(value) for value in values], padding=3, fontsize=8.5)
    axis.set_yticks(places, short_names(class_names))
    if not axis.yaxis_inverted():
        axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.margins(x=0.15)


@styled
def render(figure, kind="svg", dpi=110):
    """The figure as bytes of an SVG or PNG file, the same bytes for the same figure."""
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type")) if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=nothing, bbox_inches="tight", pad_inches=0.08)
    return buffer.getvalue()
