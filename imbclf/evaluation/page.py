"""What the reports of all kinds of runs share: what they read, how figures enter, how the page is written."""

import base64
import math
import shlex
from pathlib import Path

import jinja2
import numpy as np

from imbclf.drawing import render
from imbclf.errors import InputError
from imbclf.evaluation.evaluate import file_hash
from imbclf.evaluation.run_files import require
from imbclf.files import read_json, read_table, write_bytes, write_text

READ = ("training.json", "history.csv", "environment.json", "config.yaml", "metrics.json")


def read_run(run_dir, scored, training_keys):
    """What a report says of a run whatever its task, and that its scores belong to what stands beside them.

    Args:
        run_dir: folder of a run that was evaluated.
        scored: name of the file that was scored, such as "predictions.csv"; its hash in `metrics.json` must be right.
        training_keys: keys that `training.json` must have.

    Returns:
        {"training", "environment", "metrics": JSON; "command", "config": text; "run_dir": str}.

    Raises:
        InputError: a file is missing (the message names the command that makes it) or damaged, or the scores are those
            of another file.
    """
    paths = {name: require(run_dir, name) for name in (*READ[:1], scored, *READ[1:])}
    training, environment, metrics = (
        read_json(paths[f"{name}.json"]) for name in ("training", "environment", "metrics")
    )
    missing = [key for key in training_keys if key not in training]
    if missing:
        raise InputError(f"{paths['training.json']} lacks the key {', '.join(missing)}; train again.")
    what = Path(scored).stem
    if metrics.get(f"{what}_sha256") != file_hash(paths[scored]):
        raise InputError(
            f"{paths['metrics.json']} was computed from other {what} than {paths[scored]}; "
            f"run `imbclf report {run_dir}` again."
        )
    command = environment.get("command", "")
    return {
        "training": training,
        "environment": environment,
        "metrics": metrics,
        "command": command if isinstance(command, str) else shlex.join(command),
        "config": paths["config.yaml"].read_text(encoding="utf-8"),
        "run_dir": str(run_dir),
    }


def read_history(run_dir):
    """`history.csv` of a run folder as {column: float values}, NaN where a cell is empty or not a number."""
    path = require(run_dir, "history.csv")
    header, rows = read_table(path)
    if "epoch" not in header or not rows:
        raise InputError(f"{path} should have a column epoch and at least one row, got columns {', '.join(header)}.")
    return {name: np.array([_float(row[i]) for row in rows]) for i, name in enumerate(header)}


def save_figures(run_dir, drawn, as_pixels=()):
    """Write each figure to `figures/NAME.png` and return {name: data URI}, of an SVG unless named in `as_pixels`."""
    addresses = {}
    for name, figure in drawn.items():
        picture = render(figure, "png")
        write_bytes(Path(run_dir) / "figures" / f"{name}.png", picture)
        # Thousands of points are lighter as pixels; lines and text are lighter, and sharper, as SVG.
        addresses[name] = data_uri(picture) if name in as_pixels else data_uri(render(figure, "svg"), "svg+xml")
    return addresses


def data_uri(picture, kind="png"):
    """A picture as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"


def write_page(run_dir, template, content):
    """Fill a template of this folder and write `report.html`; returns its path."""
    # The figures are the only part that is not escaped, and they enter as base64.
    loader = jinja2.PackageLoader("imbclf.evaluation", ".")
    templates = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return write_text(Path(run_dir) / "report.html", templates.get_template(template).render(content))


def _float(cell):
    try:
        return float(cell)
    except ValueError:
        return math.nan
