"""The losses of segmentation on the hippocampus (Medical Segmentation Decathlon, Task04), one split, several seeds.

    python benchmarks/hippocampus.py --data /path/to/Task04_Hippocampus

trains what docs/hippocampus_runs.csv does not have yet, by the commands it prints, the same short budget for all, adds
the scores of each run to that file, and prints two Markdown tables of the test split, mean and standard deviation over
seeds: as the data are, and with the anterior part labelled in a tenth of the training cases and ignored in the others.
"""

import argparse
from pathlib import Path

from grid import mean_and_deviation, train_grid

from imbclf.files import read_json, read_table, write_table

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
    *("model.width=8", "augment=[]", "patches.flips=[0]", "patches.size=[32, 48, 32]", "patches.per_epoch=120"),
    *("training.batch_size=2", "training.epochs=8", "training.warmup_epochs=1", "training.select=last"),
    *("data.validation=0.05", "evaluation.bootstrap=200"),
]
SCORES = {"dice": ("Dice", 3), "hausdorff95": ("HD95 (mm)", 2)}
HEADER = ["variant", "loss", "seed", "class", *SCORES, "missed"]
RESULTS = Path(__file__).parent.parent / "docs" / "hippocampus_runs.csv"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with imagesTr and labelsTr; without it nothing is trained")
    parser.add_argument("--runs", type=Path, default=Path("runs/hippocampus"), help="where the run folders go")
    parser.add_argument("--results", type=Path, default=RESULTS, help="CSV of the scores of every run, added to")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    options = parser.parse_args()
    rows = read_results(options.results)
    for variant in options.variants:
        common = ["configs/hippocampus.yaml", f"data.root={options.data}", *BUDGET, *VARIANTS[variant]]
        for seed in options.seeds:
            for label, loss in LOSSES.items():
                if options.data and not any(row[:3] == [variant, label, str(seed)] for row in rows):
                    folder = options.runs / variant.replace(" ", "").replace("%", "")
                    (run,) = train_grid({label: [f"loss={loss}"]}, [seed], folder, common)[label]
                    # Read again, since another process may have added the other variant meanwhile.
                    rows = [*read_results(options.results), *rows_of(variant, label, seed, run)]
                    write_table(options.results, HEADER, rows)
        print(table(variant, [row for row in rows if row[0] == variant]), flush=True)


def read_results(path):
    """Rows of the CSV of results, none if there is no such file yet."""
    return read_table(path)[1] if path.is_file() else []


def rows_of(variant, label, seed, run):
    """The test scores of one run, a row per class; an empty cell where a distance is undefined."""
    per_class = read_json(run / "metrics.json")["splits"]["test"]["per_class"]
    for name, scores in per_class.items():
        values = ["" if scores[key]["value"] is None else f"{scores[key]['value']:.4f}" for key in SCORES]
        yield [variant, label, str(seed), name, *values, str(scores["missed"])]


def table(variant, rows):
    """The Markdown table of one variant: Dice and HD95 per class over seeds, and how often a class was missed."""
    classes = list(dict.fromkeys(row[3] for row in rows))
    columns = [f"{name} {title}" for name in classes for title, _ in SCORES.values()] + ["cases missed, per seed"]
    lines = [f"| {variant} | seeds | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    for label in LOSSES:
        of_label = [row for row in rows if row[1] == label]
        if not of_label:
            continue
        cells = []
        for name in classes:
            for place, (_, digits) in enumerate(SCORES.values(), start=4):
                values = [float(row[place]) for row in of_label if row[3] == name and row[place]]
                cells.append(mean_and_deviation(values, digits) if values else "–")
        seeds = sorted({row[2] for row in of_label})
        missed = [sum(int(row[-1]) for row in of_label if row[2] == seed) for seed in seeds]
        cells.append(", ".join(map(str, missed)))
        lines.append(f"| {label} | {len(seeds)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
