import keras
import numpy as np
import pytest

import imbclf
from imbclf.analysis import gradient_mass, gradient_shares
from imbclf.analysis.gradient_of import gradient_of
from imbclf.errors import InputError
from tests.backend import BACKEND, numerical_gradient
from tests.losses.oracles import softmax


def draw(shape=(3, 4, 5), num_classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = random.choice(num_classes, shape, p=np.linspace(6, 1, num_classes) / np.linspace(6, 1, num_classes).sum())
    labels.flat[:num_classes] = range(num_classes)
    return labels, random.normal(size=(*shape, num_classes)) * 2


def mass_of(gradient, labels):
    """Mass by a loop over the classes, from the gradient of every logit."""
    return [np.abs(gradient[labels == k]).sum() for k in range(gradient.shape[-1])]


@pytest.mark.parametrize("loss_from_logits", [False, True])
@pytest.mark.parametrize("from_logits", [False, True])
def test_mass_of_cross_entropy_is_the_sum_of_errors_over_the_number_of_voxels(loss_from_logits, from_logits):
    labels, logits = draw()
    p = softmax(logits)
    loss = imbclf.CrossEntropy(from_logits=loss_from_logits)
    mass = gradient_mass(loss, labels, logits if from_logits else p, from_logits=from_logits)
    np.testing.assert_allclose(mass, mass_of((p - np.eye(3)[labels]) / labels.size, labels), rtol=1e-5)


def test_pull_towards_the_true_class_of_cross_entropy_is_what_it_lacks():
    labels, logits = draw()
    missing = 1 - np.take_along_axis(softmax(logits), labels[..., None], axis=-1)[..., 0]
    mass = gradient_mass(imbclf.CrossEntropy(), labels, logits, from_logits=True, only_true_class=True)
    np.testing.assert_allclose(mass, [missing[labels == k].sum() / labels.size for k in range(3)], rtol=1e-5)


@pytest.mark.parametrize("name", ["CrossEntropy", "Focal", "SoftF1", "SoftMCC", "CEPlusF1"])
def test_shares_sum_to_one_and_keep_the_ratios(name):
    labels, logits = draw()
    mass = gradient_mass(getattr(imbclf, name)(), labels, softmax(logits))
    shares = gradient_shares(mass)
    assert (mass > 0).all()
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(shares / shares[0], mass / mass[0], rtol=1e-12)


def test_shares_of_no_gradient_are_nan():
    assert np.isnan(gradient_shares([0.0, 0.0])).all()


def test_class_weight_of_two_doubles_the_mass_of_its_class_and_of_no_other():
    labels, logits = draw()
    plain, weighted = (
        gradient_mass(imbclf.CrossEntropy(class_weight=weights), labels, softmax(logits))
        for weights in (None, [1.0, 2.0, 1.0])
    )
    np.testing.assert_allclose(weighted, plain * [1, 2, 1], rtol=1e-5)


def test_balanced_cross_entropy_of_an_undecided_model_pulls_equally_for_every_class():
    labels, _ = draw()
    undecided = np.full((*labels.shape, 3), 1 / 3)
    shares = gradient_shares(gradient_mass(imbclf.CrossEntropy(class_weight="balanced"), labels, undecided))
    np.testing.assert_allclose(shares, 1 / 3, rtol=1e-5)
    frequency = np.bincount(labels.ravel()) / labels.size
    shares = gradient_shares(gradient_mass(imbclf.CrossEntropy(), labels, undecided))
    np.testing.assert_allclose(shares, frequency, rtol=1e-5)


def test_focal_with_gamma_zero_has_the_mass_of_cross_entropy_and_with_gamma_two_less():
    labels, logits = draw()
    cross_entropy, gamma_zero, gamma_two = (
        gradient_mass(loss, labels, softmax(logits))
        for loss in (imbclf.CrossEntropy(), imbclf.Focal(gamma=0), imbclf.Focal(gamma=2))
    )
    np.testing.assert_allclose(gamma_zero, cross_entropy, rtol=1e-5)
    assert gamma_two.sum() < cross_entropy.sum()


def test_mass_of_a_set_level_loss_is_that_of_its_formula_differentiated_numerically():
    labels, logits = draw(shape=(12,))
    one_hot = np.eye(3)[labels]

    def soft_f1(z):
        p = softmax(z)
        return 1 - np.mean(2 * (p * one_hot).sum(axis=0) / (p + one_hot).sum(axis=0))

    gradient = numerical_gradient(soft_f1, logits)
    mass = gradient_mass(imbclf.SoftF1(), labels, logits, from_logits=True)
    np.testing.assert_allclose(mass, mass_of(gradient, labels), rtol=1e-4)


@pytest.mark.parametrize("make", [imbclf.CrossEntropy, imbclf.SoftF1])
def test_masked_and_ignored_voxels_have_no_mass(make):
    labels, logits = draw()
    kept = np.random.default_rng(1).random(labels.shape) < 0.6
    kept.flat[:3] = True
    expected = gradient_mass(make(), labels[kept], softmax(logits[kept]))
    # The mean over all voxels divides by their number; the mean over those that count does not.
    scale = 1 if make is imbclf.SoftF1 else kept.mean()
    masked = gradient_mass(make(), labels, softmax(logits), sample_weight=kept.astype("float32"))
    np.testing.assert_allclose(masked, expected * scale, rtol=1e-4)
    ignored = gradient_mass(make(ignore_class=255), np.where(kept, labels, 255), softmax(logits))
    np.testing.assert_allclose(ignored, expected, rtol=1e-4)


def test_class_that_is_ignored_has_no_mass_though_it_is_there():
    labels, logits = draw()
    mass = gradient_mass(imbclf.CrossEntropy(ignore_class=1), labels, softmax(logits))
    assert mass[1] == 0
    assert (mass[[0, 2]] > 0).all()


def test_sigmoid_head_has_half_the_mass_of_two_logits():
    labels, logits = draw(num_classes=2)
    p = softmax(logits)
    expected = gradient_mass(imbclf.CrossEntropy(), labels, p) / 2
    for only_true_class in (False, True):
        one = gradient_mass(imbclf.CrossEntropy(), labels, p[..., 1:], only_true_class=only_true_class)
        np.testing.assert_allclose(one, expected, rtol=1e-4)
    logit = logits[..., 1:] - logits[..., :1]
    one = gradient_mass(imbclf.CrossEntropy(from_logits=True), labels, logit, from_logits=True)
    np.testing.assert_allclose(one, expected, rtol=1e-4)


def test_soft_labels_count_for_their_classes_in_proportion():
    labels = np.array([[0.75, 0.25, 0.0]])
    p = np.array([[0.2, 0.3, 0.5]])
    mass = gradient_mass(imbclf.CrossEntropy(), labels, p)
    np.testing.assert_allclose(mass, np.abs(p - labels).sum() * labels[0], rtol=1e-5)


def test_losses_of_keras_and_functions_are_differentiated_alike():
    labels, logits = draw()
    one_hot = np.eye(3)[labels].astype("float32")
    expected = gradient_mass(imbclf.CrossEntropy(), labels, softmax(logits))

    def mean_log_loss(y_true, y_pred):
        return -keras.ops.mean(keras.ops.sum(keras.ops.multiply(y_true, keras.ops.log(y_pred)), axis=-1))

    for loss in (
        keras.losses.CategoricalCrossentropy(),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        mean_log_loss,
    ):
        np.testing.assert_allclose(gradient_mass(loss, one_hot, softmax(logits)), expected, rtol=1e-4)


def test_an_unreduced_loss_is_summed():
    labels, logits = draw()
    mean, unreduced = (
        gradient_mass(imbclf.CrossEntropy(reduction=reduction), labels, softmax(logits))
        for reduction in ("sum_over_batch_size", "none")
    )
    np.testing.assert_allclose(unreduced, labels.size * mean, rtol=1e-5)


def test_a_sum_of_losses_reads_the_predictions_as_its_parts_do():
    labels, logits = draw()
    parts = [imbclf.CrossEntropy(from_logits=True, ignore_class=2), imbclf.Focal(0, from_logits=True, ignore_class=2)]
    mass = gradient_mass(imbclf.WeightedSum(parts, [1.0, 0.5]), labels, softmax(logits))
    np.testing.assert_allclose(mass, 1.5 * gradient_mass(parts[0], labels, softmax(logits)), rtol=1e-5)
    mixed = imbclf.WeightedSum([imbclf.CrossEntropy(from_logits=True), imbclf.SoftF1()])
    with pytest.raises(InputError, match="same from_logits"):
        gradient_mass(mixed, labels, softmax(logits))


@pytest.mark.skipif(BACKEND == "jax", reason="on JAX a step outside of Keras leaves the switch alone anyway")
@pytest.mark.parametrize("inside_a_sum", [False, True])
def test_a_loss_that_switches_while_it_trains_is_left_as_it_was(inside_a_sum):
    labels = np.array([[0, 0, 0, 1]])
    p = np.eye(2)[labels] * 0.96 + 0.02
    balance = imbclf.Balance()
    loss = imbclf.WeightedSum([balance]) if inside_a_sum else balance
    balance = loss.losses[0] if inside_a_sum else balance
    mass = gradient_mass(loss, labels, p)
    assert float(balance.switched) == 0
    np.testing.assert_array_equal(gradient_mass(loss, labels, p), mass)
    # The batch is one that would have flipped it.
    gradient_of(lambda z: loss(labels, keras.ops.softmax(z)), np.log(p))
    assert float(balance.switched) == 1


def test_predictions_that_are_no_probabilities_are_refused():
    with pytest.raises(InputError, match=r"received -2\.0; for logits pass from_logits=True"):
        gradient_mass(imbclf.CrossEntropy(), [0], [[-2.0, 3.0]])
    with pytest.raises(InputError, match="batch, "):
        gradient_mass(imbclf.CrossEntropy(), [0, 1], [0.5, 0.5])
    with pytest.raises(ValueError, match="fits no form"):
        gradient_mass(lambda y, p: keras.ops.sum(p), [0, 1, 1], [[0.5, 0.5]] * 2)


def test_certain_predictions_have_a_finite_mass():
    mass = gradient_mass(imbclf.CrossEntropy(), [0, 1], [[1.0, 0.0], [1.0, 0.0]])
    # Each of two voxels pulls with |p - y| / 2 at both logits: not at all, or with all it has.
    np.testing.assert_allclose(mass, [0, 1], atol=1e-5)


def test_gradient_of_agrees_with_differences_and_is_zero_where_nothing_depends():
    x = np.random.default_rng(0).normal(size=(3, 2))
    gradient = gradient_of(lambda z: keras.ops.sum(keras.ops.exp(z) * z), x)
    np.testing.assert_allclose(gradient, numerical_gradient(lambda z: (np.exp(z) * z).sum(), x), rtol=1e-4)
    constant = gradient_of(lambda z: keras.ops.convert_to_tensor(1.0), x)
    np.testing.assert_array_equal(constant, np.zeros((3, 2)))
