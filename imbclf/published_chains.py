"""The augmentation of published work, as data: a configuration that names it is read without any backend."""

from copy import deepcopy

# Scholz et al. (2024), appendix B.1.2 and B.2.2: each step with probability 0.5, in an order that they do not state.
# The crop comes first here, because everything after it then costs a third.
PUBLISHED_CHAINS = {
    "glaucoma": [
        {"name": "RandomGamma", "gamma": [0.5, 1.5], "probability": 0.5},
        {"name": "RandomContrast", "gain": [5.0, 10.0], "probability": 0.5},
        {"name": "RandomFlip", "probability": 0.5},
    ],
    "glioma": [
        {"name": "RandomCrop", "size": 64, "probability": 0.5},
        {"name": "RandomGamma", "gamma": [0.5, 1.5], "probability": 0.5},
        {"name": "RandomGaussianBlur", "sigma": [0.0, 1.5], "probability": 0.5},
        {"name": "RandomFlip", "probability": 0.5},
    ],
}


def published_layers(name):
    """The layers of a published chain in order, each a dictionary of its name and its options.

    Args:
        name: a key of `PUBLISHED_CHAINS`.

    Returns:
        A list of dictionaries that may be changed.

    Raises:
        ValueError: an unknown name.

    Example:

    >>> [layer["name"] for layer in published_layers("glaucoma")]
    ['RandomGamma', 'RandomContrast', 'RandomFlip']
    """
    if name not in PUBLISHED_CHAINS:
        raise ValueError(f"Published chains are {' and '.join(PUBLISHED_CHAINS)}; received {name!r}.")
    return deepcopy(PUBLISHED_CHAINS[name])


def chain_of_shape(image_shape):
    """The layers published for photographs or for volumes, by the shape `(*space, channels)` of the images.

    A crop that the images are too small for is left out.

    Example:

    >>> [layer["name"] for layer in chain_of_shape((24, 24, 24, 4))]
    ['RandomGamma', 'RandomGaussianBlur', 'RandomFlip']
    """
    *space, _ = image_shape
    layers = published_layers("glaucoma" if len(space) == 2 else "glioma")
    return [layer for layer in layers if layer.get("size", 0) <= min(space)]
