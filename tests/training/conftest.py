import numpy as np
import pytest
from PIL import Image

from imbclf.training import load_config, train


def write_images(root):
    """A folder per class: 8 x 8 grey images, 40 dark with a bright left half, 20 with a bright right half."""
    random = np.random.default_rng(0)
    for name, count, side in (("left", 40, slice(0, 4)), ("right", 20, slice(4, 8))):
        (root / name).mkdir(parents=True)
        for i in range(count):
            pixels = random.integers(0, 90, (8, 8))
            pixels[:, side] += 120
            Image.fromarray(pixels.astype("uint8")).save(root / name / f"{i:03d}.png")
    return root


def write_config(folder, images):
    """A configuration that trains a tiny network on the images in seconds."""
    path = folder / "tiny.yaml"
    path.write_text(
        f"""
name: tiny
output: {folder}/run
data: {{root: {images}}}
model: {{width: 2, stem: large}}
loss: CEPlusF1
sampling: {{batches: balanced}}
augment: [{{name: RandomAffine, shift: 0.1}}]
training: {{epochs: 3, batch_size: 16, learning_rate: 0.003}}
evaluation: {{bootstrap: 50, tsne: false}}
"""
    )
    return path


@pytest.fixture
def image_folder(tmp_path):
    return write_images(tmp_path / "images")


@pytest.fixture
def config_file(tmp_path, image_folder):
    return write_config(tmp_path, image_folder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run and the configuration file it was made by; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("finished")
    path = write_config(folder, write_images(folder / "images"))
    return train(load_config(path)), path
