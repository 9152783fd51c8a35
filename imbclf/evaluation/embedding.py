"""Features of a trained network and their map in two dimensions."""

import difflib

import numpy as np

from imbclf.errors import InputError


def embed(model, x, layer="features", batch_size=64):
    """What a layer of a Keras model gives for each image, as one vector per image.

    Args:
        model: any Keras model that has been built, functional, Sequential or a subclass whose layers are functional.
        x: images `(n, *space, C)`: an array, or an object with `len()` and `x[int array] -> array`.
        layer: name of the layer. An output with spatial axes is averaged over them (global average pooling).
        batch_size: images at a time; does not change the result.

    Returns:
        Features `(n, d)`, float32.

    Raises:
        InputError: no layer of that name (the message lists the nearest), a layer with several outputs, or a model that
            was never built.

    Example:

    >>> import keras
    >>> layers = [keras.Input((4, 4, 1)), keras.layers.Conv2D(3, 3, name="features"), keras.layers.Flatten()]
    >>> embed(keras.Sequential(layers), np.zeros((5, 4, 4, 1))).shape
    (5, 3)
    """
    import keras

    names = [candidate.name for candidate in model.layers]
    if layer not in names:
        nearest = difflib.get_close_matches(layer, names, n=3, cutoff=0) or ["none, the model has no layers"]
        raise InputError(
            f"Expected the name of a layer of model {model.name}, got {layer!r}; the nearest are {', '.join(nearest)}."
        )
    try:
        inputs, output = model.inputs, model.get_layer(layer).output
    except (AttributeError, ValueError) as error:
        raise InputError(
            f"The layer {layer!r} of model {model.name} has no single symbolic output; build the model first."
        ) from error
    features = keras.Model(inputs[0] if len(inputs) == 1 else inputs, output)
    batches = []
    for begin in range(0, len(x), batch_size):
        batch = np.asarray(x[np.arange(begin, min(begin + batch_size, len(x)))], dtype=np.float32)
        values = np.asarray(features.predict_on_batch(batch)).astype(np.float32)
        if values.ndim > 2:
            channels_last = keras.config.image_data_format() == "channels_last"
            spatial = range(1, values.ndim - 1) if channels_last else range(2, values.ndim)
            values = values.mean(axis=tuple(spatial))
        batches.append(values)
    if not batches:
        raise InputError("Expected at least one image to embed, got none.")
    return np.concatenate(batches)


def tsne(features, perplexity=30, seed=0):
    """Map of the features in two dimensions: scikit-learn's t-SNE (van der Maaten and Hinton 2008) from a PCA start.

    Distances between far clusters and the sizes of clusters mean nothing in such a map; neighbours do.

    Args:
        features: `(n, d)`, finite, n at least 5.
        perplexity: effective number of neighbours; lowered to (n - 1) / 3 where there are too few points.
        seed: of the optimisation.

    Returns:
        `(n, 2)`, float32. The caller thins a large n (`map_features`): 2,000 points take seconds.

    Raises:
        InputError: not a matrix, fewer than 5 points, NaN or infinity, a perplexity that is not above 1.

    Example:

    >>> tsne(np.random.default_rng(0).normal(size=(12, 4))).shape
    (12, 2)
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    features = np.asarray(features, dtype=np.float32)
    if features.ndim != 2 or len(features) < 5:
        raise InputError(f"Expected features of shape (n, d) with at least 5 points, got {features.shape}.")
    if not np.isfinite(features).all():
        row = int(np.argmin(np.isfinite(features).all(axis=1)))
        raise InputError(f"Expected finite features, got NaN or infinity in row {row} (counted from 0).")
    if not perplexity > 1:
        raise InputError(f"Expected a perplexity above 1, got {perplexity}.")
    perplexity = min(perplexity, (len(features) - 1) / 3)
    # PCA starts in at most d dimensions; a single feature gets a second, constant one.
    if features.shape[1] < 2:
        features = np.pad(features, ((0, 0), (0, 2 - features.shape[1])))
    search = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed)
    # With one thread the map does not depend on how many cores there are; more would wait for each other in every step.
    with threadpool_limits(1):
        chart = search.fit_transform(features)
    return chart.astype(np.float32)
