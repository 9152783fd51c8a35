import numpy as np
import pytest
from PIL import Image

from imbclf.data import Dataset, ImageArray


@pytest.fixture
def write_images(tmp_path):
    """Writes an image of its own for every path and returns the folder."""

    def write(*paths, size=(5, 4)):
        for path in paths:
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            # A hash of the path, so that no two files are alike unless a test wants them to be.
            pixels = np.random.default_rng(list(path.encode())).integers(0, 256, size).astype(np.uint8)
            Image.fromarray(pixels).save(file)
        return tmp_path

    return write


@pytest.fixture(scope="session")
def labelled():
    """Makes a Dataset of labels with an image of its own for every sample, unless numbers of images are given."""

    def make(y, patients=None, split=None, images=None):
        y = np.asarray(y)
        numbers = np.arange(len(y)) if images is None else np.asarray(images)
        pixels = numbers.astype(np.uint16).reshape(-1, 1, 1, 1) + np.uint16(2)
        return Dataset(
            images=ImageArray(pixels),
            y=y,
            class_names=tuple("abcdefgh"[: y.max() + 1]),
            ids=np.array([f"s{position:03d}" for position in range(len(y))]),
            split=np.array([""] * len(y) if split is None else split),
            patients=patients,
        )

    return make
