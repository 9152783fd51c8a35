"""Which sample goes in which batch, and what each sample weighs."""

from imbclf.sampling.balanced import BalancedBatches
from imbclf.sampling.batches import Batches
from imbclf.sampling.epoch import EpochFromTrainer
from imbclf.sampling.uniform import UniformBatches
from imbclf.sampling.weights import class_weights

__all__ = ["BalancedBatches", "Batches", "EpochFromTrainer", "UniformBatches", "class_weights"]
