"""Synthetic cases and run folders of a segmentation, as training would leave them."""

import json

import numpy as np

from imbclf.evaluation.case_scores import score_case, write_cases

CLASS_NAMES = ("background", "oedema", "enhancing tumour")
SPACING = (1.0, 1.0, 3.0)


def ball(shape, centre, radius, spacing):
    """Boolean array of the voxels within `radius` mm of a voxel."""
    squares = [
        ((np.arange(size) - place) * step) ** 2 for size, place, step in zip(shape, centre, spacing, strict=True)
    ]
    return sum(np.meshgrid(*squares, indexing="ij")) <= radius**2


def make_case(shift, shape=(30, 26, 12), spacing=SPACING, tumour=5.0):
    """Image, truth and prediction of a ball in a ball, the prediction `shift` voxels along the first axis off."""
    centre = [size // 2 for size in shape]
    spacing = spacing[: len(shape)]
    truth, prediction = np.zeros((2, *shape), int)
    moved = [centre[0] + shift, *centre[1:]]
    for k, radius in enumerate((10.0, tumour), start=1):
        if radius:
            truth[ball(shape, centre, radius, spacing)] = k
            prediction[ball(shape, moved, radius, spacing)] = k
    image = np.random.default_rng(shift).normal(size=shape) + truth
    return image, truth, prediction


def case_rows(shifts, split="test", tumour=5.0):
    """Rows of `cases.csv` for cases that are off by `shifts` voxels."""
    rows = []
    for number, shift in enumerate(shifts):
        _, truth, prediction = make_case(shift, tumour=tumour)
        identity = {"id": f"{split}-{number:02d}", "split": split}
        rows += [identity | row for row in score_case(truth, prediction, CLASS_NAMES, SPACING)]
    return rows


def make_run(folder, rows, epochs=12, **training):
    """Write the run folder of a segmentation that scored `rows`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_cases(folder / "cases.csv", rows)
    e = np.arange(1, epochs + 1)
    best = max(epochs - 2, 1)
    loss, dice = 1.1 * np.exp(-e / 5), 1 - 0.9 * np.exp(-e / 4)
    columns = [e, np.full(epochs, 3.1), 1e-3 / e, loss, dice, loss + 0.02 * e, 0.9 * dice]
    header = "epoch,seconds,learning_rate,loss,dice_score,val_loss,val_dice_score"
    lines = [",".join(f"{value:.6g}" for value in row) for row in zip(*columns)]
    (folder / "history.csv").write_text("\n".join([header, *lines]) + "\n")
    class_names = ["background", *dict.fromkeys(row["class"] for row in rows)]
    cases = {name: len({row["id"] for row in rows if row["split"] == name}) for name in ("val", "test")}
    record = {
        "name": "Lesions",
        "task": "segmentation",
        "source": "lesions.csv",
        "class_names": class_names,
        "image_channels": 4,
        "patch_size": [64, 64, 32],
        "counts": {"train": 120, **cases},
        "voxel_shares": [0.9893, 0.0107 - 0.00002, *[0.00002] * (len(class_names) - 2)],
        "model": "UNet 3D, width 32",
        "parameters": 5602243,
        "seed": 0,
        "loss": "DiceCE",
        "batch_size": 2,
        "foreground_share": 0.33,
        "epochs_planned": epochs,
        "epochs_run": epochs,
        "best_epoch": best,
        "selection": "best",
        "steps_per_epoch": 60,
        "seconds": 3.1 * epochs,
        "stopped": "finished",
    } | training
    (folder / "training.json").write_text(json.dumps(record))
    environment = {"imbclf": "0.1.0", "backend": "tensorflow", "command": "imbclf train lesions.yaml"}
    (folder / "environment.json").write_text(json.dumps(environment))
    (folder / "config.yaml").write_text("name: Lesions\ntask: segmentation\nseed: 0\n")
    return folder
