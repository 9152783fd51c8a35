import numpy as np
import pytest
from PIL import Image

from imbclf.data import write_nifti
from imbclf.data.checking import check_index
from tests.data.checking.pictures import picture


@pytest.fixture
def folder(tmp_path):
    """Writes files by name: arrays as images, text as it is."""

    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_text(content, encoding="utf-8")
            elif isinstance(content, bytes):
                path.write_bytes(content)
            elif name.endswith(".npy"):
                np.save(path, content)
            elif ".nii" in name:
                write_nifti(path, content, np.eye(4))
            else:
                Image.fromarray(content.squeeze()).save(path)
        return tmp_path

    return write


@pytest.fixture
def checked(folder):
    """Checks an index of pictures, one for every path in it unless a test gives or withholds them."""

    def check(text, files=None, **options):
        paths = [line.split(",")[0] for line in text.splitlines()[1:]]
        wanted = {path: picture(seed) for seed, path in enumerate(paths)} if files is None else files
        root = folder({**wanted, "index.csv": text})
        return check_index(root / "index.csv", **options)

    return check
