"""Which sample goes in which batch, and what each sample weighs."""

from imbclf.sampling.balanced import BalancedBatches
from imbclf.sampling.batches import Batches
from imbclf.sampling.cropping import cover, crop
from imbclf.sampling.epoch import EpochFromTrainer
from imbclf.sampling.grid import GridPatches
from imbclf.sampling.patches import PatchBatches
from imbclf.sampling.seeded import SeededBatches
from imbclf.sampling.uniform import UniformBatches
from imbclf.sampling.weights import class_weights

__all__ = [
    "BalancedBatches",
    "Batches",
    "EpochFromTrainer",
    "GridPatches",
    "PatchBatches",
    "SeededBatches",
    "UniformBatches",
    "class_weights",
    "cover",
    "crop",
]
