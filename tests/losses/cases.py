"""All losses of the package, each listed once: the contract suite runs over this list."""

from dataclasses import dataclass, field
from functools import partial

import imbclf
from tests.backend import BACKEND
from tests.losses import oracles


@dataclass(frozen=True)
class Case:
    """A loss, its oracle, and what kind of loss it is.

    `kind` is "pointwise" (a mean over voxels), "mined" (a mean over some of them), "set" (over batch or image), "image"
    (image by image), "mixed" (a sum with a pointwise part) or "sets" (a sum without one). `traits`: "flat" where a
    worse prediction may cost the same, "bias" where the best prediction is not the cheapest, "background" where class 0
    is not like the others.
    """

    make: type
    oracle: callable
    kind: str
    options: dict = field(default_factory=dict)
    traits: tuple = ()

    def __str__(self):
        options = ",".join(f"{key}={value}" for key, value in self.options.items() if key != "losses")
        return self.make.__name__ + (f"({options})" if options else "")

    def loss(self, **options):
        return self.make(**{**self.options, **options})

    def known(self, **options):
        """Those of the options that the loss has."""
        config = self.loss().get_config()
        known = {**config, **{key: None for part in config.get("losses", ()) for key in part["config"]}}
        return {key: value for key, value in options.items() if key in known}


def weighted_sum(**options):
    """A `WeightedSum` whose parts get the options that a single loss would get."""
    outer = {key: options.pop(key) for key in ("reduction", "name", "dtype") if key in options}
    shared = {**options, **{key: value for key, value in outer.items() if key in ("reduction", "dtype")}}
    set_options = {key: shared.pop(key) for key in ("over", "absent", "include_background") if key in shared}
    return imbclf.WeightedSum([imbclf.Focal(**shared), imbclf.SoftF1(**shared, **set_options)], [0.5, 2.0], **outer)


def ce_plus(weight, oracle):
    return oracles.sum_of((1.0, oracles.cross_entropy), (weight, oracle))


at_one = {"temperature": 1.0}

CASES = [
    Case(imbclf.CrossEntropy, oracles.cross_entropy, "pointwise"),
    Case(imbclf.Focal, oracles.focal, "pointwise"),
    Case(imbclf.Focal, partial(oracles.focal, gamma=0.5), "pointwise", {"gamma": 0.5}),
    Case(imbclf.TopK, partial(oracles.top_k, k=0.1), "mined"),
    Case(imbclf.TopK, partial(oracles.top_k, k=0.6), "mined", {"k": 0.6}),
    Case(imbclf.TopKThreshold, oracles.top_k_threshold, "mined", traits=("flat",)),
    Case(imbclf.SoftF1, oracles.soft_f1, "set"),
    Case(imbclf.SoftMCC, oracles.soft_mcc, "set"),
    Case(imbclf.Dice, oracles.dice, "set"),
    Case(imbclf.Dice, partial(oracles.dice, squared=True), "set", {"squared": True}),
    Case(imbclf.LogDice, oracles.log_dice, "set"),
    Case(imbclf.GeneralizedDice, oracles.generalized_dice, "set"),
    Case(imbclf.Tversky, oracles.tversky, "set"),
    Case(imbclf.FocalTversky, oracles.focal_tversky, "set"),
    Case(imbclf.MarginalL1, partial(oracles.marginal_l1, **at_one), "image", at_one),
    Case(imbclf.MarginalL1, oracles.marginal_l1, "image", traits=("flat",)),
    Case(imbclf.MarginalKL, oracles.marginal_kl, "image", traits=("flat",)),
    Case(imbclf.DiceBias, oracles.dice_bias, "image", traits=("bias",)),
    Case(imbclf.InterClassBalance, oracles.inter_class_balance, "image"),
    Case(imbclf.IntraClassBalance, oracles.intra_class_balance, "image"),
    Case(imbclf.Balance, oracles.intra_class_balance, "image"),
    Case(imbclf.Balance, oracles.balance, "image", {"switched": True}),
    Case(imbclf.Balance, oracles.fading_balance, "image", {"schedule": "fade"}, ("background",)),
    Case(imbclf.GradientAwareDice, oracles.gradient_aware_dice, "set"),
    Case(imbclf.GradientAwareCE, oracles.gradient_aware_ce, "set"),
    Case(imbclf.GradientAwareCE, partial(oracles.gradient_aware_ce, k=0.7, gamma=0.0), "set", {"k": 0.7, "gamma": 0.0}),
    Case(imbclf.GradientAware, oracles.gradient_aware, "sets"),
    Case(imbclf.CEPlusF1, ce_plus(1.0, oracles.soft_f1), "mixed"),
    Case(imbclf.CEPlusMCC, ce_plus(1.0, oracles.soft_mcc), "mixed"),
    Case(imbclf.CEPlusDice, ce_plus(1.0, oracles.dice), "mixed"),
    Case(imbclf.CEPlusLogDice, ce_plus(0.1, oracles.log_dice), "mixed"),
    Case(imbclf.CEPlusDiceBias, ce_plus(0.01, oracles.dice_bias), "mixed", traits=("bias",)),
    Case(imbclf.CEPlusMarginalL1, ce_plus(1.0, oracles.marginal_l1), "mixed"),
    Case(imbclf.CEPlusMarginalKL, ce_plus(0.1, oracles.marginal_kl), "mixed"),
    Case(imbclf.FocalPlusMarginalL1, oracles.sum_of((1.0, oracles.focal), (1.0, oracles.marginal_l1)), "mixed"),
    Case(imbclf.Combo, oracles.combo, "mixed"),
    Case(imbclf.UnifiedFocal, oracles.unified_focal, "mixed", traits=("background",)),
    Case(
        imbclf.UnifiedFocal,
        partial(oracles.unified_focal, asymmetric=False),
        "mixed",
        {"asymmetric": False},
        ("background",),
    ),
    Case(weighted_sum, oracles.sum_of((0.5, oracles.focal), (2.0, oracles.soft_f1)), "mixed"),
]
if BACKEND == "jax":
    # Every loss, but its variants of options on TensorFlow alone: JAX compiles each shape of each operation anew.
    CASES = list({case.make: case for case in reversed(CASES)}.values())[::-1]
SET_LEVEL = [case for case in CASES if case.kind == "set"]
IMAGE_LEVEL = [case for case in CASES if case.kind == "image"]
POINTWISE = [case for case in CASES if case.kind in ("pointwise", "mined") and case.make is not imbclf.TopKThreshold]
