"""Which images look the same: resized, compressed, brightened, mirrored and turned copies have one appearance."""

import itertools

import numpy as np

WAVES = 12
HASH_BITS = 64
# Of 1,600 fundus photographs, 4,640 chest X-rays (28 x 28), 1,584 adrenal shapes (64^3) and 174 hippocampi, pairs of
# different images reach 0.93, pairs of copies lie above 0.95 but for the harshest JPEG compression of 28 x 28 pixels.
SAME_CORRELATION = 0.95
# A correlation of 0.95 flips 6.5 of 64 signs on average.
MOST_DIFFERENT_BITS = 16
# An average of few images holds much of each of them; with 20 images it counts for half.
_FEW_IMAGES = 20
_HASHES_AT_ONCE = 64


def describe(image):
    r"""Coarse structure of an image, the same for copies of another size, brightness or contrast.

    With \(x\) the image minus its mean under the window, averaged over channels, and \(s_a\) the sizes of its axes,

    \[ d_k = |k| \sum_i x_i \prod_a \frac{1}{s_a} \sin\frac{\pi (i_a + 1/2)}{s_a}
       \cos\frac{\pi k_a (i_a + 1/2)}{s_a} \]

    for all wave numbers with \(0 < |k| < 12\): a discrete cosine transform of a windowed image, whose low frequencies
    are a down-sampled image. The window takes the weight of borders away, which fundus photographs have in common, and
    the factor \(|k|\) gives coarse and fine structure an equal say. The result has length 1. An axis of fewer
    than 12 pixels has as many waves as pixels.

    Args:
        image: `(*space, channels)`, any size, any rank, finite numbers.

    Returns:
        float32 `(d,)`: d = 120 in 2D, 1,062 in 3D; zeros for a constant image.

    Example:

    >>> import numpy as np
    >>> photograph = np.random.default_rng(0).normal(size=(30, 20, 1)).cumsum(0).cumsum(1)
    >>> twice_as_large = photograph.repeat(2, axis=0).repeat(2, axis=1)
    >>> float(describe(photograph) @ describe(50 + 3 * twice_as_large))
    0.999
    """
    # The mean of a whole-number type is float64, which would double the memory of a volume.
    grey = np.mean(image, axis=-1, dtype=np.float32)
    if np.ptp(grey) == 0:
        return np.zeros(_wave_numbers(grey.ndim).shape[1], np.float32)
    mean = grey
    for size in grey.shape:
        window = _window(size)
        mean = np.tensordot(mean, window / window.sum(), ([0], [0]))
    waves = grey - mean
    for size in grey.shape:
        # Each turn takes the first axis away and adds its wave numbers at the end.
        waves = np.tensordot(waves, _cosines(size), ([0], [1]))
    numbers = _wave_numbers(grey.ndim)
    features = waves[tuple(numbers)] * np.linalg.norm(numbers, axis=0)
    return _unit(features.astype(np.float32))


def pairs_alike(features, rank, may_match, symmetries=None):
    """Pairs of images whose structure is the same.

    What all images have in common (a round field of view, a skull) is taken out first: features are centred and scaled
    by their mean and standard deviation over the images, which count the less the fewer images there are. Candidates
    have signs of their 64 coarsest features (a perceptual hash) that differ in at most 16 places; of these, pairs with
    a correlation of at least 0.95 are kept. Mirror images along any axes and quarter turns count as the same.

    Args:
        features: float32 `(n, d)`, of `describe`.
        rank: Number of spatial axes.
        may_match: Function of positions `(m,)` and `(m,)` that says which pairs are of interest, boolean `(m,)`.
        symmetries: List of `(order, flipped)` to look for; None for all of them, 8 in 2D and 48 in 3D.

    Returns:
        A list of `(first, second, correlation, (order, flipped))` with `first < second`: the first image looks like
        `np.flip(second.transpose(order), flipped)`, without the channels. The largest correlation of each pair, in the
        order of the positions.
    """
    features = np.asarray(features, np.float32)
    numbers = _wave_numbers(rank)
    coarsest = np.argsort(np.linalg.norm(numbers, axis=0), kind="stable")[:HASH_BITS]
    is_structured = features.any(axis=1)
    mean, scale = _common(features)
    plain = _unit((features - mean) / scale)
    hashes = _hashes(plain[:, coarsest])
    best = {}
    for symmetry in _symmetries(rank) if symmetries is None else symmetries:
        moved = _unit((_moved(features, numbers, *symmetry) - mean) / scale)
        first, second = _near_hashes(hashes, _hashes(moved[:, coarsest]))
        wanted = may_match(first, second) & is_structured[first] & is_structured[second]
        first, second = first[wanted], second[wanted]
        for start in range(0, len(first), 100_000):
            some = slice(start, start + 100_000)
            correlations = np.einsum("ij,ij->i", plain[first[some]], moved[second[some]])
            for place in np.flatnonzero(correlations >= SAME_CORRELATION):
                pair = int(first[some][place]), int(second[some][place])
                if correlations[place] > best.get(pair, (0,))[0]:
                    best[pair] = float(correlations[place]), symmetry
    return [(*pair, *found) for pair, found in sorted(best.items())]


def _common(features):
    """Mean and standard deviation of each feature over the images, drawn towards 0 and equal ones for few images."""
    trust = len(features) / (len(features) + _FEW_IMAGES)
    variance = trust * features.var(axis=0) + (1 - trust) / features.shape[1]
    return trust * features.mean(axis=0), np.sqrt(variance)


def _near_hashes(hashes, others):
    """Positions `(m,)`, `(m,)` with the first below the second whose hashes differ in few bits."""
    first, second = [], []
    # Blocks that stay in the processor's cache: 10 times as fast as all at once.
    for start in range(0, len(hashes), _HASHES_AT_ONCE):
        block = hashes[start : start + _HASHES_AT_ONCE, np.newaxis]
        near = np.bitwise_count(block ^ others[start:]) <= MOST_DIFFERENT_BITS
        rows, columns = np.divmod(np.flatnonzero(near), near.shape[1])
        later = columns > rows
        first.append(rows[later] + start)
        second.append(columns[later] + start)
    return np.concatenate(first), np.concatenate(second)


def _hashes(features):
    """The signs of 64 features as the bits of one number, uint64 `(n,)`."""
    bits = np.zeros((len(features), HASH_BITS), bool)
    bits[:, : features.shape[1]] = features > 0
    return np.packbits(bits, axis=1).view(np.uint64).ravel()


def _symmetries(rank):
    """Every `(order, flipped)` of the axes, the images as they are first."""
    flips = [axes for count in range(rank + 1) for axes in itertools.combinations(range(rank), count)]
    return list(itertools.product(itertools.permutations(range(rank)), flips))


def _moved(features, numbers, order, flipped):
    """Features of the images `np.flip(image.transpose(order), flipped)`: the same in another order, some negated."""
    place = np.empty([WAVES] * len(order), np.int64)
    place[tuple(numbers)] = np.arange(numbers.shape[1])
    before = np.empty_like(numbers)
    before[list(order)] = numbers
    signs = (-1.0) ** numbers[list(flipped)].sum(axis=0)
    return features[:, place[tuple(before)]] * signs.astype(np.float32)


def _window(size):
    return np.sin(np.pi * (np.arange(size, dtype=np.float32) + 0.5) / size)


def _cosines(size):
    """Windowed cosines `(WAVES, size)`; those that `size` samples cannot tell apart are 0."""
    cosines = np.cos(np.pi * np.outer(np.arange(WAVES), np.arange(size) + 0.5) / size)
    cosines[size:] = 0
    return (cosines * _window(size) / size).astype(np.float32)


def _wave_numbers(rank):
    """The wave numbers k with 0 < |k| < WAVES, int64 `(rank, d)`."""
    numbers = np.stack(np.meshgrid(*[np.arange(WAVES)] * rank, indexing="ij")).reshape(rank, -1)
    length = np.linalg.norm(numbers, axis=0)
    return numbers[:, (length > 0) & (length < WAVES)]


def _unit(vectors):
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-12)
