"""A synthetic run folder, as training would leave it."""

import json

import numpy as np
import pytest

from imbclf.evaluation.evaluate import evaluate_run
from imbclf.evaluation.predictions import Predictions, write_floors, write_predictions

CLASS_NAMES = ("normal", "mild", "moderate", "severe", "proliferative")


def noisy_probabilities(rng, y, num_classes, skill):
    """Probabilities whose largest entry is the true class more often the larger `skill` is."""
    logits = rng.normal(size=(len(y), num_classes))
    logits[np.arange(len(y)), y] += skill
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.fixture
def make_run():
    """Function that writes a run folder: `make_run(folder, counts, skill=2.0, ...)`."""

    def make(
        folder,
        counts=None,
        class_names=CLASS_NAMES,
        skill=2.0,
        floor_skill=0.7,
        patients=True,
        epochs=12,
        seed=0,
        **training,
    ):
        counts = counts or {"train": (243, 64, 103, 97, 33), "val": (54, 12, 28, 20, 6), "test": (174, 46, 92, 68, 20)}
        rng = np.random.default_rng(seed)
        num_classes = len(class_names)
        folder.mkdir(parents=True, exist_ok=True)
        split = np.concatenate([[name] * sum(of_split) for name, of_split in counts.items()])
        y = np.concatenate([np.repeat(np.arange(num_classes), of_split) for of_split in counts.values()])
        ids = np.array([f"{name}/{number:06d}" for number, name in enumerate(split)])
        people = np.array([f"{name}-{number // 2}" for number, name in enumerate(split)]) if patients else None
        probabilities = noisy_probabilities(rng, y, num_classes, np.where(split == "train", 2 * skill, skill))
        predictions = Predictions(ids, split, y, probabilities, class_names, people)
        write_predictions(folder / "predictions.csv", predictions)
        test = predictions.select("test")
        frequencies = np.asarray(counts["train"]) / np.sum(counts["train"])
        majority = np.tile(frequencies, (len(test), 1))
        linear = noisy_probabilities(rng, test.y, num_classes, floor_skill)
        write_floors(folder / "floors.csv", test, {"majority": majority, "pca_logistic": linear})
        rows = [
            f"{i},{p},{class_names[k]},{s}" for i, p, k, s in zip(ids, people if patients else [""] * len(y), y, split)
        ]
        (folder / "split.csv").write_text("\n".join(["id,patient,label,split", *rows]) + "\n")
        best = epochs if epochs < 3 else epochs - 2
        header = "epoch,seconds,learning_rate,loss,balanced_accuracy,val_loss,val_balanced_accuracy"
        e = np.arange(1, epochs + 1)
        rate, loss, accuracy = 5e-4 * (1 + np.cos(np.pi * e / epochs)), 1.6 * np.exp(-e / 5), 1 - 0.8 * np.exp(-e / 4)
        val_accuracy = 0.6 - 0.4 * np.exp(-e / 4) - 0.002 * abs(e - best)
        columns = [e, np.full(epochs, 3.1), rate, loss, accuracy, loss + 0.02 * e, val_accuracy]
        lines = [",".join(f"{value:.6g}" for value in row) for row in zip(*columns)]
        (folder / "history.csv").write_text("\n".join([header, *lines]) + "\n")
        record = {
            "name": "RetinaMNIST",
            "source": "retinamnist.npz",
            "class_names": list(class_names),
            "image_shape": [28, 28, 3],
            "model": "ResNet34 2D, width 64",
            "parameters": 21287237,
            "loss": "CEPlusF1",
            "sampling": "balanced batches",
            "class_weight": "none",
            "batch_size": 50,
            "epochs_planned": epochs,
            "epochs_run": epochs,
            "best_epoch": best,
            "selection": "best",
            "steps_per_epoch": 11,
            "seconds": 3.1 * epochs,
            "stopped": "finished",
            "counts": {name: list(of_split) for name, of_split in counts.items()},
            "drawn_per_epoch": [float(sum(counts["train"])) / num_classes] * num_classes,
            "sample_weights": [1.0] * num_classes,
            "seed": seed,
        } | training
        (folder / "training.json").write_text(json.dumps(record))
        environment = {
            "imbclf": "0.1.0",
            "python": "3.11.2",
            "backend": "tensorflow 2.21.0",
            "keras": "3.15.1",
            "numpy": "2.4.0",
            "platform": "Linux",
            "command": ["imbclf", "train", "configs/retinamnist.yaml", "seed=0"],
            "started": "2026-01-02T03:04:05+00:00",
        }
        (folder / "environment.json").write_text(json.dumps(environment))
        (folder / "config.yaml").write_text(
            "name: RetinaMNIST\ndata:\n  kind: medmnist\nloss:\n  name: CEPlusF1\nseed: 0\n"
        )
        centres = 3 * rng.normal(size=(num_classes, 16))
        features = (centres[y] + rng.normal(size=(len(y), 16))).astype(np.float32)
        np.savez(folder / "features.npz", features=features, id=ids, split=split, y=y, tsne=features[:, :2] * 5)
        return folder

    return make


@pytest.fixture
def evaluated(tmp_path, make_run):
    """Function that makes a run folder, evaluates it and gives (folder, metrics)."""

    def make(**options):
        run = make_run(tmp_path / "run", **options)
        return run, evaluate_run(run, repeats=50)

    return make
