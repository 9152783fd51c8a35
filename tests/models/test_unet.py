import keras
import numpy as np
import pytest

from imbclf.errors import InputError
from imbclf.models import ResNet34, UNet34
from imbclf.models.residual import ResidualLayers
from tests.backend import to_numpy
from tests.models.test_resnet import convolution_parameters, trainable


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    ("shape", "stem"),
    [((16, 24, 2), "small"), ((9, 30, 1), "medium"), ((8, 5, 7, 1), "small"), ((10, 14, 11, 1), "large")],
)
def test_output_has_the_sides_of_the_image_whatever_they_are(shape, stem):
    assert UNet34(shape, 3, width=2, stem=stem).output_shape == (None, *shape[:-1], 3)


@pytest.mark.parametrize("space", [(6, 8), (5, 8), (5, 7, 4)])
def test_upsampling_repeats_every_voxel_up_to_the_sides_of_the_skip(space):
    coarse = images(2, *(-(-side // 2) for side in space), 3)
    expected = coarse
    for axis, side in enumerate(space, start=1):
        expected = np.repeat(expected, 2, axis=axis).take(range(side), axis=axis)
    ours = ResidualLayers(len(space), 0.9).upsample(keras.ops.convert_to_tensor(coarse), (2, *space, 1), "up")
    np.testing.assert_array_equal(to_numpy(ours), expected)


def decoder_parameters(rank, channels, width, classes, stem):
    """Count by hand: a 1-wide and two 3-wide convolutions per resolution, two numbers per normalised channel."""
    filters, before = [4 * width, 2 * width, width], 8 * width
    count = 0
    if stem == "medium":
        filters.append(max(width // 2, 8))
        count += 3**rank * channels * filters[-1] + 2 * filters[-1]
    for number in filters:
        count += before * number + 3**rank * (2 * number + number) * number + 4 * number
        before = number
    return count + before * classes + classes


@pytest.mark.parametrize(
    ("rank", "classes", "stem", "width"), [(2, 3, "small", 4), (3, 1, "medium", 4), (2, 5, "medium", 20)]
)
def test_parameters_in_2d_and_3d_follow_one_formula(rank, classes, stem, width):
    expected = convolution_parameters(rank, 2, width) + decoder_parameters(rank, 2, width, classes, stem)
    assert trainable(UNet34((8,) * rank + (2,), classes, width=width, stem=stem)) == expected


def test_encoder_takes_the_weights_of_a_classifier_layer_by_layer():
    classifier, model = (make((16, 16, 1), 3, width=4) for make in (ResNet34, UNet34))
    encoder = [layer for layer in classifier.layers if layer.name not in ("features", "probabilities")]
    for layer in encoder:
        model.get_layer(layer.name).set_weights(layer.get_weights())
    x = images(2, 16, 16, 1)
    deepest = [keras.Model(m.input, m.get_layer("stage4_block3_relu2").output)(x) for m in (classifier, model)]
    np.testing.assert_array_equal(*map(to_numpy, deepest))


def test_deep_supervision_adds_named_outputs_at_lower_resolutions_to_the_same_model():
    supervised = UNet34((16, 24, 16, 1), 3, width=2, stem="medium", deep_supervision=3)
    assert supervised.output_names == ["probabilities", "probabilities_2", "probabilities_4", "probabilities_8"]
    sides = [(16, 24, 16), (8, 12, 8), (4, 6, 4), (2, 3, 2)]
    assert [output.shape[1:] for output in supervised.outputs] == [(*space, 3) for space in sides]
    plain = keras.Model(supervised.input, supervised.outputs[0])
    again = UNet34((16, 24, 16, 1), 3, width=2, stem="medium")
    again.set_weights(plain.get_weights())
    x = images(1, 16, 24, 16, 1)
    np.testing.assert_array_equal(to_numpy(again(x)), to_numpy(supervised(x)[0]))


@pytest.mark.parametrize(("shape", "stem"), [((16, 16, 1), "large"), ((8, 8, 8, 1), "small")])
def test_one_step_moves_every_trainable_weight(shape, stem):
    model = UNet34(shape, 2, width=4, stem=stem, deep_supervision=1, dropout=0.1)
    before = [to_numpy(weight) for weight in model.trainable_weights]
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    labels = [np.random.default_rng(1).integers(0, 2, (4, *output.shape[1:-1])) for output in model.outputs]
    model.train_on_batch(images(4, *shape), labels)
    still = [w.path for w, old in zip(model.trainable_weights, before) if (to_numpy(w) == old).all()]
    assert still == []


def test_single_voxels_reach_the_output_whatever_the_stem():
    """With the upsampled features cut off, a voxel moves its own output and, through three 3-wide convolutions, those
    up to three voxels away."""
    model = UNet34((17, 17, 1), 2, width=8, stem="large")
    model.get_layer("decoder_1_reduce").set_weights([np.zeros((1, 1, 8, 8))])
    x = images(1, 17, 17, 1)
    changed = x.copy()
    changed[0, 8, 8] += 1
    rows, columns = np.nonzero((to_numpy(model(changed)) != to_numpy(model(x)))[0].any(axis=-1))
    assert (8, 8) in zip(rows, columns)
    assert np.abs(rows - 8).max() == np.abs(columns - 8).max() == 3


def test_probabilities_are_the_softmax_or_sigmoid_of_the_logits():
    x = images(2, 8, 8, 1)
    for classes, activation in ((1, keras.ops.sigmoid), (4, keras.ops.softmax)):
        logits = UNet34((8, 8, 1), classes, width=2, from_logits=True)
        model = UNet34((8, 8, 1), classes, width=2)
        model.set_weights(logits.get_weights())
        assert logits.output_names == ["logits"]
        np.testing.assert_allclose(to_numpy(model(x)), to_numpy(activation(logits(x))), rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_gives_finite_float32_outputs(policy):
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        model = UNet34((8, 8, 1), 3, width=2, deep_supervision=1)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert model.get_layer("decoder_1_first_conv").compute_dtype == policy.removeprefix("mixed_")
    assert [output.dtype for output in model.outputs] == ["float32", "float32"]
    for output in model(images(2, 8, 8, 1), training=True):
        assert np.isfinite(to_numpy(output)).all()


def test_saved_model_predicts_the_same(tmp_path):
    model = UNet34((6, 7, 8, 1), 2, width=2, stem="medium")
    model.save(tmp_path / "model.keras")
    x = images(2, 6, 7, 8, 1)
    assert tuple(model(x).shape) == (2, 6, 7, 8, 2)
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(to_numpy(again(x)), to_numpy(model(x)), rtol=1e-5, atol=1e-7)


def test_augmentation_changes_the_image_in_training_only():
    model = UNet34((8, 8, 1), 2, width=2, augmentation=keras.layers.GaussianNoise(1.0))
    first_layer = keras.Model(model.input, model.get_layer("stem_conv").output)
    x = images(1, 8, 8, 1)
    np.testing.assert_array_equal(*(to_numpy(first_layer(x, training=False)) for _ in range(2)))
    assert (to_numpy(first_layer(x, training=True)) != to_numpy(first_layer(x, training=False))).all()


@pytest.mark.slow
def test_learns_which_voxel_belongs_to_which_shape():
    """A disc, two lone voxels and the rest, by brightness under noise."""
    keras.utils.set_random_seed(0)
    rows, columns = np.mgrid[:16, :16]
    labels = np.stack([(np.hypot(rows - r, columns - c) < 4).astype(int) for r, c in [(5, 5), (9, 6), (6, 10), (9, 9)]])
    labels[:, 14, 1] = labels[:, 1, 14] = 2
    x = np.choose(labels, [0.0, 1.0, 3.0])[..., None] + 0.1 * images(4, 16, 16, 1)
    model = UNet34((16, 16, 1), 3, width=4, stem="medium")
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    for _ in range(50):
        model.train_on_batch(x, labels)
    found = to_numpy(model(x)).argmax(axis=-1)
    for label in range(3):
        assert (found[labels == label] == label).mean() > 0.95


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((28, 28), {}, "input_shape must be"),
        ((28, 28, 1), {"stem": "tiny"}, "stem must be"),
        ((28, 28, 1), {"width": 0}, "width must be positive"),
        ((16, 16, 1), {"stem": "small", "deep_supervision": 3}, "from 0 to 2"),
        ((16, 16, 1), {"deep_supervision": -1}, "from 0 to 2"),
        ((16, 16, 1), {"deep_supervision": True}, "whole number"),
        ((40, 38, 40, 1), {"deep_supervision": 2}, r"4 divides.*side of 38 in \(40, 38, 40, 1\).*36 or 40\."),
        ((3, 8, 1), {"deep_supervision": 2}, r"side of 3 .*work are 4\."),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(shape, options, message):
    with pytest.raises(InputError, match=message) as error:
        UNet34(shape, 2, **{"width": 2, **options})
    assert str(error.value).count(". ") == 0
