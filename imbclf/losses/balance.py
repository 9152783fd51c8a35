import keras
from keras import ops
from keras.saving import register_keras_serializable
from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope

from imbclf.losses.base import ImageLoss, ratio
from imbclf.losses.inter_class_balance import InterClassBalance, inter_class
from imbclf.losses.intra_class_balance import IntraClassBalance, intra_class
from imbclf.losses.weighted_sum import LossPart
from imbclf.samples import being_differentiated
from imbclf.statistics import sum_over_replicas


@register_keras_serializable(package="imbclf")
class Balance(ImageLoss):
    r"""Intra-class balance first; inter-class balance joins when the network is ready for it.

    $$L = (1 - \lambda)\, L_{intra} + \lambda\, L_{inter}$$

    with `IntraClassBalance` and `InterClassBalance`. Which \(\lambda\) is `schedule`:

    - `"switch"`, as published: 0, then \(1 - \alpha\) from the step after a training batch met the criterion; one way.
    - `"fade"`, in a single stage and without state: \((1 - \alpha) r\), where the readiness r in [0, 1] is the mean
      over the images with foreground of (share of foreground voxels with \(q \ge t\)) x max(0, 1 - (background
      voxels with \(q < t\)) / (foreground voxels)). It is the criterion by degrees, and has no gradient.

    The criterion counts the images with foreground (any class but 0) in a batch; half of them must pass in their
    foreground of f voxels, and half in their background:

    - `"published"`, the released code: at least one foreground voxel with \(q \ge t\); fewer than f background voxels
      with \(q < t\).
    - `"paper"`, algorithm 1 of the appendix: all foreground voxels with \(q \ge t\); at least f background voxels (or
      all) with \(q \ge t\).

    An image without foreground, which the published code skips, has no vote and costs its mean cross-entropy in the
    inter-class part. In K classes both parts are in K classes. Range \([0, \infty)\), 0 for a perfect prediction.

    `switched` (0.0 or 1.0) is a Keras variable that training sets and evaluation leaves alone. Its value is part of the
    config, hence of a saved model. `compile(metrics=loss.part_metrics())` shows both parts and the switch; on JAX it is
    needed for training with `"switch"`, since a compiled step there sees the variables of the model alone.
    `imbclf.training.BalanceSwitchLogger` says at which epoch it flipped.

    Source: Xu et al. (2025), eq. 13 and algorithm 1 of its appendix; `"fade"` is its future work, done here.

    Args:
        alpha: share of the intra-class part after the switch, in [0, 1].
        t: probability of the true class above which a voxel is easy, in the intra-class part and the criterion.
        schedule: `"switch"` or `"fade"`.
        criterion: `"published"` or `"paper"`.
        switched: whether to start in the second stage.
        class_weight: weighs the classes in both parts; a list, `"balanced"` or `None`.
        **kwargs: `from_logits`, `ignore_class`, `reduction`, `name`, `dtype`; see `ImbalanceLoss`.

    Shapes: `y_true` `(B, *space)`, `(B, *space, 1)` or `(B, *space, K)`; `y_pred` `(B, *space, K)`, `K = 1` for a
    sigmoid head. Unreduced `(B,)`.

    Example:

    >>> import imbclf
    >>> y, p = [[0, 0, 0, 1]], [[[0.5, 0.5], [0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]]
    >>> first, second = imbclf.Balance(), imbclf.Balance(switched=True)
    >>> float(first(y, p)) == float(imbclf.IntraClassBalance()(y, p))
    True
    >>> float(second(y, p))  # half of each part
    0.9146
    """

    def __init__(
        self,
        alpha=0.5,
        t=0.9,
        schedule="switch",
        criterion="published",
        switched=False,
        name="balance",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be in [0, 1]; received {alpha}.")
        if not 0 <= t <= 1:
            raise ValueError(f"t must be a probability in [0, 1]; received {t}.")
        if schedule not in ("switch", "fade"):
            raise ValueError(f"schedule must be 'switch' or 'fade'; received {schedule!r}.")
        if criterion not in ("published", "paper"):
            raise ValueError(f"criterion must be 'published' or 'paper'; received {criterion!r}.")
        self.alpha = alpha
        self.t = t
        self.schedule = schedule
        self.criterion = criterion
        self._switch = Switch(float(switched))

    @property
    def switched(self):
        """The Keras variable that is 1.0 from the switch on."""
        return self._switch.variable

    @property
    def steps_before_switch(self):
        """The Keras variable that counts training steps until the switch, the one that flipped it included."""
        return self._switch.steps

    @property
    def variables(self):
        return [variable for metric in self.state_metrics() for variable in metric.variables]

    def part_metrics(self):
        """One metric per part, unweighted, and the switch, to pass to `compile(metrics=...)`."""
        options = {key: self.get_config()[key] for key in ("from_logits", "ignore_class", "class_weight", "dtype")}
        parts = [IntraClassBalance(t=self.t, **options), InterClassBalance(**options)]
        return [*(LossPart(part) for part in parts), *self.state_metrics()]

    def state_metrics(self):
        """The metric that holds the switch, if there is one."""
        return [self._switch] if self.schedule == "switch" else []

    def per_image(self, samples):
        class_weights = self.class_weights(samples)
        intra = intra_class(samples, self.t, class_weights)
        inter = inter_class(samples, class_weights)
        readiness = Readiness(samples, self.t)
        if self.schedule == "fade":
            ready = readiness.degree()
        else:
            ready = ops.cast(self.switched, intra.dtype)
        share = (1 - self.alpha) * ops.stop_gradient(ready)
        loss = (1 - share) * intra + share * inter
        if self.schedule == "switch":
            # Last, since on PyTorch `ready` may be the variable itself.
            self._flip(readiness, samples)
        return loss

    def _flip(self, readiness, samples):
        refusal = None
        if keras.backend.backend() == "jax":
            if not in_stateless_scope():
                return  # A step written by hand has no place where a variable could be kept.
            if get_stateless_scope().get_current_value(self.switched) is None:
                refusal = (
                    f"{self.name} keeps a variable, and a compiled step on JAX sees only those of the model: pass "
                    "metrics=loss.part_metrics() to compile, or use schedule='fade'."
                )
        training = ops.cast(being_differentiated(samples.probabilities, refusal), readiness.images.dtype)
        if refusal is None:
            passed = ops.stop_gradient(readiness.passed(self.criterion)) * training
            self._switch.step(passed, training)

    def get_config(self):
        return {
            "alpha": self.alpha,
            "t": self.t,
            "schedule": self.schedule,
            "criterion": self.criterion,
            "switched": bool(ops.convert_to_numpy(self.switched)),
            **super().get_config(),
        }


class Readiness:
    """How far each image of a batch is from the point where its hardest background can be singled out.

    Args:
        samples: what `prepare` returned.
        t: probability of the true class from which a voxel is easy.
    """

    def __init__(self, samples, t):
        foreground = samples.weights * (1 - samples.labels[..., 0])
        background = samples.weights * samples.labels[..., 0]
        q = ops.sum(samples.labels * samples.probabilities, axis=-1)
        is_easy = ops.cast(q >= t, q.dtype)
        self.foreground, self.background = ops.sum(foreground, axis=1), ops.sum(background, axis=1)
        self.easy_foreground = ops.sum(foreground * is_easy, axis=1)
        self.hard_foreground = ops.sum(foreground * (1 - is_easy), axis=1)
        self.easy_background = ops.sum(background * is_easy, axis=1)
        self.hard_background = ops.sum(background * (1 - is_easy), axis=1)
        self.images = ops.cast(self.foreground > 0, q.dtype)

    def degree(self):
        """Mean over the images with foreground, in [0, 1]; 0 if there are none."""
        missed = ratio(self.hard_background, self.foreground)
        return self._mean(ratio(self.easy_foreground, self.foreground) * ops.maximum(1 - missed, 0.0))

    def passed(self, criterion):
        """1.0 if half of the images with foreground pass in it and half in their background, else 0.0."""
        if criterion == "published":
            foreground = self.easy_foreground > 0
            background = self.hard_background < self.foreground
        else:
            foreground = self.hard_foreground == 0
            background = self.easy_background >= ops.minimum(self.foreground, self.background)
        half = [self._mean(ops.cast(passed, self.images.dtype)) >= 0.5 for passed in (foreground, background)]
        return ops.cast(ops.logical_and(*half), self.images.dtype)

    def _mean(self, values):
        return ratio(sum_over_replicas(ops.sum(self.images * values)), sum_over_replicas(ops.sum(self.images)))


@register_keras_serializable(package="imbclf")
class Switch(keras.metrics.Metric):
    """A variable that is 0.0, then 1.0, held by a metric so that it is part of a model's state and of its logs."""

    def __init__(self, value=0.0, name="switched", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.variable = self.add_variable(
            (), keras.initializers.Constant(value), name=name, dtype="float32", aggregation="only_first_replica"
        )

        self.steps = self.add_variable(
            (), "zeros", name="steps_before_switch", dtype="float32", aggregation="only_first_replica"
        )

    def step(self, passed, training):
        """One step: it counts while the switch is off, and flips the switch if `passed`; both are 0.0 or 1.0."""
        before = ops.convert_to_tensor(self.variable)
        self.steps.assign(self.steps + (1 - before) * ops.cast(training, "float32"))
        self.variable.assign(ops.maximum(before, ops.cast(passed, "float32")))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Nothing: the loss calls `step`."""

    def reset_state(self):
        """Nothing: the switch is one way."""

    def result(self):
        return ops.cast(self.variable, self.dtype)

    def get_config(self):
        return {**super().get_config(), "value": float(ops.convert_to_numpy(self.variable))}
