"""Augmentation as a configuration names it."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from imbclf.augment import RandomCrop, RandomGamma, published_chain
from imbclf.errors import InputError
from imbclf.training import load_config
from imbclf.training.build import build_augmentation
from imbclf.training.classification.build import build_batches, build_dataset, build_model
from tests.backend import to_numpy


@pytest.fixture
def config_with(tmp_path):
    """Makes a configuration with an augmentation, given as YAML."""
    path = tmp_path / "run.yaml"
    path.write_text("name: here\n")
    return lambda augment, *overrides: load_config(path, [f"augment={augment}", *overrides])


@pytest.mark.parametrize("name", ["glaucoma", "glioma"])
def test_name_of_a_published_chain_stands_for_its_layers(config_with, name):
    config = config_with(name, "seed=5")
    ours, published = build_augmentation(config, (96, 96, 96, 4)), published_chain(name, seed=5)
    assert [type(layer) for layer in ours] == [type(layer) for layer in published]
    for one, other in zip(ours, published):
        assert one.get_config() == {**other.get_config(), "name": one.name}


def test_printed_configuration_lists_the_layers_of_a_chain_and_reads_back(config_with, tmp_path):
    config = config_with("glioma")
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    assert "- name: RandomCrop\n  size: 64\n  probability: 0.5\n" in config.to_yaml()
    assert load_config(tmp_path / "again.yaml") == config


def test_a_chain_is_resolved_without_a_backend(tmp_path):
    (tmp_path / "run.yaml").write_text("augment: glaucoma\n")
    code = (
        "import sys\nfrom imbclf.training import load_config\n"
        f"assert len(load_config({str(tmp_path / 'run.yaml')!r}).augment) == 3\n"
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    assert shown.stdout.strip() == "[]"


def test_each_layer_is_built_for_what_the_one_before_leaves(config_with):
    smaller = config_with("[{name: RandomCrop, size: 8}, RandomGamma, {name: RandomCrop, size: 6}]")
    assert [type(layer) for layer in build_augmentation(smaller, (12, 12, 1))] == [RandomCrop, RandomGamma, RandomCrop]
    with pytest.raises(InputError, match=r"augment.1 \(RandomCrop\): size must not be larger .* \(8, 8\); received 10"):
        build_augmentation(config_with("[{name: RandomCrop, size: 8}, {name: RandomCrop, size: 10}]"), (12, 12, 1))


@pytest.mark.parametrize(
    ("augment", "sentence"),
    [
        (
            "gliona",
            "augment in the overrides: input should be a list of layers or a published chain (glaucoma, glioma)",
        ),
        ("3", "augment in the overrides: input should be a valid list; received 3"),
        ("[published_chain]", "Unknown augment.0 'published_chain'; known are RandomAffine"),
        ("[{name: RandomCrop, sizes: 8}]", "Unknown key augment.0.sizes; did you mean augment.0.size?"),
        ("[{name: RandomCrop, size: 13}]", "augment.0 (RandomCrop): size must not be larger than the images"),
        ("[{name: RandomGaussianBlur, sigma: 2}]", "augment.0 (RandomGaussianBlur): sigma must be (low, high)"),
    ],
)
def test_what_cannot_be_built_gets_one_sentence_that_names_it(config_with, augment, sentence):
    with pytest.raises(InputError) as error:
        build_augmentation(config_with(augment), (12, 12, 1))
    assert sentence in str(error.value)


def test_windows_of_a_segmentation_keep_their_size(config_with):
    config = config_with("[{name: RandomCrop, size: 8}]", "task=segmentation")
    with pytest.raises(InputError, match=r"augment.0 \(RandomCrop\): windows have the size patches.size, \(12, 12\)"):
        build_augmentation(config, (12, 12, 1))


def test_a_network_is_trained_and_judged_on_cropped_images(config_file, tmp_path):
    layers = "[{name: RandomCrop, size: 6}, {name: RandomGaussianBlur, sigma: [0, 1]}, RandomNoise]"
    config = load_config(config_file, [f"augment={layers}"])
    dataset = build_dataset(config)
    model = build_model(config, dataset)
    model.run_eagerly = True
    assert np.isfinite(model.train_on_batch(*build_batches(config, dataset)[0].batch(0, 0), return_dict=True)["loss"])
    model.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    assert model.input_shape == (None, 8, 8, 1)
    assert model.get_layer("augmentation").output.shape == (None, 6, 6, 1)
    # The rim, which the crop removes outside training, says nothing.
    x = np.random.default_rng(0).uniform(0, 1, (3, 8, 8, 1)).astype("float32")
    framed = np.pad(x[:, 1:-1, 1:-1], [(0, 0), (1, 1), (1, 1), (0, 0)])
    np.testing.assert_array_equal(to_numpy(model(x)), to_numpy(model(framed)))
