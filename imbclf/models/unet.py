"""U-Net on a ResNet34 encoder, in 2D and 3D from one code path."""

import keras
from keras import layers

from imbclf.errors import InputError
from imbclf.models.residual import ResidualLayers, check_arguments, residual_encoder

# Channels of the full resolution where the stem has a stride: fewer cost accuracy (on the hippocampus 0.02 of Dice with
# 4) and hardly less time, since CPUs convolve 8 or 16 channels at once.
NARROWEST = 8


def UNet34(
    input_shape,
    num_classes,
    width=64,
    stem="auto",
    from_logits=False,
    dropout=0.0,
    momentum=0.9,
    deep_supervision=0,
    augmentation=None,
    name="unet34",
):
    """A class for every pixel or voxel: the ResNet34 as encoder, and a decoder with skips back to full resolution.

    The decoder doubles the resolution by nearest neighbours, after a 1-wide convolution to the channels of the skip,
    concatenates the skip, and convolves twice, 3 wide, with batch normalisation and ReLU. Where the stem has a stride,
    the last skip is one such convolution of the image, of half the width, so that structures of one voxel survive and
    the most expensive resolution stays narrow, but of at least 8 channels. Any side works: where a side is odd, what
    the upsampling adds beyond it is cut off.

    The encoder's layers have the names and shapes of `ResNet34` of the same width and stem, so that its weights can be
    copied layer by layer with `get_layer(name).set_weights(...)`.

    Sources: Ronneberger et al. (2015), U-Net; He et al. (2016), Deep Residual Learning for Image Recognition.

    Args:
        input_shape: `(height, width, channels)` or `(depth, height, width, channels)`.
        num_classes: K; 1 makes a sigmoid head.
        width: channels of the first stage; the stages have `width * (1, 2, 4, 8)`.
        stem: as of `ResNet34`. Full resolution costs most: in 3D a step with `"medium"` takes a third of one with
            `"small"`.
        from_logits: True returns logits, for losses made with `from_logits=True`; False returns probabilities.
        dropout: rate of dropout on the deepest features.
        momentum: of the moving batch statistics, as of `ResNet34`.
        deep_supervision: n outputs beside the one at full resolution, at 1/2, 1/4, ..., for training only. The model
            then returns a list of 1 + n, made for `imbclf.DeepSupervision`; `keras.Model(model.input,
            model.outputs[0])` is the plain model with the same weights.
        augmentation: a layer applied to the image while training only, or `None`. It must not move voxels: the labels
            stay where they are.
        name: name of the model.

    Returns:
        A functional `keras.Model` from `(batch, *space, channels)` to `(batch, *space, K)` in float32. The outputs are
        named `"probabilities"` (or `"logits"`), `"probabilities_2"` at half the resolution, `"probabilities_4"` and so
        on.

    Raises:
        InputError: what `ResNet34` refuses; more outputs than the decoder has resolutions; a side that the resolution
            of the last output does not divide.

    Example:

    >>> import imbclf
    >>> model = imbclf.models.UNet34((32, 40, 1), num_classes=3, width=4, deep_supervision=2)
    >>> [output.shape for output in model.outputs]
    [(None, 32, 40, 3), (None, 16, 20, 3), (None, 8, 10, 3)]
    """
    input_shape, stem = check_arguments(input_shape, num_classes, width, stem)
    net = ResidualLayers(len(input_shape) - 1, momentum)
    inputs = keras.Input(input_shape, name="image")
    image = inputs if augmentation is None else augmentation(inputs)
    skips = residual_encoder(net, image, width, stem)
    x = skips.pop(max(skips))
    if 1 not in skips:
        skips[1] = net.convolution_block(image, max(width // 2, NARROWEST), name="image")
    strides = sorted(skips)
    _check_deep_supervision(deep_supervision, input_shape, strides)

    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    decoded = {}
    for stride in reversed(strides):
        skip, stage = skips[stride], f"decoder_{stride}"
        filters = skip.shape[-1]
        # Before the upsampling a 1-wide convolution costs a quarter (2D) or an eighth (3D) of one after it, and halves
        # what is concatenated.
        x = net.convolution(x, filters, kernel=1, stride=1, name=f"{stage}_reduce")
        x = net.upsample(x, skip.shape, name=stage)
        x = layers.Concatenate(name=f"{stage}_concatenate")([x, skip])
        x = net.convolution_block(x, filters, name=f"{stage}_first")
        x = net.convolution(x, filters, kernel=3, stride=1, name=f"{stage}_second_conv")
        # The heads read what is before the ReLU: after it, a rare class can find all of the few channels at 0, where no
        # gradient leads out, and is then never predicted.
        x = decoded[stride] = net.normalization(x, f"{stage}_second_bn")
        x = layers.ReLU(name=f"{stage}_second_relu")(x)

    activation = None if from_logits else ("sigmoid" if num_classes == 1 else "softmax")
    name_of_head = "logits" if from_logits else "probabilities"
    outputs = [
        net.conv(
            num_classes,
            1,
            activation=activation,
            dtype="float32",
            name=name_of_head if stride == 1 else f"{name_of_head}_{stride}",
        )(decoded[stride])
        for stride in strides[: 1 + deep_supervision]
    ]
    return keras.Model(inputs, outputs if deep_supervision else outputs[0], name=name)


def _check_deep_supervision(outputs, input_shape, strides):
    if isinstance(outputs, bool) or not isinstance(outputs, int) or not 0 <= outputs < len(strides):
        raise InputError(
            f"deep_supervision must be a whole number from 0 to {len(strides) - 1}, the resolutions of the decoder "
            f"below the full one; received {outputs!r}."
        )
    divisor = strides[outputs]
    for side in input_shape[:-1]:
        if side % divisor:
            below, above = side - side % divisor, side - side % divisor + divisor
            nearest = f"{below} or {above}" if below else f"{above}"
            raise InputError(
                f"deep_supervision={outputs} needs sides that {divisor} divides, so that labels can be resized to "
                f"every output; received a side of {side} in {input_shape}, the nearest that work are {nearest}."
            )
