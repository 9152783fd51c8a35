"""Networks, in 2D and 3D from one code path."""

from imbclf.models.resnet import ResNet34

__all__ = ["ResNet34"]
