"""Networks, in 2D and 3D from one code path, and their predictions for images larger than what they take."""

from imbclf.models.resnet import ResNet34
from imbclf.models.sliding_window import predict_sliding_window
from imbclf.models.unet import UNet34

__all__ = ["ResNet34", "UNet34", "predict_sliding_window"]
