"""The files of a run folder: which command makes each of them."""

from pathlib import Path

from imbclf.errors import InputError

MADE_BY = {
    "predictions.csv": "imbclf evaluate {run}",
    "floors.csv": "imbclf evaluate {run}",
    "cases.csv": "imbclf evaluate {run}",
    "history.csv": "imbclf train CONFIG",
    "training.json": "imbclf train CONFIG",
    "environment.json": "imbclf train CONFIG",
    "config.yaml": "imbclf train CONFIG",
    "metrics.json": "imbclf report {run}",
    "features.npz": "imbclf evaluate {run}",
}


def require(run_dir, name):
    """Path of a file of the run folder.

    Raises:
        InputError: the folder or the file is missing; the message names the command that makes it.
    """
    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        raise InputError(
            f"Expected the folder of a finished run, but {run_dir} is not a folder; give the one that training wrote."
        )
    path = run_dir / name
    if not path.is_file():
        command = MADE_BY[name].format(run=run_dir)
        raise InputError(f"{path} is missing; `{command}` writes it.")
    return path
