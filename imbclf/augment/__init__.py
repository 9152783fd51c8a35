"""Augmentation of images and volumes by the same code: each image with its own draws, on any backend."""

from imbclf.augment.random_affine import RandomAffine
from imbclf.augment.random_flip import RandomFlip
from imbclf.augment.random_gamma import RandomGamma

__all__ = ["RandomAffine", "RandomFlip", "RandomGamma"]
