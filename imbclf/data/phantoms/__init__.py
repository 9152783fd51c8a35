"""Synthetic photographs and scans in the layouts of the public archives, to try everything on."""

from imbclf.data.phantoms.glaucoma import write_phantom_glaucoma
from imbclf.data.phantoms.glioma import write_phantom_glioma

__all__ = ["write_phantom_glaucoma", "write_phantom_glioma"]
