"""Two remedies on the phantoms of glaucoma and glioma, several seeds each, beside the floors.

    python benchmarks/phantoms.py

draws and prepares the phantoms, trains what is not trained yet by the commands it prints, then prints a Markdown table
of the test split of each: the score of every seed with its 95 % bootstrap interval.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from grid import train_grid

from imbclf.files import read_json

ARMS = {
    "CE, uniform": ["loss=CrossEntropy", "sampling.batches=uniform"],
    "CE + F1, balanced": ["loss=CEPlusF1", "sampling.batches=balanced"],
}
# What is drawn, how it is prepared (ARCHIVE is the folder of the drawing), and the class that matters.
SETS = {
    "glaucoma": (
        "--count 1200 --size 128 --seed 1",
        "--source ARCHIVE --train-csv ARCHIVE/train.csv --test-csv ARCHIVE/test.csv --size 64",
        "early_glaucoma",
    ),
    "glioma": (
        "--count 700 --side 48",
        "--ucsf ARCHIVE/ucsf --egd ARCHIVE/egd --tcga ARCHIVE/tcga --size 32",
        "oligodendroglioma",
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/phantoms"), help="where phantoms and run folders go")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    options = parser.parse_args()
    for name in options.sets:
        drawing, preparation, rare = SETS[name]
        archive, prepared = options.runs / f"{name}-archive", options.runs / f"{name}-prepared"
        command("prepare", f"phantom-{name}", "--out", archive, *drawing.split(), "--workers", "2")
        sources = [word.replace("ARCHIVE", str(archive)) for word in preparation.split()]
        command("prepare", name, "--out", prepared, *sources, "--workers", "2")
        common = [f"configs/{name}_small.yaml", f"data.root={prepared}"]
        print(table(name, rare, train_grid(ARMS, options.seeds, options.runs / name, common)), flush=True)


def command(*words):
    """One command as a user would type it."""
    words = [str(word) for word in ("imbclf", *words)]
    print(shlex.join(words), file=sys.stderr, flush=True)
    subprocess.run([Path(sys.executable).parent / words[0], *words[1:]], check=True, stdout=sys.stderr)


def table(name, rare, runs):
    """The Markdown table of one set: balanced accuracy, macro F1 and the recall of the rare class, seed by seed."""
    head = ("seed", "balanced accuracy", "macro F1", f"recall of {rare}")
    lines = [f"| phantom {name} | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    metrics = {arm: [read_json(folder / "metrics.json") for folder in folders] for arm, folders in runs.items()}
    every = next(iter(metrics.values()))
    results = [("majority class", "any", every[0]["floors"]["majority"])]
    results += [("PCA + balanced logistic", seed, one["floors"]["pca_logistic"]) for seed, one in enumerate(every)]
    results += [
        (arm, seed, one["splits"]["test"]) for arm, of_arm in metrics.items() for seed, one in enumerate(of_arm)
    ]
    for label, seed, result in results:
        scores = [result["scores"]["balanced_accuracy"], result["scores"]["macro_f1"]]
        cells = [interval(score) for score in (*scores, result["per_class"][rare]["recall"])]
        lines.append(f"| {label} | {seed} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def interval(score):
    """`value [low, high]`."""
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


if __name__ == "__main__":
    main()
