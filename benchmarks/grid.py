"""What the benchmarks share: run every arm with every seed once, by the command a user would type."""

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np


def train_grid(arms, seeds, folder, overrides, only_table=False):
    """Train what is not trained yet, and say where it is.

    Args:
        arms: {label: overrides of the configuration}.
        seeds: seeds of every arm.
        folder: where the run folders go.
        overrides: the configuration and the overrides that all arms have.
        only_table: train nothing.

    Returns:
        {label: run folders that are finished}.
    """
    runs = {}
    # Seeds outermost: a benchmark broken off has every arm for the seeds it has.
    for seed in seeds:
        for label, of_arm in arms.items():
            run = Path(folder) / f"{label.lower().replace(' ', '').replace(',', '-')}-{seed}"
            command = ["imbclf", "train", *overrides, *of_arm, f"seed={seed}", f"output={run}"]
            if not (run / "report.html").is_file() and not only_table:
                print(shlex.join(command), file=sys.stderr, flush=True)
                subprocess.run([Path(sys.executable).parent / command[0], *command[1:], "--overwrite"], check=True)
            if (run / "report.html").is_file():
                runs.setdefault(label, []).append(run)
    return runs


def mean_and_deviation(values, digits=3):
    """`mean ± standard deviation` over seeds; the deviation of one seed is unknown."""
    values = np.array(values, dtype=float)
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
