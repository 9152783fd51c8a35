"""The losses of segmentation on the hippocampus (Medical Segmentation Decathlon, Task04), one split, several seeds.

    python benchmarks/hippocampus.py --data /path/to/Task04_Hippocampus

trains what is not trained yet by the commands it prints, the same short budget for all, and prints two Markdown tables
of the test split, mean and standard deviation over seeds: as the data are, and with the anterior part labelled in a
tenth of the training cases and ignored in the others.
"""

import argparse
from pathlib import Path

from grid import mean_and_deviation, train_grid

from imbclf.files import read_json

LOSSES = {
    "CE": "CrossEntropy",
    "Focal": "Focal",
    "Dice": "Dice",
    "CE + Dice": "CEPlusDice",
    "Tversky": "Tversky",
    "Combo": "Combo",
    "Unified focal": "UnifiedFocal",
    "CE + marginal L1": "CEPlusMarginalL1",
    "CE + marginal KL": "CEPlusMarginalKL",
    "Balance": "Balance",
    "Balance, faded": "{name: Balance, schedule: fade}",
    "Gradient-aware": "GradientAware",
}
VARIANTS = {
    "all labels": [],
    "anterior in 10 % of the cases": ["data.ignore_class=255", "data.thin={name: anterior, share: 0.1}"],
}
BUDGET = [
    *("model.width=8", "augment=[]", "patches.flips=[0]", "patches.per_epoch=60", "training.batch_size=2"),
    *(
        "training.epochs=7",
        "training.warmup_epochs=1",
        "data.validation=0.05",
        "training.select=last",
        "evaluation.bootstrap=200",
    ),
]
SCORES = {"dice": ("Dice", 3), "hausdorff95": ("HD95 (mm)", 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with imagesTr and labelsTr")
    parser.add_argument("--runs", type=Path, default=Path("runs/hippocampus"), help="where the run folders go")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--only-table", action="store_true", help="train nothing; tabulate what is there")
    options = parser.parse_args()
    arms = {label: [f"loss={loss}"] for label, loss in LOSSES.items()}
    for variant in options.variants:
        common = ["configs/hippocampus.yaml", f"data.root={options.data}", *BUDGET, *VARIANTS[variant]]
        folder = options.runs / variant.replace(" ", "").replace("%", "")
        runs = train_grid(arms, options.seeds, folder, common, options.only_table)
        if runs:
            print(table(variant, runs), flush=True)


def table(variant, runs):
    """The Markdown table of one variant: Dice and HD95 per class, and in how many cases a class was missed."""
    scored = {
        label: [read_json(run / "metrics.json")["splits"]["test"] for run in folders] for label, folders in runs.items()
    }
    classes = list(next(iter(scored.values()))[0]["per_class"])
    columns = [f"{name} {label}" for name in classes for label, _ in SCORES.values()] + ["missed"]
    count = max(map(len, scored.values()))
    lines = [f"| {variant}, {count} seeds | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for label, results in scored.items():
        cells = []
        for name in classes:
            for key, (_, digits) in SCORES.items():
                values = [result["per_class"][name][key]["value"] for result in results]
                values = [value for value in values if value is not None]
                cells.append(mean_and_deviation(values, digits) if values else "–")
        missed = [sum(result["per_class"][name]["missed"] for name in classes) for result in results]
        cells.append(", ".join(map(str, missed)) if any(missed) else "0")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
