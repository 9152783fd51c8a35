"""ResNet34 in 2D and 3D from one code path."""

import keras
from keras import layers

from imbclf.models.residual import ResidualLayers, check_arguments, residual_encoder


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
        augmentation: a layer applied to the input while training only, or `None`. It may make the image smaller, which
            `RandomCrop` does outside training too; the stem `"auto"` goes by the size that it leaves.
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
    input_shape, _ = check_arguments(input_shape, num_classes, width, stem)
    net = ResidualLayers(len(input_shape) - 1, momentum)
    inputs = keras.Input(input_shape, name="image")
    x = inputs if augmentation is None else augmentation(inputs)
    _, stem = check_arguments(x.shape[1:], num_classes, width, stem)
    *_, x = residual_encoder(net, x, width, stem).values()
    x = net.average(x, name="features")
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    activation = None if from_logits else ("sigmoid" if num_classes == 1 else "softmax")
    name_of_head = "logits" if from_logits else "probabilities"
    outputs = layers.Dense(num_classes, activation=activation, dtype="float32", name=name_of_head)(x)
    return keras.Model(inputs, outputs, name=name)
