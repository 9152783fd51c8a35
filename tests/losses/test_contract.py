"""One contract for every loss."""

import keras
import numpy as np
import pytest

from tests.backend import BACKEND, WIDEST, compiled, numerical_gradient, to_numpy, value_and_gradient
from tests.losses.cases import CASES, IMAGE_LEVEL, POINTWISE, SET_LEVEL
from tests.losses.oracles import images, softmax

SHAPES = {"classification": (7,), "2d": (2, 3, 4), "3d": (2, 2, 3, 2)}
if BACKEND == "jax":
    del SHAPES["2d"]
TOLERANCE = {"rtol": 2e-5, "atol": 2e-6}

every_loss = pytest.mark.parametrize("case", CASES, ids=str)
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


def draw(shape, num_classes=3, seed=0):
    """Labels in which every class occurs, logits, weights."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, num_classes, shape)
    labels.reshape(-1)[:num_classes] = range(num_classes)
    return labels, random.normal(size=(*shape, num_classes)) * 2, random.uniform(0.1, 3, shape)


def expected(case, labels, probabilities, weights=None):
    return case.oracle(*images(labels, probabilities, weights, probabilities.shape[-1]))


@every_loss
@every_shape
@pytest.mark.parametrize("num_classes", [2, 4])
def test_value_equals_the_formula(case, shape, num_classes):
    labels, logits, weights = draw(shape, num_classes)
    p = softmax(logits)
    for w in (None, weights):
        for prediction, options in ((p, {}), (logits, {"from_logits": True})):
            value = case.loss(dtype=WIDEST, **options)(labels, prediction, w)
            np.testing.assert_allclose(to_numpy(value), expected(case, labels, p, w), **TOLERANCE)


@every_loss
@every_shape
def test_labels_of_any_form_give_the_same(case, shape):
    labels, logits, _ = draw(shape)
    p = softmax(logits)
    reference = to_numpy(case.loss()(labels, p))
    forms = [labels[..., None], labels.astype("float32"), np.eye(3)[labels], np.eye(3, dtype="uint8")[labels]]
    for form in forms:
        np.testing.assert_allclose(to_numpy(case.loss()(form, p)), reference, rtol=1e-6)


@every_loss
def test_soft_labels_follow_the_formula(case):
    _, logits, weights = draw((6,))
    soft = softmax(np.random.default_rng(5).normal(size=(6, 3)))
    p = softmax(logits)
    np.testing.assert_allclose(to_numpy(case.loss()(soft, p, weights)), expected(case, soft, p, weights), **TOLERANCE)


@every_loss
@pytest.mark.parametrize("from_logits", [False, True])
def test_one_channel_is_the_second_of_two_classes(case, from_logits):
    random = np.random.default_rng(1)
    z, labels = random.normal(size=(8, 1)), np.array([0, 1, 1, 0, 1, 0, 0, 0])
    p = 1 / (1 + np.exp(-z))
    two = np.concatenate([1 - p, p], axis=-1)
    loss = case.loss(from_logits=from_logits)
    for form in (labels, labels[:, None], labels[:, None].astype("float32")):
        value = loss(form, z if from_logits else p)
        np.testing.assert_allclose(to_numpy(value), expected(case, labels, two), **TOLERANCE)


@every_loss
@pytest.mark.parametrize("shape", [(5,), (2, 3, 2)], ids=["classification", "2d"])
def test_gradient_equals_finite_differences_of_the_formula(case, shape):
    labels, logits, weights = draw(shape)

    def oracle(z):
        return expected(case, labels, softmax(z), weights)

    loss = case.loss(from_logits=True, dtype=WIDEST)
    _, gradient = value_and_gradient(lambda z: loss(labels, z, weights), logits, WIDEST)
    np.testing.assert_allclose(gradient, numerical_gradient(oracle, logits), rtol=1e-4, atol=1e-6)


@every_loss
@pytest.mark.parametrize("over", ["batch", "sample"])
def test_masked_voxels_equal_removed_voxels(case, over):
    """By weight 0, by ignored label and by Keras mask, in value and gradient, whatever is predicted there."""
    options = case.known(over=over)
    labels, logits, _ = draw((2, 6), seed=3)
    hidden = np.zeros((2, 6), bool)
    hidden[:, 4:] = True
    logits[hidden] = [[50.0, -80.0, 3.0]] * 4
    kept = case.loss(from_logits=True, **options)
    reference, gradient = value_and_gradient(lambda z: kept(labels[:, :4], z), logits[:, :4])

    def by_ignored_label(z):
        return case.loss(from_logits=True, ignore_class=255, **options)(np.where(hidden, 255, labels), z)

    def by_mask(z):
        z = keras.ops.convert_to_tensor(z)
        keras.src.backend.set_keras_mask(z, keras.ops.convert_to_tensor(~hidden))
        return kept(labels, z)

    ways = [by_ignored_label, by_mask]
    if case.kind in ("set", "image", "sets"):
        ways.append(lambda z: kept(labels, z, (~hidden).astype("float32")))
    else:
        mean = case.loss(from_logits=True, reduction="mean_with_sample_weight", **options)
        ways.append(lambda z: mean(labels, z, (~hidden).astype("float32")))
    for way in ways:
        value, masked_gradient = value_and_gradient(way, logits)
        np.testing.assert_allclose(value, reference, rtol=1e-5)
        np.testing.assert_allclose(masked_gradient[:, :4], gradient, rtol=1e-4, atol=1e-7)
        assert not masked_gradient[hidden].any()


@every_loss
def test_masked_predictions_may_be_nan(case):
    labels, logits, _ = draw((6,))
    labels[4:], logits[4:] = -1, np.nan
    loss = case.loss(from_logits=True, ignore_class=-1)
    value, gradient = value_and_gradient(lambda z: loss(labels, z), logits)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@every_loss
@pytest.mark.parametrize("shape", [(6,), (4, 3)], ids=["classification", "dense"])
@pytest.mark.parametrize("over", ["batch", "sample"])
def test_weight_two_equals_the_sample_twice(case, shape, over):
    options = {"reduction": "mean_with_sample_weight", **case.known(over=over)}
    labels, logits, _ = draw(shape)
    p = softmax(logits)
    weights = np.ones(shape[0])
    weights[1] = 2
    weighted = case.loss(**options)(labels, p, weights)
    repeated = case.loss(**options)(np.concatenate([labels, labels[1:2]]), np.concatenate([p, p[1:2]]))
    np.testing.assert_allclose(to_numpy(weighted), to_numpy(repeated), rtol=1e-5)


@pytest.mark.parametrize("case", [case for case in CASES if "background" not in case.traits], ids=str)
def test_permuting_classes_permutes_nothing_else(case):
    labels, logits, weights = draw((9,))
    order = np.array([2, 0, 1])
    value = case.loss(from_logits=True)(labels, logits, weights)
    permuted = case.loss(from_logits=True)(np.argsort(order)[labels], logits[:, order], weights)
    np.testing.assert_allclose(to_numpy(permuted), to_numpy(value), rtol=1e-5)


@every_loss
def test_order_of_samples_and_voxels_does_not_matter(case):
    labels, logits, weights = draw((4, 5))
    random = np.random.default_rng(0)
    rows, columns = random.permutation(4), random.permutation(5)
    value = case.loss(from_logits=True)(labels, logits, weights)
    moved = [a[rows][:, columns] for a in (labels, logits, weights)]
    np.testing.assert_allclose(to_numpy(case.loss(from_logits=True)(*moved)), to_numpy(value), rtol=1e-5)


@every_loss
@every_shape
def test_perfect_prediction_costs_nothing_and_worse_costs_more(case, shape):
    labels, _, _ = draw(shape)
    # Uneven proportions, so that a prediction drawn towards uniform has the wrong ones.
    labels[labels == 2] = np.random.default_rng(1).choice([0, 2], p=[0.7, 0.3], size=(labels == 2).sum())
    target = np.eye(3)[labels]
    values = [to_numpy(case.loss()(labels, (1 - s) * target + s / 3)) for s in (0, 0.1, 0.4, 0.8)]
    if "bias" in case.traits:
        np.testing.assert_allclose(values[0], expected(case, labels, target), **TOLERANCE)
        return
    np.testing.assert_allclose(values[0], 0, atol=2e-5)
    rises = np.diff(values)
    assert (rises >= -1e-6).all() and values[-1] > 1e-5 if "flat" in case.traits else (rises > 0).all()


@every_loss
def test_perfect_prediction_of_an_image_without_some_classes_costs_nothing(case):
    labels = np.array([[0, 2, 2, 0]])
    best = expected(case, labels, np.eye(4)[labels]) if "bias" in case.traits else 0
    np.testing.assert_allclose(to_numpy(case.loss()(labels, np.eye(4)[labels])), best, rtol=1e-5, atol=2e-5)


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_extremes_stay_finite(case, dtype):
    extreme = np.array([[100.0, -100.0, 0.0], [-100.0, 100.0, -100.0], [100.0, 100.0, 100.0], [-100.0, 0.0, 100.0]])
    batches = {
        "right and wrong": ([0, 1, 2, 0], extreme),
        "one class": ([1, 1, 1, 1], extreme),
        "one sample": ([2], extreme[:1]),
        "saturated on one class": ([0, 1, 2, 0], np.tile([100.0, -100.0, -100.0], (4, 1))),
        "all ignored": ([9, 9, 9, 9], extreme),
    }
    for labels, logits in batches.values():
        labels = np.array(labels)
        for from_logits in (True, False):
            loss = case.loss(from_logits=from_logits, ignore_class=9)
            activation = (lambda z: z) if from_logits else keras.ops.softmax
            value, gradient = value_and_gradient(lambda z, f=activation, o=loss, y=labels: o(y, f(z)), logits, dtype)
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()
            if (labels == 9).all():
                assert value == 0
                assert not gradient.any()


@pytest.mark.parametrize("case", POINTWISE, ids=str)
def test_gradient_of_a_confidently_wrong_sample_does_not_vanish(case):
    loss = case.loss(from_logits=True)
    _, gradient = value_and_gradient(lambda z: loss(np.array([0]), z), np.array([[-40.0, 40.0, 0.0]]))
    np.testing.assert_allclose(gradient, [[-1, 1, 0]], atol=1e-5)


@every_loss
def test_half_precision_at_1024_square_is_close_to_float64(case):
    random = np.random.default_rng(0)
    logits = random.normal(size=(1, 1024, 1024, 2)).astype("float16")
    labels = (random.uniform(size=(1, 1024, 1024)) < 0.02).astype("int32")
    value = case.loss(from_logits=True)(labels, keras.ops.convert_to_tensor(logits, dtype="float16"))
    p = softmax(logits.astype("float64"))
    np.testing.assert_allclose(to_numpy(value), expected(case, labels, p), rtol=1e-3)


@every_loss
def test_unreduced_loss_starts_with_the_batch(case):
    labels, logits, _ = draw((3, 4))
    p = softmax(logits)
    values = case.loss(reduction="none")(labels, p)
    assert tuple(values.shape) == ((3,) if case.kind in ("set", "sets", "image") else (3, 4))
    if case.kind != "mined":
        np.testing.assert_allclose(to_numpy(values).mean(), to_numpy(case.loss()(labels, p)), rtol=1e-5)
    np.testing.assert_allclose(to_numpy(case.loss().call(labels, p)), to_numpy(values), rtol=1e-6)
    if case.kind not in ("mixed", "sets"):
        total = case.loss(reduction="sum")(labels, p)
        np.testing.assert_allclose(to_numpy(total), to_numpy(values).sum(), rtol=1e-5)


@every_loss
def test_config_round_trip_keeps_everything(case):
    options = {"from_logits": True, "ignore_class": 7, "class_weight": [1.0, 2.0, 3.0], "name": "mine"}
    options |= case.known(over="sample", absent="penalize")
    loss = case.loss(
        reduction="sum",
        dtype="float64",
        **{k: v for k, v in options.items() if k != "name" or not str(case).startswith("weighted")},
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert again.dtype == "float64"
    labels, logits, weights = draw((5,))
    np.testing.assert_allclose(to_numpy(again(labels, logits, weights)), to_numpy(loss(labels, logits, weights)))


@every_loss
def test_dtype_of_the_result_is_float32_whatever_comes_in(case):
    labels, logits, _ = draw((5,))
    for dtype in ("float16", "bfloat16", "float32"):
        value = case.loss(from_logits=True)(labels, keras.ops.cast(logits, dtype))
        assert keras.backend.standardize_dtype(value.dtype) == "float32"


@every_loss
def test_shape_that_fits_no_form_names_both_shapes(case):
    with pytest.raises(ValueError, match=r"\(5, 2\).*\(5, 3\)"):
        case.loss()(np.zeros((5, 2), int), np.full((5, 3), 1 / 3))
    with pytest.raises(ValueError, match=r"sample_weight of shape \(4,\)"):
        case.loss()(np.zeros(5, int), np.full((5, 3), 1 / 3), np.ones(4))


@every_loss
def test_label_outside_the_classes_is_never_counted_as_nothing(case):
    labels, p = np.array([0, 1, 3]), np.full((3, 3), 1 / 3, "float32")
    with pytest.raises(ValueError, match=r"integer labels 0\.\.2; received 3"):
        case.loss()(labels, p)
    with pytest.raises(ValueError, match=r"integer labels 0\.\.2 or ignore_class=9"):
        case.loss(ignore_class=9)(labels, p)
    with pytest.raises(ValueError, match="between 0 and 1; received 2"):
        case.loss()(np.array([0, 2]), np.full((2, 1), 0.5))
    if BACKEND != "torch":
        loss = case.loss()
        assert np.isnan(to_numpy(compiled(lambda y, q: loss(y, q))(labels, p)))


@every_loss
def test_labels_that_do_not_sum_to_one_and_impossible_weights_are_refused(case):
    p = np.full((2, 3), 1 / 3)
    with pytest.raises(ValueError, match="sum to 1"):
        case.loss()(np.array([[1, 1, 0], [1, 0, 0]]), p)
    with pytest.raises(ValueError, match="finite and not negative"):
        case.loss()(np.array([0, 1]), p, np.array([1.0, -1.0]))


@every_loss
def test_compiled_equals_eager_and_batch_size_may_be_unknown(case):
    labels, logits, weights = draw((6,))
    loss = case.loss(from_logits=True)
    eager = to_numpy(loss(labels, logits.astype("float32"), weights))
    traced = compiled(lambda y, z, w: loss(y, z, w))(labels, logits.astype("float32"), weights.astype("float32"))
    np.testing.assert_allclose(to_numpy(traced), eager, rtol=1e-5)


@every_loss
def test_model_compiles_trains_saves_and_loads_with_it(case, tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    loss = case.loss()
    metrics = loss.part_metrics() if hasattr(loss, "part_metrics") else None
    model.compile(keras.optimizers.Adam(0.03), loss=loss, metrics=metrics)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(32, 4)), random.integers(0, 3, 32)
    before = model.evaluate(x, y, batch_size=32, verbose=0, return_dict=True)["loss"]
    model.fit(x, y, batch_size=32, epochs=20, verbose=0)
    after = model.evaluate(x, y, batch_size=32, verbose=0, return_dict=True)["loss"]
    assert after < before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == model.loss.get_config()
    logs = loaded.evaluate(x, y, batch_size=32, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["loss"], after, rtol=1e-6)


@pytest.mark.parametrize("case", SET_LEVEL, ids=str)
def test_per_sample_is_the_mean_over_images(case):
    labels, logits, _ = draw((3, 8))
    labels[:, :3] = range(3)
    p = softmax(logits)
    alone = [expected(case, labels[i : i + 1], p[i : i + 1]) for i in range(3)]
    np.testing.assert_allclose(to_numpy(case.loss(over="sample")(labels, p)), np.mean(alone), **TOLERANCE)
    unreduced = case.loss(over="sample", reduction="none")(labels, p)
    np.testing.assert_allclose(to_numpy(unreduced), alone, **TOLERANCE)


@every_loss
def test_class_weight_of_a_list_is_checked_against_the_classes(case):
    with pytest.raises(ValueError, match="2 entries; the predictions have 3 classes"):
        case.loss(class_weight=[1.0, 2.0])(np.array([0, 1]), np.full((2, 3), 1 / 3))
    with pytest.raises(ValueError, match="a list of one weight per class"):
        case.loss(class_weight="inverse")


@pytest.mark.parametrize("case", SET_LEVEL + IMAGE_LEVEL, ids=str)
def test_class_weight_is_scale_free(case):
    labels, logits, _ = draw((9,))
    p = softmax(logits)
    one, ten = (to_numpy(case.loss(class_weight=[s, 2 * s, 3 * s])(labels, p)) for s in (1, 10))
    np.testing.assert_allclose(one, ten, rtol=1e-6)
