"""The augmentation layers that every contract is held to; a new layer joins by one line."""

import pytest

from imbclf.augment import (
    RandomAffine,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomGamma,
    RandomGaussianBlur,
    RandomNoise,
)

# Below a sigma of about 0.2 voxels float32 does not tell a blurred image from the image.
LAYERS = {
    "flip": lambda **options: RandomFlip(**options),
    "gamma": lambda **options: RandomGamma((0.5, 1.5), **options),
    "contrast": lambda **options: RandomContrast((5, 10), **options),
    "blur": lambda **options: RandomGaussianBlur((0.4, 1.5), **options),
    "noise": lambda **options: RandomNoise((0.0, 0.1), **options),
    "crop": lambda **options: RandomCrop(3, **options),
    "affine": lambda **options: RandomAffine(20, (0.8, 1.2), 0.1, **options),
}

every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())
