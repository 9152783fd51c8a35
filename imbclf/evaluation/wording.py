"""What the numbers of a run say: the headline, whether the floors are beaten, what to be careful about."""

import numpy as np

FLOOR_NAMES = {"majority": "the majority class", "pca_logistic": "PCA + logistic regression"}
IMAGES = {"test": "test", "val": "validation"}
SCORE_NAMES = {
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "mcc": "MCC",
    "macro_auc": "Macro AUC",
    "accuracy": "Accuracy",
    "ece": "Calibration error (ECE)",
}
SCORE_NOTES = {
    "balanced_accuracy": "mean recall over the classes; every class counts the same. Chance is 1 / number of classes",
    "macro_f1": "mean over the classes of the harmonic mean of precision and recall",
    "mcc": "correlation between the predicted and the true class; 0 is chance, 1 is perfect",
    "macro_auc": "mean chance that an image of a class ranks above one of another class; 0.5 is chance",
    "accuracy": "share of right answers; high by itself where one class is common",
    "ece": "mean gap between how sure the model is and how often it is right, 15 bins; 0 is best",
}


def number(value, digits=3):
    """A score with its sign where negative, "–" where undefined.

    Example:

    >>> number(0.12345), number(-0.5), number(None)
    ('0.123', '−0.500', '–')
    """
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def with_interval(entry, digits=3):
    """A score and its interval.

    Example:

    >>> with_interval({"value": 0.5, "low": 0.41, "high": 0.6})
    '0.500 [0.410, 0.600]'
    """
    if entry["low"] is None:
        return number(entry["value"], digits)
    return f"{number(entry['value'], digits)} [{number(entry['low'], digits)}, {number(entry['high'], digits)}]"


def verdict(difference):
    """The side of 0 on which the interval of a difference lies: "better", "worse" or "unclear"; "" without an interval.

    Example:

    >>> verdict({"value": 0.1, "low": 0.02, "high": 0.2}), verdict({"value": 0.1, "low": -0.02, "high": 0.2})
    ('better', 'unclear')
    """
    if difference["low"] is None:
        return ""
    if difference["low"] > 0:
        return "better"
    return "worse" if difference["high"] < 0 else "unclear"


def against_floor(floor, difference):
    """One sentence: does the model beat this floor in balanced accuracy?

    Example:

    >>> against_floor("majority", {"value": 0.1, "low": -0.02, "high": 0.2})
    'It does NOT beat the majority class beyond chance: the difference of 0.100 [−0.020, 0.200] includes 0.'
    """
    name, shown = FLOOR_NAMES.get(floor, floor), with_interval(difference)
    side = verdict(difference)
    if side == "better":
        return f"It beats {name} by {shown}."
    if side == "worse":
        lost = {"value": -difference["value"], "low": -difference["high"], "high": -difference["low"]}
        return f"It does NOT beat {name}: it is worse by {with_interval(lost)}."
    if side == "unclear":
        return f"It does NOT beat {name} beyond chance: the difference of {shown} includes 0."
    beats = "beats" if difference["value"] > 0 else "does NOT beat"
    return f"It {beats} {name}: the difference is {shown}, and without intervals nobody knows how much of it is chance."


def headline(training, judged, split):
    """What was trained on what, and the balanced accuracy that came of it."""
    weights = training.get("class_weight") or "none"
    remedy = [training["loss"], sampling_words(training), *([f"{weights} class weights"] if weights != "none" else [])]
    images = f"{judged['n']:,} {IMAGES[split]} images"
    patients = f" of {judged['patients']:,} patients" if judged["patients"] else ""
    score = with_interval(judged["scores"]["balanced_accuracy"])
    return (
        f"{training['model']}, trained on {sum(training['counts']['train']):,} images of {training['name']} in "
        f"{len(training['class_names'])} classes with {', '.join(remedy[:-1])} and {remedy[-1]}, "
        f"has a balanced accuracy of {score} on {images}{patients}."
    )


def sampling_words(training):
    """How batches were drawn, as a noun: "balanced batches", "uniform sampling"."""
    words = str(training["sampling"])
    return words if "batch" in words or "sampl" in words else f"{words} sampling"


def training_cautions(training):
    """Sentences on a training that was not finished, or whose weights were not chosen, whatever the task."""
    sentences = []
    run, planned, best = (training[key] for key in ("epochs_run", "epochs_planned", "best_epoch"))
    if training["stopped"] == "interrupted":
        sentences.append(f"Training was interrupted after {run} of {planned} epochs.")
    elif training["stopped"] == "non-finite loss":
        sentences.append(f"Training stopped in epoch {run} of {planned}: the loss was no longer a finite number.")
    elif training["stopped"] != "finished":
        sentences.append(f"Training ended early ({training['stopped']}), after {run} of {planned} epochs.")
    if training["selection"] == "last":
        sentences.append(
            "The weights are those of the last epoch, not of the best on validation, as the configuration asks."
        )
    elif best == run and run > 1:
        sentences.append(f"The best epoch is the last ({best} of {planned}): a longer training may do better.")
    return sentences


def cautions(training, metrics, split):
    """Sentences on what weakens the result: an unfinished training, few images of a class, shifted class shares."""
    judged = metrics["splits"][split]
    sentences = training_cautions(training)
    if split == "val":
        sentences.append(
            "There is no test image: the scores are those of the validation images that chose the epoch, so too good."
        )
    train = np.asarray(training["counts"]["train"], dtype=float)
    seen, judged_on = train / max(train.sum(), 1), np.asarray(judged["counts"]) / judged["n"]
    k = int(np.argmax(np.abs(seen - judged_on)))
    if abs(seen[k] - judged_on[k]) > 0.1:
        sentences.append(
            f"The class shares differ: class {training['class_names'][k]} makes up {100 * seen[k]:.0f} % of the "
            f"training images but {100 * judged_on[k]:.0f} % of the {IMAGES[split]} images."
        )
    scarce = [
        f"{name} ({count})" for name, count in zip(training["class_names"], training["counts"]["val"]) if count < 5
    ]
    if scarce and split == "test" and training["selection"] == "best":
        sentences.append(f"The epoch was chosen on very few validation images of class {', '.join(scarce)}.")
    never = [name for name, of_class in judged["per_class"].items() if of_class["recall"]["value"] == 0]
    if never:
        sentences.append(f"Not one image of class {', '.join(never)} was recognised.")
    return sentences + judged["notes"]
