"""The floors: what a classifier scores that looks at no pixel, and one that looks at 100 numbers."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.utils.extmath import randomized_svd

from imbclf.errors import InputError

COMPONENTS = 100
INVERSE_PENALTY = 0.01
# One GiB of float32 pixels is held at most; larger training sets are averaged over blocks of pixels first.
LARGEST_MATRIX = 2**28
BLOCK_VALUES = 2**24


def floors(x_train, y_train, x_test, num_classes, seed=0):
    """Probabilities of two classifiers without a network; a model that does not beat them has learnt little.

    - `majority`: the class frequencies of the training set, the same for every image.
    - `pca_logistic`: pixels standardised over the training set, their first 100 principal components (fewer where there
      are fewer images or pixels; randomised, Halko et al. 2011), and logistic regression with an L2 penalty (C = 0.01)
      and balanced class weights.

    Everything is fitted on the training set alone. Images are read in blocks; where the training pixels would fill more
    than 1 GiB in float32, each image is first averaged over blocks of pixels, 2 wide or as wide as it takes.

    Args:
        x_train: training images `(n, *space, C)` of any number type: an array, an object with `len()` and
            `x[int array] -> array`, or an iterable of such arrays.
        y_train: their classes, integers `0..num_classes-1`, `(n,)`.
        x_test: test images `(m, *space, C)`, in any of the three forms.
        num_classes: K.
        seed: of the randomised components.

    Returns:
        {"majority": `(m, K)`, "pca_logistic": `(m, K)`}, float64; a class without a training image has probability 0.

    Raises:
        InputError: no training image, labels that do not fit, images of another shape, NaN or infinity in the pixels.

    Example:

    >>> x = np.repeat([0.1, 0.9], [6, 2])[:, None, None, None] * np.ones((8, 4, 4, 1))
    >>> y = np.repeat([0, 1], [6, 2])
    >>> probabilities = floors(x, y, x[[0, 7]], num_classes=2)
    >>> probabilities["majority"]
    array([[0.75, 0.25],
           [0.75, 0.25]])
    >>> probabilities["pca_logistic"].argmax(axis=1)
    array([0, 1])
    """
    y_train = np.asarray(y_train)
    if len(y_train) == 0 or y_train.min() < 0 or y_train.max() >= num_classes:
        raise InputError(
            f"Expected at least one training label, all in 0..{num_classes - 1}, got {len(y_train)} labels"
            + (f" from {y_train.min()} to {y_train.max()}." if len(y_train) else ".")
        )
    frequencies = np.bincount(y_train, minlength=num_classes) / len(y_train)
    pixels, width = _training_pixels(x_train, len(y_train))
    classifier = _fit(pixels, y_train, seed)
    linear = [np.zeros((0, num_classes))]
    for block in _blocks(x_test):
        flat = _flat(block, width, "test")
        if flat.shape[1] != pixels.shape[1]:
            raise InputError(f"Expected test images of the shape of the training images, got {block.shape[1:]}.")
        probabilities = np.zeros((len(block), num_classes))
        probabilities[:, np.unique(y_train)] = classifier(flat)
        linear.append(probabilities)
    linear = np.concatenate(linear)
    return {"majority": np.tile(frequencies, (len(linear), 1)), "pca_logistic": linear}


def _fit(pixels, y, seed):
    """Function from pixels to the probabilities of the classes in `y`; `pixels` is overwritten."""
    if len(np.unique(y)) == 1:
        return lambda block: np.ones((len(block), 1))
    mean = pixels.mean(axis=0, dtype=np.float64)
    variance = sum(np.square(row - mean) for row in pixels) / len(pixels)
    scale = np.sqrt(variance)
    # A pixel that never changes in training says nothing; divided by 1 it stays 0.
    scale[scale <= 1e-6 * (1 + np.abs(mean))] = 1
    mean, scale = mean.astype(np.float32), scale.astype(np.float32)

    def standardise(block):
        block -= mean
        block /= scale
        return block

    standardise(pixels)
    # Standardised pixels are centred, so their singular vectors are the principal axes; PCA itself would copy them.
    _, _, components = randomized_svd(pixels, min(COMPONENTS, *pixels.shape), random_state=seed)
    regression = LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=5000)
    regression.fit(pixels @ components.T, y)
    return lambda block: regression.predict_proba(standardise(block) @ components.T)


def _training_pixels(x, n):
    """Float32 matrix `(n, pixels)` of the training images, and the width of the blocks they were averaged over."""
    pixels, width, filled = None, 1, 0
    for block in _blocks(x):
        if pixels is None:
            widest = max(block.shape[1:-1], default=1)
            while n * _flat(block[:1], width, "training").shape[1] > LARGEST_MATRIX and width < widest:
                width += 1
            pixels = np.empty((n, _flat(block[:1], width, "training").shape[1]), dtype=np.float32)
        flat = _flat(block, width, "training")
        if flat.shape[1] != pixels.shape[1]:
            raise InputError(f"Expected training images of one shape, got another one after {filled} images.")
        if filled + len(flat) <= n:
            pixels[filled : filled + len(flat)] = flat
        filled += len(flat)
    if filled != n:
        raise InputError(f"Expected one training image per label, got {filled} images and {n} labels.")
    return pixels, width


def _blocks(x):
    """Arrays of a few images at a time."""
    if not (hasattr(x, "__len__") and hasattr(x, "__getitem__")):
        yield from (np.asarray(block) for block in x)
        return
    if len(x) == 0:
        return
    step = max(1, BLOCK_VALUES // max(1, np.asarray(x[np.array([0])]).size))
    for begin in range(0, len(x), step):
        yield np.asarray(x[np.arange(begin, min(begin + step, len(x)))])


def _flat(images, width, what):
    """Images as float32 rows, each averaged over blocks of `width` pixels along each spatial axis; a rest is cut."""
    images = images.astype(np.float32)
    if not np.isfinite(images).all():
        raise InputError(
            f"Expected finite pixels in the {what} images, got NaN or infinity; mend or remove those images."
        )
    for axis in range(1, images.ndim - 1):
        size = images.shape[axis]
        block = min(width, size)
        whole = np.take(images, np.arange(size - size % block), axis=axis) if size % block else images
        if block > 1:
            shape = (*whole.shape[:axis], size // block, block, *whole.shape[axis + 1 :])
            images = whole.reshape(shape).mean(axis=axis + 1)
    return images.reshape(len(images), -1)
