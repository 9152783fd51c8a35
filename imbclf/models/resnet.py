"""ResNet34 in 2D and 3D from one code path."""

import keras
from keras import layers

STAGES = (3, 4, 6, 3)
# Width and stride of the first convolution, and whether a pooling of stride 2 follows.
STEMS = {"small": (3, 1, False), "medium": (3, 2, False), "large": (7, 2, True)}


def ResNet34(
    input_shape,
    num_classes,
    width=64,
    stem="auto",
    from_logits=False,
    dropout=0.0,
    momentum=0.9,
    augmentation=None,
    name="resnet34",
):
    """ResNet34 for images or volumes: [3, 4, 6, 3] basic blocks, global average pooling, one dense head.

    With `width=64`, three channels and the large stem it has the 21,284,672 trainable parameters of torchvision's
    ResNet34 before the head. Works under mixed precision: the pooled features and the head are float32.

    Source: He et al. (2016), Deep Residual Learning for Image Recognition, table 1.

    Args:
        input_shape: `(height, width, channels)` or `(depth, height, width, channels)`.
        num_classes: K; 1 makes a sigmoid head.
        width: channels of the first stage; the stages have `width * (1, 2, 4, 8)`, so the features have `8 * width`.
        stem: `"large"`, a 7-wide convolution of stride 2 and a pooling of stride 2, as published; `"small"`, a 3-wide
            convolution of stride 1, which keeps what a 28-pixel image has; `"medium"`, a 3-wide convolution of stride
            2, for 4 times (2D) or 8 times (3D) less work; `"auto"`, small if any side is below 64.
        from_logits: True returns logits, for losses made with `from_logits=True`; False returns probabilities.
        dropout: rate of dropout between features and head.
        momentum: of the moving batch statistics. At 0.9 they follow within tens of steps; at Keras' default of 0.99 a
            training of a few hundred steps is evaluated with statistics it never had.
        augmentation: a layer applied to the input while training only, or `None`.
        name: name of the model.

    Returns:
        A functional `keras.Model`. Its layer `"features"` gives the pooled features, `(batch, 8 * width)`.

    Raises:
        ValueError: an input shape that is neither 2D nor 3D, sides or sizes that are not positive, an unknown stem.

    Example:

    >>> import imbclf
    >>> model = imbclf.models.ResNet34((28, 28, 3), num_classes=5, width=8)
    >>> model.output_shape, model.get_layer("features").output.shape
    ((None, 5), (None, 64))
    """
    input_shape = tuple(input_shape)
    rank = len(input_shape) - 1
    if rank not in (2, 3) or any(not isinstance(size, int) or size < 1 for size in input_shape):
        raise ValueError(
            "input_shape must be (height, width, channels) or (depth, height, width, channels) with positive sizes; "
            f"received {input_shape}."
        )
    if num_classes < 1 or width < 1:
        raise ValueError(f"num_classes and width must be positive; received {num_classes} and {width}.")
    if stem not in ("auto", *STEMS):
        raise ValueError(f"stem must be 'auto', {', '.join(map(repr, STEMS))}; received {stem!r}.")
    if stem == "auto":
        stem = "small" if min(input_shape[:-1]) < 64 else "large"

    net = _Layers(rank, momentum)
    inputs = keras.Input(input_shape, name="image")
    x = inputs if augmentation is None else augmentation(inputs)
    kernel, stride, pooled = STEMS[stem]
    x = net.convolution(x, width, kernel, stride, name="stem_conv")
    x = net.normalization(x, "stem_bn")
    x = layers.ReLU(name="stem_relu")(x)
    if pooled:
        x = net.max_pool(x, name="stem_pool")
    for stage, blocks in enumerate(STAGES):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            x = net.basic_block(x, width * 2**stage, stride, name=f"stage{stage + 1}_block{block + 1}")
    x = net.average(x, name="features")
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    activation = None if from_logits else ("sigmoid" if num_classes == 1 else "softmax")
    name_of_head = "logits" if from_logits else "probabilities"
    outputs = layers.Dense(num_classes, activation=activation, dtype="float32", name=name_of_head)(x)
    return keras.Model(inputs, outputs, name=name)


class _Layers:
    """The layers of a residual network in `rank` spatial dimensions."""

    def __init__(self, rank, momentum):
        self.momentum = momentum
        self.conv = {2: layers.Conv2D, 3: layers.Conv3D}[rank]
        self.pad = {2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}[rank]
        self.pool = {2: layers.MaxPooling2D, 3: layers.MaxPooling3D}[rank]
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
