"""What the numbers of a segmentation run say: the headline and what to be careful about."""

from imbclf.evaluation.wording import IMAGES, training_cautions, with_interval

SCORE_NAMES = {
    "dice": "Dice",
    "iou": "IoU",
    "hausdorff95": "Hausdorff 95\u00a0%",
    "average_surface_distance": "Average surface distance",
    "normalized_surface_distance": "Normalized surface distance",
}
# An interval of a mean Dice wider than this leaves open whether a class is segmented well.
WIDE = 0.2
FEWEST_CASES = 10
FEWEST_OF_CLASS = 5
FEWEST_TO_CHOOSE = 5


def count(number, noun):
    """A number of things.

    Example:

    >>> count(1, "test case"), count(1200, "case")
    ('1 test case', '1,200 cases')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(share):
    """A share of the voxels, three digits however small.

    Example:

    >>> percent(0.98765), percent(0.000123), percent(0), percent(2e-9)
    ('98.8 %', '0.0123 %', '0 %', 'below 0.0001 %')
    """
    if 0 < share < 1e-6:
        return "below 0.0001 %"
    return f"{100 * share:.3g} %"


def unit_words(unit):
    """The unit of the distances.

    Example:

    >>> unit_words("mm"), unit_words("voxel"), unit_words(None)
    ('mm', 'voxels', 'mm or voxels')
    """
    return {"mm": "mm", "voxel": "voxels"}.get(unit, "mm or voxels")


def headline(training, judged, split):
    """What was trained on what, and the mean Dice that came of it, with the best and the worst class."""
    classes = len(judged["per_class"])
    over = f"over {classes} foreground classes" if classes > 1 else f"of class {next(iter(judged['per_class']))}"
    sentence = (
        f"{training['model']}, trained on {count(training['counts']['train'], 'case')} of {training['name']} with "
        f"{training['loss']} on patches of {' × '.join(map(str, training['patch_size']))}, has a mean Dice of "
        f"{with_interval(judged['mean']['dice'])} {over} on {count(judged['n'], IMAGES[split] + ' case')}"
    )
    scored = [(of_class["dice"]["value"], name) for name, of_class in judged["per_class"].items()]
    scored = sorted((value, name) for value, name in scored if value is not None)
    if len(scored) > 1:
        sentence += f", from {scored[0][0]:.3f} ({scored[0][1]}) to {scored[-1][0]:.3f} ({scored[-1][1]})"
    foreground = f" Foreground makes up {percent(1 - training['voxel_shares'][0])} of the training voxels."
    return f"{sentence}.{foreground}"


def cautions(training, metrics, split):
    """Sentences on what weakens the result: training, few cases, classes that were missed, wide intervals, units."""
    judged, noun = metrics["splits"][split], f"{IMAGES[split]} case"
    sentences = training_cautions(training)
    if split == "val":
        sentences.append(
            "There is no test case: the scores are those of the validation cases that chose the epoch, so too good."
        )
    elif training["selection"] == "best" and training["counts"]["val"] < FEWEST_TO_CHOOSE:
        sentences.append(f"The epoch was chosen on only {count(training['counts']['val'], 'validation case')}.")
    if judged["n"] < FEWEST_CASES:
        sentences.append(f"There are only {count(judged['n'], noun)}: every interval is rough, likely too narrow.")
    for name, of_class in judged["per_class"].items():
        sentences += _class_cautions(name, of_class, judged["n"], noun)
    failed = sum(of_class["missed"] + of_class["invented"] for of_class in judged["per_class"].values())
    if failed:
        sentences.append(
            f"The mean distances leave out {count(failed, 'structure')} that were missed or invented, so they look "
            "better than the segmentations are; Dice, IoU and the normalized surface distance count each as 0."
            if failed > 1
            else "The mean distances leave out a structure that was missed or invented, so they look better than the "
            "segmentations are; Dice, IoU and the normalized surface distance count it as 0."
        )
    if metrics["unit"] is None:
        sentences.append("Distances of some cases are in mm and of others in voxels; their means mix both.")
    if metrics["tolerance"] is None:
        sentences.append("The normalized surface distances of the cases were taken at different tolerances.")
    return sentences


def _class_cautions(name, of_class, n, noun):
    present, missed, invented, dice = (of_class[key] for key in ("cases", "missed", "invented", "dice"))
    if not present:
        yield f"Class {name} occurs in no {noun}, so nothing is known of how well it is found."
    elif present < FEWEST_OF_CLASS and n >= FEWEST_CASES:
        yield f"Class {name} occurs in only {count(present, noun)}: its intervals are rough, likely too narrow."
    if missed and missed == present:
        yield f"Class {name} was never found in the {count(present, noun)} with it."
    elif missed:
        yield f"Class {name} was missed altogether in {missed} of the {count(present, noun)} with it."
    if invented:
        yield f"Class {name} was predicted in {invented} of the {count(n - present, noun)} without it."
    if dice["low"] is not None and dice["high"] - dice["low"] > WIDE and n >= FEWEST_CASES:
        yield f"The mean Dice of class {name} is uncertain: {with_interval(dice, 2)}."
