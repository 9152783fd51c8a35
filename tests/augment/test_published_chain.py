"""The augmentation of Scholz et al. (2024), appendix B."""

import keras
import numpy as np
import pytest

from imbclf import augment
from imbclf.augment import RandomCrop, RandomFlip, RandomGamma, RandomGaussianBlur, published_chain
from imbclf.published_chains import PUBLISHED_CHAINS, published_layers
from tests.backend import to_numpy


def test_glaucoma_changes_gamma_and_contrast_and_flips():
    gamma, contrast, flip = published_chain("glaucoma")
    assert gamma.gamma == [0.5, 1.5]
    assert (contrast.gain, contrast.cutoff) == ([5.0, 10.0], 0.5)
    assert flip.axes is None


def test_glioma_crops_changes_gamma_blurs_and_flips():
    layers = published_chain("glioma")
    assert [type(layer) for layer in layers] == [RandomCrop, RandomGamma, RandomGaussianBlur, RandomFlip]
    crop, gamma, blur, flip = layers
    assert (crop.size, gamma.gamma, blur.sigma, flip.axes) == (64, [0.5, 1.5], [0.0, 1.5], None)


@pytest.mark.parametrize("name", PUBLISHED_CHAINS)
def test_everything_has_probability_one_half_and_is_for_images_between_0_and_1(name):
    for layer in published_chain(name):
        assert layer.probability == 0.5
        assert getattr(layer, "value_range", [0.0, 1.0]) == [0.0, 1.0]


@pytest.mark.parametrize("name", PUBLISHED_CHAINS)
def test_the_defaults_of_the_layers_are_what_was_published(name):
    for layer in published_chain(name):
        assert layer.get_config() == {**getattr(augment, type(layer).__name__)().get_config(), "name": layer.name}


def test_a_seed_gives_each_layer_a_seed_of_its_own_and_the_same_draws_again():
    x = np.random.default_rng(0).uniform(0, 1, (4, 9, 8, 3)).astype("float32")
    once, again, other = (keras.Sequential(published_chain("glaucoma", seed=seed)) for seed in (1, 1, 2))
    assert len({layer.seed for layer in once.layers}) == 3
    changed = to_numpy(once(x, training=True))
    np.testing.assert_array_equal(changed, to_numpy(again(x, training=True)))
    assert (changed != to_numpy(other(x, training=True))).any()


def test_a_chain_that_was_changed_is_not_the_published_one():
    published_layers("glioma")[0]["size"] = 24
    assert published_layers("glioma")[0]["size"] == 64


def test_unknown_chain_is_refused_by_name():
    with pytest.raises(ValueError, match="Published chains are glaucoma and glioma; received 'gliona'"):
        published_chain("gliona")
