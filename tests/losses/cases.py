"""All losses of the package, each listed once: the contract suite runs over this list."""

from dataclasses import dataclass, field

import imbclf
from tests.losses import oracles


@dataclass(frozen=True)
class Case:
    make: type
    oracle: callable
    kind: str  # "pointwise", "set" or "mixed"
    options: dict = field(default_factory=dict)

    def __str__(self):
        options = ",".join(f"{key}={value}" for key, value in self.options.items() if key != "losses")
        return self.make.__name__ + (f"({options})" if options else "")

    def loss(self, **options):
        return self.make(**{**self.options, **options})


def weighted_sum(**options):
    """A `WeightedSum` whose parts get the options that a single loss would get."""
    outer = {key: options.pop(key) for key in ("reduction", "name", "dtype") if key in options}
    shared = {**options, **{key: value for key, value in outer.items() if key in ("reduction", "dtype")}}
    set_options = {key: shared.pop(key) for key in ("over", "absent", "include_background") if key in shared}
    return imbclf.WeightedSum([imbclf.Focal(**shared), imbclf.SoftF1(**shared, **set_options)], [0.5, 2.0], **outer)


CASES = [
    Case(imbclf.CrossEntropy, oracles.cross_entropy, "pointwise"),
    Case(imbclf.Focal, oracles.focal, "pointwise"),
    Case(imbclf.Focal, lambda *a: oracles.focal(*a, gamma=0.5), "pointwise", {"gamma": 0.5}),
    Case(imbclf.SoftF1, oracles.soft_f1, "set"),
    Case(imbclf.SoftMCC, oracles.soft_mcc, "set"),
    Case(imbclf.CEPlusF1, oracles.ce_plus_f1, "mixed"),
    Case(imbclf.CEPlusMCC, oracles.ce_plus_mcc, "mixed"),
    Case(weighted_sum, oracles.weighted_sum, "mixed"),
]
SET_LEVEL = [case for case in CASES if case.kind == "set"]
POINTWISE = [case for case in CASES if case.kind == "pointwise"]
