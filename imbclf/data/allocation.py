"""Dealing groups of samples out to places, so that every place comes close to its share of every class."""

from itertools import combinations

import numpy as np

from imbclf.errors import InputError

# Exchanges are sought among all pairs of kinds of groups; with more kinds than this the dealing alone is even enough.
MOST_KINDS = 200
COST_OF_LACK, WEIGHT_OF_SIZE = 1e9, 1e-3


def check_fraction(name, fraction):
    """Raise `InputError` unless a share of the samples lies in [0, 1)."""
    if not 0 <= fraction < 1:
        raise InputError(f"The fraction for {name} must lie in [0, 1), but it is {fraction!r}.")


def divide_by_fractions(dataset, pool, groups, fractions, random):
    """Divide samples into training and smaller splits; groups stay whole.

    Args:
        dataset: A `Dataset` or a `SegmentationDataset`.
        pool: Positions of the samples to divide `(m,)`.
        groups: Number of the group of each of them `(m,)`.
        fractions: Share of the pool by the name of the split; the rest is `"train"`.
        random: A NumPy generator.

    Returns:
        Split of each sample of the pool, strings `(m,)`.

    Raises:
        InputError: A class with fewer samples or groups than there are splits.
    """
    splits = ("train", *fractions)
    counts, groups = _counts_of_groups(dataset, pool, groups)
    goal = f"dividing it into {', '.join(splits)} needs"
    _check_enough(dataset, counts, len(splits), goal, "add samples, or assign the splits yourself")
    total = counts.sum(axis=0)
    small = [np.maximum(1, np.rint(total * fraction)) for fraction in fractions.values()]
    target = np.stack([np.maximum(1, total - sum(small)), *small]) * (total > 0)
    chosen = _deal(counts, target, random)
    _check_spread(dataset, counts, chosen, splits, "assign the splits yourself, or leave one out")
    return np.asarray(splits)[chosen[groups]]


def divide_evenly(dataset, pool, groups, parts, random, noun="folds"):
    """Divide samples into parts of equal size and equal share of every class; groups stay whole.

    Where every group is one sample of one class, the parts' counts of each class, and their sizes, differ by at most 1.

    Args:
        dataset: A `Dataset` or a `SegmentationDataset`.
        pool: Positions of the samples to divide `(m,)`.
        groups: Number of the group of each of them `(m,)`.
        parts: Number of parts.
        random: A NumPy generator.
        noun: What the parts are called in errors.

    Returns:
        Part of each sample of the pool, 0 to `parts - 1`, int64 `(m,)`.

    Raises:
        InputError: A class with fewer samples or groups than there are parts.
    """
    counts, groups = _counts_of_groups(dataset, pool, groups)
    _check_enough(dataset, counts, parts, f"{parts} {noun} need", f"ask for fewer {noun}, or leave the class out")
    target = np.tile(counts.sum(axis=0) / parts, (parts, 1))
    chosen = _even_out(counts, _deal(counts, target, random, alike=True), parts)
    _check_spread(dataset, counts, chosen, [f"{parts} {noun}"] * parts, f"ask for fewer {noun}")
    return chosen[groups]


def _counts_of_groups(dataset, pool, groups):
    """Samples of each class in each group `(G, K)`, and the row of that table for each sample of the pool."""
    names, rows = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), dataset.num_classes), np.int64)
    np.add.at(counts, rows, dataset.holds()[pool].astype(np.int64))
    return counts, rows


def _deal(counts, target, random, alike=False):
    """Place of each group, one after the other towards a target count per place and class.

    Args:
        counts: Samples of each class in each group `(G, K)`.
        target: The counts that each place should come to `(P, K)`.
        random: A NumPy generator.
        alike: Whether all places have the same target; otherwise the first is the rest, which takes what is large.
    """
    shuffled = random.permutation(len(counts))
    sizes = counts.sum(axis=1)
    rare_first = np.argsort((counts > 0).sum(axis=0), kind="stable")
    largest_first = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    if alike:
        # Class by class among groups of one size, so that the remainders of the classes can even each other out.
        rarest = np.argmax(counts[:, rare_first] > 0, axis=1)
        largest_first = shuffled[np.lexsort((rarest[shuffled], -sizes[shuffled]))]
    chosen = np.full(len(counts), -1)
    have = np.zeros_like(target)

    def put(group, place):
        chosen[group] = place
        have[place] += counts[group]

    # Every place gets a group of every class first, rare classes before frequent ones; the largest goes to the rest.
    for label in rare_first:
        for place in range(len(target)):
            free = largest_first[(chosen[largest_first] < 0) & (counts[largest_first, label] > 0)]
            if have[place, label] == 0 and len(free) > 0:
                put(free[0 if alike or place == 0 else -1], place)
    for group in largest_first[chosen[largest_first] < 0]:
        # How much the squared distance to the targets, relative to them, grows when the group goes to each place.
        growth = (counts[group] * (counts[group] + 2 * (have - target)) / np.maximum(target, 1)).sum(axis=1)
        if alike:
            growth[growth > growth.min() + 1e-9] = np.inf
            growth += have.sum(axis=1)
        put(group, int(np.argmin(growth)))
    return chosen


def _even_out(counts, chosen, parts):
    r"""Exchange two groups between places, or move one, as long as that makes the places more alike.

    What falls with every step is, over places p and classes k with counts $n_{pk}$ and means $m_k$,

    $$ \sum_{pk} (n_{pk} - m_k)^2 / m_k, $$

    plus a thousandth of the same sum for the sizes of the places, after the number of classes that places lack.
    """
    table = np.concatenate([counts, counts.sum(axis=1, keepdims=True)], axis=1)
    # Groups with the same counts are of one kind. Kind 0 is the empty group: an exchange with it is a move.
    kinds, kind = np.unique(np.concatenate([np.zeros_like(table[:1]), table]), axis=0, return_inverse=True)
    kind = kind.reshape(-1)[1:]
    if len(kinds) > MOST_KINDS:
        return chosen
    number = np.zeros((parts, len(kinds)), np.int64)
    np.add.at(number, (chosen, kind), 1)
    have = number @ kinds
    mean = have.mean(axis=0)
    weight = np.divide(1, mean, out=np.zeros_like(mean), where=mean > 0)
    weight[-1] *= WEIGHT_OF_SIZE
    number[:, 0] = 1
    change = kinds[np.newaxis] - kinds[:, np.newaxis]

    def unevenness(have):
        return (weight * (have - mean) ** 2).sum(axis=-1)

    def lacking(have):
        return ((have == 0) & (mean > 0)).sum(axis=-1)

    chosen = chosen.copy()
    improved = True
    while improved:
        improved = False
        for one, other in combinations(range(parts), 2):
            after, before = (have[one] + change, have[other] - change), (have[one], have[other])
            growth = sum(map(unevenness, after)) - sum(map(unevenness, before))
            growth = growth + COST_OF_LACK * (sum(map(lacking, after)) - sum(map(lacking, before)))
            growth[number[one] == 0] = np.inf
            growth[:, number[other] == 0] = np.inf
            given, taken = np.unravel_index(np.argmin(growth), growth.shape)
            if growth[given, taken] > -1e-9:
                continue
            improved = True
            for which, source, goal in ((given, one, other), (taken, other, one)):
                if which > 0:
                    chosen[np.argmax((kind == which) & (chosen == source))] = goal
                    number[source, which] -= 1
                    number[goal, which] += 1
            have[one], have[other] = have[one] + change[given, taken], have[other] - change[given, taken]
    return chosen


def _check_enough(dataset, counts, parts, goal, advice):
    for label, name in enumerate(dataset.class_names):
        samples, groups = int(counts[:, label].sum()), int((counts[:, label] > 0).sum())
        if 0 < groups < parts or samples == 0:
            of_patients = f" of {groups} independent patients or images" if groups < samples else ""
            raise InputError(
                f"The class {name} has {samples} sample{'s' * (samples != 1)}{of_patients}, but {goal} at least "
                f"{parts}: {advice}."
            )


def _check_spread(dataset, counts, chosen, places, advice):
    for label, name in enumerate(dataset.class_names):
        held = np.unique(chosen[counts[:, label] > 0])
        if 0 < len(held) < len(places):
            raise InputError(
                f"The class {name} cannot be spread over {', '.join(dict.fromkeys(places))} without dividing a "
                f"patient: {advice}."
            )
