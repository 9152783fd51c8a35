"""The residual encoder of every network here, in 2D and 3D from one code path."""

import keras
from keras import layers

from imbclf.errors import InputError

STAGES = (3, 4, 6, 3)
# Width and stride of the first convolution, and whether a pooling of stride 2 follows.
STEMS = {"small": (3, 1, False), "medium": (3, 2, False), "large": (7, 2, True)}


def check_arguments(input_shape, num_classes, width, stem):
    """The input shape as a tuple, and the stem that "auto" stands for; `InputError` where no network can be made."""
    input_shape = tuple(input_shape)
    if len(input_shape) not in (3, 4) or any(not isinstance(size, int) or size < 1 for size in input_shape):
        raise InputError(
            "input_shape must be (height, width, channels) or (depth, height, width, channels) with positive sizes; "
            f"received {input_shape}."
        )
    if num_classes < 1 or width < 1:
        raise InputError(f"num_classes and width must be positive; received {num_classes} and {width}.")
    if stem not in ("auto", *STEMS):
        raise InputError(f"stem must be 'auto', {', '.join(map(repr, STEMS))}; received {stem!r}.")
    if stem == "auto":
        stem = "small" if min(input_shape[:-1]) < 64 else "large"
    return input_shape, stem


def residual_encoder(net, x, width, stem):
    """The stem and the four stages of a ResNet34.

    Args:
        net: `ResidualLayers`.
        x: image, `(batch, *space, channels)`.
        width: channels of the first stage; the stages have `width * (1, 2, 4, 8)`.
        stem: a key of `STEMS`.

    Returns:
        {stride: the last feature map of that resolution}, finest first. A side of n is `ceil(n / stride)` there.
    """
    features = {}
    kernel, stride, pooled = STEMS[stem]
    x = net.convolution(x, width, kernel, stride, name="stem_conv")
    x = net.normalization(x, "stem_bn")
    x = layers.ReLU(name="stem_relu")(x)
    if pooled:
        features[stride] = x
        x = net.max_pool(x, name="stem_pool")
        stride *= 2
    for stage, blocks in enumerate(STAGES):
        for block in range(blocks):
            step = 2 if stage > 0 and block == 0 else 1
            x = net.basic_block(x, width * 2**stage, step, name=f"stage{stage + 1}_block{block + 1}")
        features[stride * 2**stage] = x
    return features


class ResidualLayers:
    """The layers of a residual network in `rank` spatial dimensions."""

    def __init__(self, rank, momentum):
        self.momentum = momentum
        self.conv = {2: layers.Conv2D, 3: layers.Conv3D}[rank]
        self.pad = {2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}[rank]
        self.crop = {2: layers.Cropping2D, 3: layers.Cropping3D}[rank]
        self.pool = {2: layers.MaxPooling2D, 3: layers.MaxPooling3D}[rank]
        self.repeat = {2: layers.UpSampling2D, 3: layers.UpSampling3D}[rank]
        self.global_average = {2: layers.GlobalAveragePooling2D, 3: layers.GlobalAveragePooling3D}[rank]

    def convolution(self, x, filters, kernel, stride, name):
        # Padding by hand is symmetric; "same" at stride 2 shifts the image by half a pixel per stage.
        if stride > 1 and kernel > 1:
            x = self.pad(kernel // 2, name=f"{name}_pad")(x)
            padding = "valid"
        else:
            padding = "same"
        return self.conv(
            filters,
            kernel,
            strides=stride,
            padding=padding,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(
                2.0, mode="fan_out", distribution="untruncated_normal"
            ),
            name=name,
        )(x)

    def normalization(self, x, name):
        return layers.BatchNormalization(momentum=self.momentum, epsilon=1e-5, name=name)(x)

    def convolution_block(self, x, filters, name):
        """A 3-wide convolution, batch normalisation and ReLU."""
        x = self.convolution(x, filters, kernel=3, stride=1, name=f"{name}_conv")
        x = self.normalization(x, f"{name}_bn")
        return layers.ReLU(name=f"{name}_relu")(x)

    def max_pool(self, x, name):
        # After a ReLU no value is below 0, so padding with 0 never wins over one.
        x = self.pad(1, name=f"{name}_pad")(x)
        return self.pool(3, strides=2, name=name)(x)

    def average(self, x, name):
        return self.global_average(dtype="float32", name=name)(x)

    def basic_block(self, x, filters, stride, name):
        shortcut = x
        if stride > 1 or x.shape[-1] != filters:
            shortcut = self.convolution(x, filters, kernel=1, stride=stride, name=f"{name}_shortcut_conv")
            shortcut = self.normalization(shortcut, f"{name}_shortcut_bn")
        x = self.convolution(x, filters, kernel=3, stride=stride, name=f"{name}_conv1")
        x = self.normalization(x, f"{name}_bn1")
        x = layers.ReLU(name=f"{name}_relu1")(x)
        x = self.convolution(x, filters, kernel=3, stride=1, name=f"{name}_conv2")
        x = self.normalization(x, f"{name}_bn2")
        x = layers.Add(name=f"{name}_add")([x, shortcut])
        return layers.ReLU(name=f"{name}_relu2")(x)

    def upsample(self, x, shape, name):
        """Nearest neighbours at twice the resolution, cut off at the end of a map of `shape` with an odd side."""
        x = self.repeat(2, name=f"{name}_repeat")(x)
        beyond = [(0, ours - theirs) for ours, theirs in zip(x.shape[1:-1], shape[1:-1])]
        return self.crop(tuple(beyond), name=f"{name}_crop")(x) if any(map(any, beyond)) else x
