"""The analyses of the papers as tools: what a loss sees of imbalanced classes, in numbers and in figures."""

from imbclf.analysis.figures import (
    plot_constant_confidence_bias,
    plot_gradient_mass,
    plot_marginal_penalties,
    plot_soft_and_hard_errors,
)
from imbclf.analysis.gradient_mass import gradient_mass, gradient_shares
from imbclf.analysis.marginal_penalties import marginal_penalties
from imbclf.analysis.soft_hard_errors import SoftHardErrors, constant_confidence_bias, soft_and_hard_errors

__all__ = [
    "SoftHardErrors",
    "constant_confidence_bias",
    "gradient_mass",
    "gradient_shares",
    "marginal_penalties",
    "plot_constant_confidence_bias",
    "plot_gradient_mass",
    "plot_marginal_penalties",
    "plot_soft_and_hard_errors",
    "soft_and_hard_errors",
]
