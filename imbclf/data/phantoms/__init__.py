"""Synthetic photographs and scans in the layouts of the public archives, to try everything on."""

from imbclf.data.phantoms.glaucoma import plan_phantom_glaucoma, write_phantom_glaucoma
from imbclf.data.phantoms.glioma import plan_phantom_glioma, write_phantom_glioma

__all__ = ["plan_phantom_glaucoma", "plan_phantom_glioma", "write_phantom_glaucoma", "write_phantom_glioma"]
