import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def image_folder(tmp_path):
    """A folder per class: 8 x 8 grey images, 40 dark with a bright left half, 20 with a bright right half."""
    root = tmp_path / "images"
    random = np.random.default_rng(0)
    for name, count, side in (("left", 40, slice(0, 4)), ("right", 20, slice(4, 8))):
        (root / name).mkdir(parents=True)
        for i in range(count):
            pixels = random.integers(0, 90, (8, 8))
            pixels[:, side] += 120
            Image.fromarray(pixels.astype("uint8")).save(root / name / f"{i:03d}.png")
    return root


@pytest.fixture
def config_file(tmp_path, image_folder):
    """A configuration that trains a tiny network on the folder in seconds."""
    path = tmp_path / "tiny.yaml"
    path.write_text(
        f"""
name: tiny
output: {tmp_path}/run
data: {{root: {image_folder}}}
model: {{width: 2, stem: large}}
loss: CEPlusF1
sampling: {{batches: balanced}}
augment: [{{name: RandomAffine, shift: 0.1}}]
training: {{epochs: 3, batch_size: 16, learning_rate: 0.003}}
evaluation: {{bootstrap: 50, tsne: false}}
"""
    )
    return path
