"""Losses of the label marginals: how much of each image a class takes up, predicted against true."""

import dataclasses

from keras import ops

from imbclf.losses.base import ImageLoss, ratio
from imbclf.samples import TINY


class MarginalLoss(ImageLoss):
    r"""Base: a penalty between the predicted and the true proportion of every class in an image.

    $$\hat p_k = \frac{\sum_i w_i\, \mathrm{softmax}(\tau z_i)_k}{\sum_i w_i}, \qquad
    \hat y_k = \frac{\sum_i w_i y_{ik}}{\sum_i w_i}$$

    The temperature \(\tau\) multiplies the logits, so that a soft prediction counts nearly as its hard one. From
    probabilities, \(\log p\) serves as the logits. A subclass gives the penalty in `from_proportions`.

    Args:
        temperature: \(\tau\), positive; 10 in the published configurations.
        class_weight: multiplies the weight of each voxel by that of its true class; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.
    """

    def __init__(self, temperature=10.0, **kwargs):
        super().__init__(**kwargs)
        if not temperature > 0:
            raise ValueError(f"temperature must be positive; received {temperature}.")
        self.temperature = temperature

    def from_proportions(self, actual, log_predicted):
        """The loss `(B,)` from true proportions `(B, K)` and logarithms of the predicted ones."""
        raise NotImplementedError(f"{type(self).__name__} must say what proportions cost.")

    def per_image(self, samples):
        class_weights = self.class_weights(samples)
        if class_weights is not None:
            of_label = ops.sum(samples.labels * class_weights, axis=-1)
            samples = dataclasses.replace(samples, weights=samples.weights * of_label)
        counted = ops.sum(samples.weights, axis=1, keepdims=True)
        weights = ops.expand_dims(samples.weights, -1)
        actual = ratio(ops.sum(weights * samples.labels, axis=1), counted)
        loss = self.from_proportions(actual, self._log_proportions(samples, counted))
        return ops.where(counted[:, 0] == 0, ops.zeros_like(loss), loss)

    def _log_proportions(self, samples, counted):
        # Summed in log space: a class predicted nowhere in a large image still has a gradient. What does not count must
        # not set the scale.
        log_probabilities = ops.log_softmax(self.temperature * samples.log_probabilities, axis=-1)
        weights = ops.expand_dims(samples.weights, -1)
        least = ops.min(log_probabilities, axis=1, keepdims=True)
        log_probabilities = ops.where(weights == 0, least, log_probabilities)
        shift = ops.stop_gradient(ops.max(log_probabilities, axis=1, keepdims=True))
        sums = ops.sum(weights * ops.exp(log_probabilities - shift), axis=1)
        return ops.log(ops.maximum(ratio(sums, counted), TINY)) + shift[:, 0]

    def get_config(self):
        return {"temperature": self.temperature, **super().get_config()}
