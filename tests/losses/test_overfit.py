"""Every loss that says where a class is trains a small network from a bad start to the right label of every voxel."""

import keras
import numpy as np
import pytest

import imbclf
from tests.backend import BACKEND
from tests.losses.cases import CASES

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="values and gradients are equal on all backends")

# What sees proportions alone, and the bias of Dice, cannot put a class in its place.
NOWHERE = (imbclf.MarginalL1, imbclf.MarginalKL, imbclf.DiceBias)


def volume(side=8):
    """One volume with a ball and a rare corner, and its labels."""
    distance = np.sqrt(((np.indices((side,) * 3) - 4.3) ** 2).sum(axis=0))
    labels = (distance < 2.7).astype(int)
    labels[:2, :2, :1] = 2
    image = np.array([0.0, 1.0, -1.0])[labels] + np.random.default_rng(0).normal(size=labels.shape) * 0.1
    return image[None, ..., None].astype("float32"), labels[None]


# With three classes they give one up from a start like this: the loss is low without it, and its gradient dies out. It
# is a property of the formulas, known of the correlation coefficient from Scholz et al. too; so they get two classes.
GIVES_ONE_OF_THREE_UP = (imbclf.SoftMCC, imbclf.GeneralizedDice)


@pytest.mark.parametrize("case", [case for case in CASES if case.make not in NOWHERE], ids=str)
def test_loss_overfits_one_volume_from_a_start_that_is_sure_of_the_wrong_class(case):
    image, labels = volume()
    start = [-2.0, -2.0, 2.0]
    if case.make in GIVES_ONE_OF_THREE_UP:
        labels, start = (labels == 1).astype(int), [-2.0, 2.0]
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(image.shape[1:]),
            keras.layers.Conv3D(12, 1, activation="tanh"),
            keras.layers.Conv3D(len(start), 1, bias_initializer=lambda *_, **__: np.array(start, "float32")),
        ]
    )
    loss = case.loss(from_logits=True)
    metrics = loss.part_metrics() if getattr(loss, "variables", []) else None
    model.compile(keras.optimizers.Adam(0.05), loss=loss, metrics=metrics, jit_compile=False)
    assert (model.predict_on_batch(image).argmax(axis=-1) != labels).mean() > 0.8
    for _ in range(300):
        model.train_on_batch(image, labels)
    np.testing.assert_array_equal(model.predict_on_batch(image).argmax(axis=-1), labels)
