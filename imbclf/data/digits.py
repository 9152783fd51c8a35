"""The demonstration data that come with scikit-learn: handwritten digits, thinned to a long tail."""

import numpy as np
from sklearn.datasets import load_digits

from imbclf.data.arrays import ImageArray
from imbclf.data.dataset import Dataset
from imbclf.errors import InputError

TEST_IMAGES_PER_CLASS = 40
MOST_TRAINING_IMAGES = 130


def long_tailed_digits(ratio=1 / 20, seed=0):
    r"""Real handwriting (8 x 8 grey, 10 classes) whose classes become rarer from digit 0 to digit 9.

    The test split is balanced, 40 images of each class. Of the others, class k keeps

    $$ n_k = \mathrm{round}(130 \cdot \mathrm{ratio}^{k / 9}) $$

    images for training. Validation images are still to be taken from them: `imbclf.data.assign_splits`.

    Args:
        ratio: Images of the rarest class over images of the most frequent one, in (0, 1].
        seed: Chooses which images are kept.

    Returns:
        A `Dataset` with splits `"train"` and `"test"`.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998
    (its test part, as scikit-learn ships it).

    Example:

    >>> from imbclf.data import long_tailed_digits
    >>> digits = long_tailed_digits()
    >>> digits.counts("train").tolist()
    [130, 93, 67, 48, 34, 25, 18, 13, 9, 6]
    >>> digits.counts("test").tolist()
    [40, 40, 40, 40, 40, 40, 40, 40, 40, 40]
    >>> digits.image_shape
    (8, 8, 1)
    """
    if not 1 / MOST_TRAINING_IMAGES <= ratio <= 1:
        raise InputError(f"ratio must lie between 1/{MOST_TRAINING_IMAGES} and 1, not {ratio!r}.")
    digits = load_digits()
    random = np.random.default_rng(seed)
    train, test = [], []
    for digit in range(10):
        shuffled = random.permutation(np.flatnonzero(digits.target == digit))
        kept = round(MOST_TRAINING_IMAGES * ratio ** (digit / 9))
        test.append(shuffled[:TEST_IMAGES_PER_CLASS])
        train.append(shuffled[TEST_IMAGES_PER_CLASS : TEST_IMAGES_PER_CLASS + kept])
    rows = np.concatenate(train + test)
    split = np.repeat(["train", "test"], [sum(map(len, train)), sum(map(len, test))])
    order = np.lexsort((rows, split != "train"))
    rows, split = rows[order], split[order]
    return Dataset(
        images=ImageArray((digits.images[rows, :, :, np.newaxis] / 16).astype(np.float32), name="the digits"),
        y=digits.target[rows].astype(np.int64),
        class_names=tuple(str(digit) for digit in range(10)),
        ids=np.array([f"digits/{row:06d}" for row in rows]),
        split=split,
        name="digits, long tail",
        source="scikit-learn load_digits (Optical Recognition of Handwritten Digits)",
    )
