"""Augmentation of images and volumes by the same code: each image with its own draws, on any backend."""

from imbclf.augment.published_chain import published_chain
from imbclf.augment.random_affine import RandomAffine
from imbclf.augment.random_contrast import RandomContrast
from imbclf.augment.random_crop import RandomCrop
from imbclf.augment.random_flip import RandomFlip
from imbclf.augment.random_gamma import RandomGamma
from imbclf.augment.random_gaussian_blur import RandomGaussianBlur
from imbclf.augment.random_noise import RandomNoise

__all__ = [
    "RandomAffine",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomGamma",
    "RandomGaussianBlur",
    "RandomNoise",
    "published_chain",
]
