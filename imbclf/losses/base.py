"""The contract every loss keeps: what goes in, how weights count, what Keras gets back."""

import keras
from keras import ops

from imbclf.samples import mask_of, prepare
from imbclf.statistics import soft_confusion, sum_over_replicas


class ImbalanceLoss(keras.losses.Loss):
    """Base of all losses: one entry for labels, logits, masks and weights; one exit for reduction.

    A subclass says in `loss_and_weights` what each image or voxel costs and how much it weighs.

    Args:
        from_logits: whether `y_pred` holds logits; everything is then computed in log space.
        ignore_class: label that does not count, inside or outside `0..K-1`, or `None`.
        class_weight: one weight per class, `"balanced"` (inverse frequency within the batch), or `None`.
        reduction: as in Keras: `"sum_over_batch_size"` (divides by the count), `"mean_with_sample_weight"` (divides by
            the sum of the weights), `"sum"`, or `"none"`.
        name: name of the loss.
        dtype: `"float64"` computes in float64; anything else in float32, however narrow the inputs.
    """

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        class_weight=None,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.class_weight = _standardize_class_weight(class_weight)

    def __call__(self, y_true, y_pred, sample_weight=None):
        # Keras multiplies a finished value by weights and mask; here they have to reach the sums before they are taken.
        mask = mask_of(y_pred)
        with keras.name_scope(self.name):
            samples = self._prepare(y_true, y_pred, sample_weight, mask)
            values, weights, divisor = self.loss_and_weights(samples)
            weighted = values * weights
            if self.reduction in ("none", None):
                return weighted
            total = ops.sum(weighted)
            if self.reduction == "sum":
                return total
            # Each replica returns its share of the global mean; the shares add up to it, and so do their gradients.
            divisor = sum_over_replicas(divisor)
            return total / ops.where(divisor > 0, divisor, ops.ones_like(divisor))

    def call(self, y_true, y_pred):
        """The unreduced loss, `(B, *space)` for pointwise losses and `(B,)` for set-level ones."""
        return self.loss_and_weights(self._prepare(y_true, y_pred))[0]

    def loss_and_weights(self, samples):
        """What the batch costs.

        Returns:
            `(values, weights, divisor)`: `values` and `weights` of one shape that starts with the batch, and the number
            that the sum of their product is divided by when the reduction is a mean.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what a batch costs.")

    @property
    def variables(self):
        """Keras variables that change while training and have to be saved for an exact resume; few losses have any."""
        return []

    def class_weights(self, samples):
        """The weight of each class, `(K,)`, or `None`."""
        if self.class_weight is None:
            return None
        dtype = samples.labels.dtype
        if self.class_weight == "balanced":
            counts = sum_over_replicas(ops.sum(ops.expand_dims(samples.weights, -1) * samples.labels, axis=(0, 1)))
            present = ops.cast(counts > 0, dtype)
            inverse = present / ops.where(counts > 0, counts, ops.ones_like(counts))
            return inverse * ops.sum(counts) / ops.maximum(ops.sum(present), 1.0)
        if len(self.class_weight) != samples.num_classes:
            raise ValueError(
                f"class_weight of {self.name} has {len(self.class_weight)} entries; "
                f"the predictions have {samples.num_classes} classes."
            )
        return ops.convert_to_tensor(self.class_weight, dtype=dtype)

    def get_config(self):
        return {
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "class_weight": self.class_weight,
            **super().get_config(),
            "dtype": self.dtype,
        }

    def _prepare(self, y_true, y_pred, sample_weight=None, mask=None):
        return prepare(
            y_true,
            y_pred,
            sample_weight=sample_weight,
            mask=mask,
            from_logits=self.from_logits,
            ignore_class=self.ignore_class,
            dtype=self.dtype,
        )


class PointwiseLoss(ImbalanceLoss):
    """A loss that is a mean over voxels. A subclass gives the cost of each, `(B, N)`, in `per_voxel`."""

    def per_voxel(self, samples):
        """Cost of each voxel, `(B, N)`, before any weight."""
        raise NotImplementedError(f"{type(self).__name__} must say what a voxel costs.")

    def loss_and_weights(self, samples):
        weights = samples.weights
        class_weights = self.class_weights(samples)
        if class_weights is not None:
            weights = weights * ops.sum(samples.labels * class_weights, axis=-1)
        by_weight = self.reduction == "mean_with_sample_weight"
        divisor = ops.sum(weights if by_weight else samples.valid)
        values = self.per_voxel(samples)
        return ops.reshape(values, samples.shape), ops.reshape(weights, samples.shape), divisor


class SetLoss(ImbalanceLoss):
    """A loss of a whole set: the batch, or each image. A subclass gives its value from the counts in `from_counts`.

    Args:
        over: `"batch"` (statistics of the whole batch) or `"sample"` (per image, then the mean over images).
        **kwargs: see `ImbalanceLoss`. For a set-level loss both means are the same: weights are inside the statistics.
    """

    def __init__(self, over="batch", **kwargs):
        super().__init__(**kwargs)
        if over not in ("batch", "sample"):
            raise ValueError(f"over must be 'batch' or 'sample'; received {over!r}.")
        self.over = over

    def from_counts(self, counts, samples):
        """The loss from soft counts: a scalar over the batch, `(B,)` per image."""
        raise NotImplementedError(f"{type(self).__name__} must say what a set costs.")

    def counts(self, samples):
        """The soft counts that `from_counts` gets."""
        return soft_confusion(samples, self.over)

    def loss_and_weights(self, samples):
        values = self.from_counts(self.counts(samples), samples)
        return whole_batch(values, samples) if self.over == "batch" else image_by_image(values, samples)

    def get_config(self):
        return {"over": self.over, **super().get_config()}


class ImageLoss(ImbalanceLoss):
    """A loss of each image by itself, then the mean over images. A subclass gives it, `(B,)`, in `per_image`."""

    def per_image(self, samples):
        """Loss of each image, `(B,)`, 0 where no voxel counts."""
        raise NotImplementedError(f"{type(self).__name__} must say what an image costs.")

    def loss_and_weights(self, samples):
        return image_by_image(self.per_image(samples), samples)


class OverlapLoss(SetLoss):
    """A set-level loss that is a mean over classes. A subclass gives each class's loss in `per_class`.

    Args:
        absent: what a class without a true voxel in the set contributes. `"skip"`: nothing, it is left out of the mean.
            `"zero"`: an overlap of 0, as published for the soft F1. `"penalize"`: the mean over voxels of
            `stop_gradient(p) * p`, so that predicting it is discouraged (Qi et al. 2024, eq. 8).
        include_background: False leaves class 0 out of the mean over classes.
        **kwargs: see `SetLoss`. `class_weight` weighs the classes in the mean and is normalised over those that count.
    """

    def __init__(self, absent="skip", include_background=True, **kwargs):
        super().__init__(**kwargs)
        if absent not in ("skip", "zero", "penalize"):
            raise ValueError(f"absent must be 'skip', 'zero' or 'penalize'; received {absent!r}.")
        self.absent = absent
        self.include_background = include_background

    def per_class(self, counts):
        """Loss of each class, `(..., K)`, finite where counts are 0."""
        raise NotImplementedError(f"{type(self).__name__} must say what a class costs.")

    def from_counts(self, counts, samples):
        losses = self.per_class(counts)
        present = counts.present
        if self.absent == "skip":
            share = present
        else:
            contribution = (
                ops.ones_like(losses) if self.absent == "zero" else absent_class_penalty(samples, counts, self.over)
            )
            losses = present * losses + (1 - present) * contribution
            share = ops.ones_like(present) * ops.cast(counts.total > 0, losses.dtype)
        class_weights = self.class_weights(samples)
        if class_weights is not None:
            share = share * class_weights
        if not self.include_background:
            share, losses = share[..., 1:], losses[..., 1:]
        total = ops.sum(share, axis=-1)
        return ops.sum(share * losses, axis=-1) / ops.where(total > 0, total, ops.ones_like(total))

    def get_config(self):
        return {"absent": self.absent, "include_background": self.include_background, **super().get_config()}


def whole_batch(value, samples):
    """`loss_and_weights` of one value for the batch, repeated so that Keras and its replicas see a batch axis."""
    images = ops.ones_like(samples.weights[:, 0])
    return value * images, images, ops.sum(images)


def image_by_image(values, samples):
    """`loss_and_weights` of one value per image: each weighs what its voxels weigh on average."""
    weights = ops.sum(samples.weights, axis=1) / ops.maximum(ops.sum(samples.valid, axis=1), 1.0)
    return values, weights, ops.sum(weights)


def class_shares(present, class_weights):
    """Class weights `(K,)` scaled so that those of the present classes `(..., K)` are 1 on average; 0 elsewhere."""
    if class_weights is None:
        return present
    weights = present * class_weights
    return weights * ratio(ops.sum(present, axis=-1, keepdims=True), ops.sum(weights, axis=-1, keepdims=True))


def absent_class_penalty(samples, counts, over):
    """Mean over the voxels of a set of `stop_gradient(p) * p`, per class: what predicting an absent class costs."""
    probabilities = samples.probabilities
    squares = ops.expand_dims(samples.weights, -1) * ops.stop_gradient(probabilities) * probabilities
    if over == "batch":
        sums = sum_over_replicas(ops.sum(squares, axis=(0, 1)))
    else:
        sums = ops.sum(squares, axis=1)
    return sums / ops.where(counts.total > 0, counts.total, ops.ones_like(counts.total))


def ratio(numerator, denominator):
    """`numerator / denominator`, and 0 with a gradient of 0 where the denominator is 0."""
    empty = denominator == 0
    return ops.where(empty, 0.0, numerator / ops.where(empty, ops.ones_like(denominator), denominator))


def _standardize_class_weight(class_weight):
    if class_weight is None or class_weight == "balanced":
        return class_weight
    if isinstance(class_weight, str):
        raise ValueError(
            f"class_weight must be a list of one weight per class, 'balanced' or None; received {class_weight!r}."
        )
    weights = [float(w) for w in class_weight]
    if any(not 0 <= w < float("inf") for w in weights) or not any(weights):
        raise ValueError(f"class_weight must be non-negative and not all 0; received {weights}.")
    return weights
