"""Which numbers stand far from the others."""

import numpy as np

# The standard deviation of a normal distribution is 1.4826 times its median absolute deviation.
_MAD_TO_DEVIATION = 1.4826
FEWEST = 10


def robust_scores(values, floor=0.0):
    r"""Distance of each number from the median, in robust standard deviations.

    \[ z_i = \frac{x_i - \mathrm{median}(x)}{\max(1.4826\,\mathrm{median}|x - \mathrm{median}(x)|,\ \mathrm{floor})} \]

    Median and median absolute deviation stay where they are while fewer than half of the numbers are outliers (Iglewicz
    and Hoaglin, 1993).

    Args:
        values: `(n,)`.
        floor: Smallest deviation that counts as one, so that equal numbers do not make every other one an outlier.

    Returns:
        float64 `(n,)`; 0 everywhere where all numbers are equal and `floor` is 0.

    Example:

    >>> robust_scores([1, 2, 3, 4, 50]).round(1).tolist()
    [-1.3, -0.7, 0.0, 0.7, 31.7]
    """
    values = np.asarray(values, np.float64)
    distance = values - np.median(values)
    deviation = max(_MAD_TO_DEVIATION * np.median(np.abs(distance)), floor)
    return np.divide(distance, deviation, out=np.zeros_like(distance), where=deviation > 0)


def comparable_groups(names):
    """Positions to compare with each other, and what to call them: those of one name, if there are at least 10.

    Smaller groups are compared with everything, unless all together are fewer than 10. Empty names are a group too.

    Args:
        names: Site of each image, n strings.

    Returns:
        A list of `(called, members, others)`: int arrays of the positions to judge, and to judge them by.

    Example:

    >>> [(called, len(judged), len(by)) for called, judged, by in comparable_groups(["east"] * 12 + ["west"] * 3)]
    [('site east', 12, 12), ('all sites', 3, 15)]
    """
    names = np.asarray(names, dtype=str)
    groups, small = [], []
    found = np.unique(names)
    for name in found:
        members = np.flatnonzero(names == name)
        if len(members) >= FEWEST:
            groups.append((f"site {name}" if name else "the images", members, members))
        else:
            small.extend(members.tolist())
    if small and len(names) >= FEWEST:
        called = "all sites" if len(found) > 1 else "the images"
        groups.append((called, np.sort(small), np.arange(len(names))))
    return groups
