"""The switch of the Balance loss: when it flips, who may flip it, and how it is kept."""

import keras
import numpy as np
import pytest

import imbclf
from tests.backend import BACKEND, to_numpy

F, N = 10, 100


def image(foreground, background):
    """Two classes, 10 foreground voxels of 100, with the given probabilities of the true class."""
    labels = np.array([1] * F + [0] * (N - F))
    q = np.concatenate([np.broadcast_to(foreground, F), np.broadcast_to(background, N - F)])
    return labels, np.where(labels[:, None] == [0, 1], q[:, None], 1 - q[:, None])


def one_bad(good, bad, count):
    return np.array([good] * (count - 1) + [bad])


def hard(number):
    return np.array([0.5] * number + [0.99] * (N - F - number))


MEDIOCRE_BUT_ONE = one_bad(0.5, 0.95, F)
PERFECT_BUT_ONE = one_bad(0.99, 0.5, F)
# Whether each criterion lets the foreground and the background pass.
PASSES = {
    "one confident foreground voxel": (MEDIOCRE_BUT_ONE, 0.99, {"published": True, "paper": False}),
    "one bad foreground voxel": (PERFECT_BUT_ONE, 0.99, {"published": True, "paper": False}),
    "all foreground right, more false alarms than foreground": (0.99, hard(F + 5), {"published": False, "paper": True}),
    "one false alarm short of the foreground": (0.99, hard(F - 1), {"published": True, "paper": True}),
    "as many false alarms as foreground": (0.99, hard(F), {"published": False, "paper": True}),
    "hardly any easy background": (0.99, hard(N - F - F + 1), {"published": False, "paper": False}),
    "nothing confident": (0.6, 0.6, {"published": False, "paper": False}),
    "all confident": (0.99, 0.99, {"published": True, "paper": True}),
}


class Fixed(keras.layers.Layer):
    """A model that predicts given probabilities, with a weight so that there is something to train."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        return x * (self.scale - keras.ops.stop_gradient(self.scale) + 1)


def model_with(loss, voxels=N, num_classes=2):
    model = keras.Sequential([keras.Input((voxels, num_classes)), Fixed()])
    model.compile(keras.optimizers.SGD(0.0), loss=loss, metrics=loss.part_metrics())
    return model


def train_once(loss, labels, p):
    labels, p = np.atleast_2d(labels), np.asarray(p).reshape(-1, N, 2)
    return model_with(loss).fit(p, labels, batch_size=len(p), epochs=1, verbose=0).history


@pytest.mark.parametrize("criterion", ["published", "paper"])
@pytest.mark.parametrize("situation", PASSES)
def test_the_switch_flips_where_its_criterion_says(situation, criterion):
    foreground, background, expected = PASSES[situation]
    loss = imbclf.Balance(criterion=criterion)
    history = train_once(loss, *image(foreground, background))
    assert bool(to_numpy(loss.switched)) is expected[criterion]
    assert history["switched"] == [float(expected[criterion])]


@pytest.mark.parametrize("ready", [1, 2, 3])
def test_half_of_the_images_with_foreground_decide(ready):
    images = [image(0.99, 0.99)] * ready + [image(0.6, 0.6)] * (4 - ready)
    without_foreground = (np.zeros(N, int), np.tile([0.99, 0.01], (N, 1)))
    labels, p = map(np.stack, zip(*images, without_foreground, without_foreground, strict=True))
    loss = imbclf.Balance()
    train_once(loss, labels, p)
    assert bool(to_numpy(loss.switched)) is (ready >= 2)


def test_a_batch_without_foreground_never_flips_it():
    loss = imbclf.Balance()
    train_once(loss, np.zeros(N, int), np.tile([0.99, 0.01], (N, 1)))
    assert not to_numpy(loss.switched)


def test_evaluation_leaves_the_switch_alone():
    loss = imbclf.Balance()
    labels, p = image(0.99, 0.99)
    model_with(loss).evaluate(p[None], labels[None], verbose=0)
    loss(labels[None], p[None])
    assert not to_numpy(loss.switched)


def test_stage_two_begins_with_the_step_after_the_flip_and_stays():
    loss = imbclf.Balance()
    model = model_with(loss)
    labels, p = image(0.99, 0.99)
    bad_labels, bad = image(0.6, 0.6)
    intra, inter = imbclf.IntraClassBalance(), imbclf.InterClassBalance()
    first = model.train_on_batch(p[None], labels[None], return_dict=True)["loss"]
    np.testing.assert_allclose(first, to_numpy(intra(labels[None], p[None])), rtol=1e-5)
    model.reset_metrics()
    second = model.train_on_batch(bad[None], bad_labels[None], return_dict=True)["loss"]
    both = (to_numpy(intra(bad_labels[None], bad[None])) + to_numpy(inter(bad_labels[None], bad[None]))) / 2
    np.testing.assert_allclose(second, both, rtol=1e-5)
    assert to_numpy(loss.switched) == 1


def test_the_switch_is_saved_with_the_model(tmp_path):
    loss = imbclf.Balance()
    model = model_with(loss)
    labels, p = image(0.99, 0.99)
    model.fit(p[None], labels[None], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"Fixed": Fixed})
    assert loaded.loss.get_config()["switched"] is True


def test_fading_goes_from_intra_to_the_second_stage():
    loss, start, end = imbclf.Balance(schedule="fade"), imbclf.IntraClassBalance(), imbclf.Balance(switched=True)
    for batch, same in ((image(0.6, 0.6), start), (image(0.99, 0.99), end)):
        labels, p = (x[None] for x in batch)
        np.testing.assert_allclose(to_numpy(loss(labels, p)), to_numpy(same(labels, p)), rtol=1e-5)
    assert loss.variables == []


@pytest.mark.skipif(BACKEND != "jax", reason="other backends see variables outside the model")
def test_on_jax_a_switch_outside_the_model_is_refused_while_training_only():
    labels, p = image(0.99, 0.99)
    model = keras.Sequential([keras.Input((N, 2)), Fixed()])
    model.compile("sgd", loss=imbclf.Balance())
    model.evaluate(p[None], labels[None], verbose=0)
    with pytest.raises(ValueError, match="part_metrics"):
        model.fit(p[None], labels[None], verbose=0)


def test_switch_of_a_part_of_a_sum_flips_and_shows():
    loss = imbclf.WeightedSum([imbclf.CrossEntropy(), imbclf.Balance()])
    labels, p = image(0.99, 0.99)
    history = model_with(loss).fit(p[None], labels[None], verbose=0).history
    assert float(loss.losses[1].switched) == 1.0
    assert history["switched"] == [1.0]


@pytest.mark.skipif(BACKEND == "jax", reason="JAX needs the switch among the metrics")
def test_the_switch_flips_without_being_among_the_metrics():
    labels, p = image(0.99, 0.99)
    loss = imbclf.Balance()
    model = keras.Sequential([keras.Input((N, 2)), Fixed()])
    model.compile("sgd", loss=loss)
    model.fit(p[None], labels[None], verbose=0)
    assert to_numpy(loss.switched) == 1
