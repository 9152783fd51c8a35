import keras
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from imbclf.errors import InputError
from imbclf.evaluation.embedding import embed, tsne


def functional():
    inputs = keras.Input((6, 6, 2))
    convolved = keras.layers.Conv2D(4, 3, name="convolved", activation="relu")(inputs)
    normalised = keras.layers.BatchNormalization(name="normalised")(convolved)
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(normalised)
    dropped = keras.layers.Dropout(0.5, name="dropped")(pooled)
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(dropped), name="small")


def sequential():
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(4, activation="relu", name="features"),
            keras.layers.Dense(2, name="logits"),
        ]
    )


@pytest.fixture
def images():
    return np.random.default_rng(0).random((10, 6, 6, 2)).astype(np.float32)


def test_last_layer_gives_the_output_of_the_model(images):
    model = functional()
    np.testing.assert_allclose(embed(model, images, "logits"), model.predict(images, verbose=0), atol=1e-6)


def test_features_are_what_the_head_reads(images):
    model = functional()
    kernel, bias = model.get_layer("logits").get_weights()
    expected = model.predict(images, verbose=0)
    np.testing.assert_allclose(embed(model, images, "features") @ kernel + bias, expected, atol=1e-5)


def test_maps_are_averaged_over_space(images):
    model = functional()
    np.testing.assert_allclose(embed(model, images, "normalised"), embed(model, images, "features"), atol=1e-6)


def test_batch_size_does_not_change_the_features(images):
    model = functional()
    np.testing.assert_allclose(embed(model, images, batch_size=3), embed(model, images, batch_size=10), atol=1e-6)


def test_dropout_is_off(images):
    model = functional()
    np.testing.assert_allclose(embed(model, images, "dropped"), embed(model, images, "features"), atol=1e-6)


def test_sequential_models_can_be_embedded():
    model, x = sequential(), np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    kernel, bias = model.get_layer("features").get_weights()
    np.testing.assert_allclose(embed(model, x), np.maximum(x @ kernel + bias, 0), atol=1e-5)


def test_volumes_are_averaged_over_three_axes():
    model = keras.Sequential([keras.Input((4, 4, 4, 1)), keras.layers.Conv3D(2, 1, name="features")])
    x = np.random.default_rng(2).random((3, 4, 4, 4, 1)).astype(np.float32)
    np.testing.assert_allclose(embed(model, x), model.predict(x, verbose=0).mean(axis=(1, 2, 3)), atol=1e-5)


def test_unknown_layer_is_answered_with_the_nearest_names(images):
    with pytest.raises(InputError, match="got 'feature'; the nearest are features"):
        embed(functional(), images, "feature")


def test_model_that_was_never_built_is_refused(images):
    model = keras.Sequential([keras.layers.Dense(2, name="features")])
    with pytest.raises(InputError, match="build the model"):
        embed(model, images)


def test_no_image_is_refused(images):
    with pytest.raises(InputError, match="got none"):
        embed(functional(), images[:0])


def test_map_keeps_clusters_together():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(3), 30)
    features = 20 * np.eye(3, 10)[cluster] + rng.normal(size=(90, 10))
    chart = tsne(features, perplexity=10)
    neighbours = NearestNeighbors(n_neighbors=6).fit(chart).kneighbors(chart, return_distance=False)[:, 1:]
    assert (cluster[neighbours] == cluster[:, None]).mean() > 0.99


def test_the_same_seed_gives_the_same_map():
    features = np.random.default_rng(0).normal(size=(30, 4))
    np.testing.assert_array_equal(tsne(features, seed=1), tsne(features, seed=1))


@pytest.mark.parametrize("shape", [(5, 3), (12, 1)])
def test_few_points_or_features_lower_the_perplexity_instead_of_failing(shape):
    chart = tsne(np.random.default_rng(0).normal(size=shape))
    assert chart.shape == (shape[0], 2)
    assert np.isfinite(chart).all()


@pytest.mark.parametrize(
    ("features", "perplexity", "message"),
    [
        (np.zeros((4, 2)), 30, "at least 5 points"),
        (np.zeros(10), 30, r"\(10,\)"),
        (np.where(np.arange(20).reshape(10, 2) == 7, np.nan, 0), 30, "row 3"),
        (np.zeros((10, 2)), 0.5, "perplexity above 1"),
    ],
)
def test_features_that_cannot_be_mapped_are_refused(features, perplexity, message):
    with pytest.raises(InputError, match=message):
        tsne(features, perplexity)
