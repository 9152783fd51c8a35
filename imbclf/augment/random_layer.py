import keras
from keras import ops


class RandomLayer(keras.layers.Layer):
    """Base of all augmentation: each image of a batch is changed with a probability and with draws of its own.

    A subclass changes every image in `transform`; which ones take effect is decided here. Nothing happens outside
    training. Works on `(batch, *space, channels)` with any number of spatial axes, in float32 whatever the policy.

    Args:
        probability: chance of each image to be changed.
        seed: integer seed of the draws; the state of the generator is saved with the layer's variables.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, probability=0.5, seed=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be in [0, 1]; received {probability}.")
        self.probability = probability
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        if not training:
            return images
        changed = self.transform(images)
        chosen = self.draw(images, 0.0, 1.0) < self.probability
        return ops.where(chosen, changed, images)

    def transform(self, images):
        """Every image changed, in the shape of `images`."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does to an image.")

    def draw(self, images, low, high):
        """One uniform number per image, of shape `(batch, 1, ..., 1)`."""
        shape = (ops.shape(images)[0],) + (1,) * (len(images.shape) - 1)
        return keras.random.uniform(shape, low, high, dtype=self.compute_dtype, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "probability": self.probability, "seed": self.seed}
