import keras
import numpy as np
import pytest

from imbclf.augment import RandomCrop
from imbclf.models import ResNet34
from tests.backend import to_numpy


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_parameters_equal_those_of_torchvision():
    """21,284,672 is torchvision's count without the head, for three channels; the head adds 512 weights and a bias."""
    assert trainable(ResNet34((224, 224, 3), 1000)) == 21_284_672 + 512 * 1000 + 1000
    assert trainable(ResNet34((32, 32, 3), 7, stem="large")) == 21_284_672 + 512 * 7 + 7


def test_small_stem_differs_by_its_first_convolution_only():
    large, small = (trainable(ResNet34((32, 32, 3), 7, stem=stem)) for stem in ("large", "small"))
    assert large - small == (7 * 7 - 3 * 3) * 3 * 64
    assert trainable(ResNet34((32, 32, 3), 7, stem="medium")) == small


def convolution_parameters(rank, channels, width):
    """Count of a ResNet34 by hand: convolutions without bias, and two numbers per channel of each normalisation."""
    count = 3**rank * channels * width + 2 * width
    before = width
    for stage, blocks in enumerate((3, 4, 6, 3)):
        filters = width * 2**stage
        for _ in range(blocks):
            count += 3**rank * (before * filters + filters * filters) + 4 * filters
            if before != filters:
                count += before * filters + 2 * filters
            before = filters
    return count


@pytest.mark.parametrize(("shape", "rank"), [((16, 16, 2), 2), ((16, 16, 16, 2), 3)])
def test_parameters_in_2d_and_3d_follow_one_formula(shape, rank):
    model = ResNet34(shape, 3, width=8, stem="small")
    assert trainable(model) == convolution_parameters(rank, 2, 8) + 64 * 3 + 3


@pytest.mark.parametrize(
    ("shape", "stem", "sides"),
    [((28, 28, 1), "auto", 28), ((64, 64, 1), "auto", 16), ((28, 28, 1), "medium", 14), ((28, 28, 28, 1), "large", 7)],
)
def test_stem_decides_the_resolution_of_the_first_stage(shape, stem, sides):
    model = ResNet34(shape, 2, width=4, stem=stem)
    assert model.get_layer("stage1_block1_add").output.shape[1:-1] == (sides,) * (len(shape) - 1)


def test_features_are_the_pooled_output_of_the_last_stage():
    model = ResNet34((16, 16, 1), 3, width=4)
    both = keras.Model(model.input, [model.get_layer("stage4_block3_relu2").output, model.get_layer("features").output])
    last, features = both(np.random.default_rng(0).normal(size=(2, 16, 16, 1)))
    np.testing.assert_allclose(to_numpy(last).mean(axis=(1, 2)), to_numpy(features), rtol=1e-5)
    assert features.shape == (2, 32)


def test_probabilities_are_the_softmax_of_the_logits():
    x = np.random.default_rng(0).normal(size=(3, 12, 12, 1))
    for classes in (1, 4):
        keras.utils.set_random_seed(0)
        logits = to_numpy(ResNet34((12, 12, 1), classes, width=4, from_logits=True)(x))
        keras.utils.set_random_seed(0)
        probabilities = to_numpy(ResNet34((12, 12, 1), classes, width=4)(x))
        activation = keras.ops.sigmoid if classes == 1 else keras.ops.softmax
        np.testing.assert_allclose(probabilities, to_numpy(activation(logits)), rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_gives_float32_outputs_and_features(policy):
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        model = ResNet34((12, 12, 1), 3, width=4, dropout=0.1)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert model.get_layer("stage1_block1_conv1").compute_dtype == policy.removeprefix("mixed_")
    assert model.output.dtype == "float32"
    assert model.get_layer("features").output.dtype == "float32"
    assert np.isfinite(to_numpy(model(np.ones((2, 12, 12, 1)), training=True))).all()


def test_moving_statistics_follow_within_a_short_training():
    """After 30 steps at momentum 0.9 the moving mean holds 96 % of the batch mean; at 0.99 it would hold 26 %."""
    model = ResNet34((8, 8, 1), 2, width=4)
    x = np.random.default_rng(0).normal(loc=3, size=(16, 8, 8, 1)).astype("float32")
    stem = keras.Model(model.input, model.get_layer("stem_conv").output)
    batch_mean = to_numpy(stem(x)).mean(axis=(0, 1, 2))
    for _ in range(30):
        model(x, training=True)
    moving = to_numpy(model.get_layer("stem_bn").moving_mean)
    np.testing.assert_allclose(moving, batch_mean * (1 - 0.9**30), rtol=1e-3, atol=1e-4)


def test_saved_model_predicts_the_same(tmp_path):
    model = ResNet34((8, 8, 8, 1), 2, width=4)
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 8, 1)).astype("float32")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(to_numpy(again(x)), to_numpy(model(x)), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((28, 28), 2), "input_shape"),
        (((28, 28, 28, 28, 1), 2), "input_shape"),
        (((28, 0, 1), 2), "positive sizes"),
        (((28, 28, 1), 0), "num_classes"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ResNet34(*arguments)
    with pytest.raises(ValueError, match="stem must be"):
        ResNet34((28, 28, 1), 2, stem="tiny")


def test_a_crop_decides_the_stem_and_gives_the_middle_outside_training():
    """The network of the cropped size, with the same weights, says the same of the window in the middle."""
    cropping = ResNet34((70, 66, 1), 2, width=2, augmentation=RandomCrop(20, seed=0))
    plain = ResNet34((20, 20, 1), 2, width=2)
    assert cropping.get_layer("stage1_block1_add").output.shape == plain.get_layer("stage1_block1_add").output.shape
    plain.set_weights([weight.numpy() for weight in cropping.weights if "seed_generator" not in weight.path])
    x = np.random.default_rng(0).normal(size=(2, 70, 66, 1)).astype("float32")
    np.testing.assert_allclose(to_numpy(cropping(x)), to_numpy(plain(x[:, 25:45, 23:43])), rtol=1e-5)
    assert cropping(x, training=True).shape == (2, 2)
