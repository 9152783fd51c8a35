"""Four remedies on three real data sets, several seeds each, beside the majority row and PCA + logistic regression.

    python benchmarks/medmnist.py --data /path/to/medmnist

trains what is not trained yet by the commands it prints, then prints a Markdown table of the test split: mean and
standard deviation over seeds. The floors are fitted once per run, with the seed of the run.
"""

import argparse
from pathlib import Path

from grid import mean_and_deviation, train_grid

from imbclf.files import read_json

CONFIGS = ("retinamnist", "pneumonia_9to1", "adrenalmnist3d")
ARMS = {
    "CE, uniform": ["loss=CrossEntropy", "sampling.batches=uniform"],
    "CE, balanced": ["loss=CrossEntropy", "sampling.batches=balanced"],
    "CE + F1, balanced": ["loss=CEPlusF1", "sampling.batches=balanced"],
    "CE + MCC, uniform": ["loss=CEPlusMCC", "sampling.batches=uniform"],
}
SCORES = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "mcc": "MCC",
    "macro_auc": "macro AUC",
    "accuracy": "accuracy",
}
FLOORS = {"majority": "majority class", "pca_logistic": "PCA + balanced logistic"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the MedMNIST .npz files")
    parser.add_argument("--runs", type=Path, default=Path("runs/medmnist"), help="where the run folders go")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--configs", nargs="+", choices=CONFIGS, default=CONFIGS)
    parser.add_argument("--only-table", action="store_true", help="train nothing; tabulate what is there")
    options = parser.parse_args()
    for config in options.configs:
        common = [f"configs/{config}.yaml", f"data.root={options.data}"]
        runs = train_grid(ARMS, options.seeds, options.runs / config, common, options.only_table)
        if runs:
            print(table(config, runs), flush=True)


def table(config, runs):
    """The Markdown table of one data set."""
    count = max(len(folders) for folders in runs.values())
    lines = [f"| {config}, {count} seeds | " + " | ".join(SCORES.values()) + " |", "|---" * (len(SCORES) + 1) + "|"]
    every = [read_json(folder / "metrics.json") for folders in runs.values() for folder in folders]
    for floor, label in FLOORS.items():
        lines.append(row(label, [metrics["floors"][floor] for metrics in every]))
    for arm, folders in runs.items():
        lines.append(row(arm, [read_json(folder / "metrics.json")["splits"]["test"] for folder in folders]))
    return "\n".join(lines) + "\n"


def row(label, results):
    """One row: mean and standard deviation of each score."""
    cells = [mean_and_deviation([result["scores"][key]["value"] for result in results]) for key in SCORES]
    return f"| {label} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
