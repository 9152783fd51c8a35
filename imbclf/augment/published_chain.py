import numpy as np

from imbclf.augment.random_contrast import RandomContrast
from imbclf.augment.random_crop import RandomCrop
from imbclf.augment.random_flip import RandomFlip
from imbclf.augment.random_gamma import RandomGamma
from imbclf.augment.random_gaussian_blur import RandomGaussianBlur
from imbclf.published_chains import published_layers

_LAYERS = {layer.__name__: layer for layer in (RandomContrast, RandomCrop, RandomFlip, RandomGamma, RandomGaussianBlur)}


def published_chain(name, seed=None):
    """The augmentation of Scholz et al. (2024), appendix B.1.2 and B.2.2, as layers in order.

    `"glaucoma"` changes gamma and contrast and flips; `"glioma"` crops 64 voxels along each axis (see `RandomCrop`),
    changes gamma, blurs and flips. Images must be in [0, 1]. In a configuration `augment: glioma` is the same.

    Args:
        name: `"glaucoma"` or `"glioma"`.
        seed: integer from which each layer gets a seed of its own, the ones that a run with this seed uses; None draws
            them.

    Returns:
        A list of layers, such as for `keras.Sequential`.

    Raises:
        ValueError: an unknown name.

    Example:

    >>> import keras
    >>> from imbclf.augment import published_chain
    >>> keras.Sequential(published_chain("glioma", seed=0)).compute_output_shape((None, 96, 96, 96, 4))
    (None, 64, 64, 64, 4)
    """
    return [
        _LAYERS[options.pop("name")](**options, seed=None if seed is None else layer_seed(seed, position))
        for position, options in enumerate(published_layers(name))
    ]


def layer_seed(seed, position):
    """The seed of the layer at a position of a chain, so that layers of one chain do not draw alike."""
    return int(np.random.SeedSequence((seed, position)).generate_state(1)[0] >> 1)
