"""What a loss must equal, known from elsewhere: other losses, Keras, scikit-learn, the papers' formulas."""

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, matthews_corrcoef

import imbclf
from tests.backend import to_numpy, value_and_gradient
from tests.losses.oracles import softmax


def draw(n=40, num_classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, num_classes, n)
    labels[:num_classes] = range(num_classes)
    return labels, random.normal(size=(n, num_classes)) * 2


def test_cross_entropy_is_the_log_loss_of_scikit_learn():
    labels, logits = draw()
    value = imbclf.CrossEntropy(from_logits=True)(labels, logits)
    np.testing.assert_allclose(to_numpy(value), log_loss(labels, softmax(logits)), rtol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_reduces_as_in_keras(reduction, smoothing):
    labels, logits = draw()
    weights = np.random.default_rng(1).uniform(0, 3, len(labels))
    one_hot = np.eye(3)[labels]
    options = {"from_logits": True, "reduction": reduction, "label_smoothing": smoothing}
    ours = imbclf.CrossEntropy(**options)(one_hot, logits, weights)
    theirs = keras.losses.CategoricalCrossentropy(**options)(one_hot, logits, weights)
    np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), rtol=1e-4)


def test_temperature_multiplies_the_logits():
    labels, logits = draw()
    sharp = imbclf.CrossEntropy(temperature=3.0)(labels, softmax(logits))
    np.testing.assert_allclose(to_numpy(sharp), log_loss(labels, softmax(3 * logits)), rtol=1e-4)


def test_focal_with_gamma_zero_is_cross_entropy_in_value_and_gradient():
    labels, logits = draw()
    focal, cross_entropy = imbclf.Focal(gamma=0, from_logits=True), imbclf.CrossEntropy(from_logits=True)
    for a, b in zip(
        value_and_gradient(lambda z: focal(labels, z), logits),
        value_and_gradient(lambda z: cross_entropy(labels, z), logits),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_focal_is_cross_entropy_times_the_power_of_what_is_missing():
    labels, logits = draw()
    q = softmax(logits)[np.arange(len(labels)), labels]
    focal = imbclf.Focal(gamma=1.5, reduction="none", from_logits=True)(labels, logits)
    np.testing.assert_allclose(to_numpy(focal), (1 - q) ** 1.5 * -np.log(q), rtol=1e-4)


def test_alpha_of_focal_weighs_by_the_true_class():
    labels, logits = draw()
    plain = to_numpy(imbclf.Focal(reduction="none", from_logits=True)(labels, logits))
    weighted = to_numpy(imbclf.Focal(alpha=[1, 0, 5], reduction="none", from_logits=True)(labels, logits))
    np.testing.assert_allclose(weighted, plain * np.array([1, 0, 5])[labels], rtol=1e-6)
    with pytest.raises(ValueError, match="one non-negative weight per class"):
        imbclf.Focal(alpha=0.25)
    with pytest.raises(ValueError, match="2 entries"):
        imbclf.Focal(alpha=[1, 2])(labels, logits)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("logit", [-100.0, -40.0, 19.0, 100.0])
def test_binary_focal_gradient_is_the_analytic_one_at_extreme_logits(gamma, logit):
    """For label 1 and q = sigmoid(z): d/dz = (1-q)^gamma (gamma q log q + q - 1)."""
    q = 1 / (1 + np.exp(-logit))
    one_minus_q = 1 / (1 + np.exp(logit))
    log_q = -np.logaddexp(0, -logit)
    expected = one_minus_q**gamma * (gamma * q * log_q - one_minus_q)
    loss = imbclf.Focal(gamma=gamma, from_logits=True)
    _, gradient = value_and_gradient(lambda z: loss(np.array([1]), z), np.array([[logit]]))
    np.testing.assert_allclose(gradient[0, 0], expected, rtol=1e-4, atol=1e-12)


def test_soft_f1_of_hard_predictions_is_the_macro_f1_of_scikit_learn():
    labels, logits = draw(60, 4)
    hard = logits.argmax(axis=1)
    value = imbclf.SoftF1()(labels, np.eye(4)[hard])
    np.testing.assert_allclose(1 - to_numpy(value), f1_score(labels, hard, average="macro"), rtol=1e-5)


def test_soft_mcc_of_hard_predictions_is_the_coefficient_of_scikit_learn():
    for num_classes in (2, 5):
        labels, logits = draw(200, num_classes)
        logits[np.arange(200), labels] += 1
        hard = logits.argmax(axis=1)
        value = imbclf.SoftMCC()(labels, np.eye(num_classes)[hard])
        np.testing.assert_allclose(1 - to_numpy(value), matthews_corrcoef(labels, hard), rtol=1e-5)


def test_soft_mcc_of_two_classes_is_the_binary_formula():
    labels, logits = draw(30, 2)
    p = softmax(logits)[:, 1]
    tp, fp = (labels * p).sum(), ((1 - labels) * p).sum()
    fn, tn = (labels * (1 - p)).sum(), ((1 - labels) * (1 - p)).sum()
    mcc = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    value = imbclf.SoftMCC()(labels, softmax(logits))
    np.testing.assert_allclose(1 - to_numpy(value), mcc, rtol=1e-4)


def test_soft_mcc_of_a_batch_of_one_class_is_one_and_not_noise():
    p = softmax(np.random.default_rng(0).normal(size=(50, 3)))
    value = imbclf.SoftMCC()(np.zeros(50, int), p)
    np.testing.assert_allclose(to_numpy(value), 1, atol=5e-4)


@pytest.mark.parametrize("over", ["batch", "sample"])
def test_absent_class_contributes_what_was_asked(over):
    labels = np.array([[0, 1, 1, 0]])
    p = softmax(np.random.default_rng(2).normal(size=(1, 4, 3)))
    overlap = [2 * (p[0, :, k] * (labels[0] == k)).sum() / (p[0, :, k].sum() + 2) for k in (0, 1)]
    losses = [1 - overlap[0], 1 - overlap[1]]
    expected = {"skip": losses, "zero": [*losses, 1.0], "penalize": [*losses, (p[0, :, 2] ** 2).mean()]}
    for absent, parts in expected.items():
        loss = imbclf.SoftF1(absent=absent, over=over)
        np.testing.assert_allclose(to_numpy(loss(labels, p)), np.mean(parts), rtol=1e-5)


@pytest.mark.parametrize("make", [imbclf.SoftF1, imbclf.SoftMCC])
def test_penalty_discourages_an_absent_class_with_half_the_gradient_of_its_square(make):
    labels, p = np.zeros(4, int), np.full((4, 2), 0.5)
    _, gradient = value_and_gradient(lambda q: make(absent="penalize")(labels, q), p)
    _, without = value_and_gradient(lambda q: make(absent="skip")(labels, q), p)
    np.testing.assert_allclose((gradient - without)[:, 1], 0.5 / 4 / 2, rtol=1e-4)


def test_background_can_be_left_out_of_the_class_mean():
    labels, logits = draw(30, 3)
    p = softmax(logits)
    counts = [2 * (p[:, k] * (labels == k)).sum() / (p[:, k].sum() + (labels == k).sum()) for k in range(3)]
    value = imbclf.SoftF1(include_background=False)(labels, p)
    np.testing.assert_allclose(to_numpy(value), 1 - np.mean(counts[1:]), rtol=1e-5)


def test_balanced_class_weight_gives_every_class_the_same_say():
    labels, logits = draw(50, 3)
    costs = -np.log(softmax(logits)[np.arange(50), labels])
    by_class = [costs[labels == k].mean() for k in range(3)]
    value = imbclf.CrossEntropy(from_logits=True, class_weight="balanced")(labels, logits)
    np.testing.assert_allclose(to_numpy(value), np.mean(by_class), rtol=1e-5)


def test_class_weight_equals_the_sample_weight_of_the_class():
    labels, logits = draw()
    weights = np.array([0.2, 1.0, 3.0])
    for make in (imbclf.CrossEntropy, imbclf.Focal, imbclf.SoftMCC):
        by_class = make(from_logits=True, class_weight=list(weights))(labels, logits)
        by_sample = make(from_logits=True)(labels, logits, weights[labels])
        np.testing.assert_allclose(to_numpy(by_class), to_numpy(by_sample), rtol=1e-5)


def test_class_weight_of_soft_f1_weighs_the_mean_over_classes():
    labels, logits = draw(30, 3)
    p = softmax(logits)
    losses = [1 - 2 * (p[:, k] * (labels == k)).sum() / (p[:, k].sum() + (labels == k).sum()) for k in range(3)]
    value = imbclf.SoftF1(class_weight=[1, 0, 4])(labels, p)
    np.testing.assert_allclose(to_numpy(value), (losses[0] + 4 * losses[2]) / 5, rtol=1e-5)


@pytest.mark.parametrize("make", [imbclf.CEPlusF1, imbclf.CEPlusMCC])
def test_compound_is_the_sum_of_its_parts_and_names_them(make):
    labels, logits = draw()
    loss = make(weights=(0.3, 2.0), from_logits=True)
    values = {name: to_numpy(part(labels, logits)) for name, part in loss.parts.items()}
    first, second = values.values()
    assert next(iter(values)) == "cross_entropy"
    np.testing.assert_allclose(to_numpy(loss(labels, logits)), 0.3 * first + 2 * second, rtol=1e-6)


def test_parts_are_shown_while_training_and_add_up_to_the_loss():
    loss = imbclf.CEPlusF1(weights=(1.0, 3.0))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss=loss, metrics=loss.part_metrics())
    labels, _ = draw(21)
    x = np.random.default_rng(0).normal(size=(21, 4))
    logs = model.evaluate(x, labels, batch_size=8, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["cross_entropy"] + 3 * logs["soft_f1"], logs["loss"], rtol=1e-5)


def test_weighted_sum_takes_any_keras_loss_and_gives_repeated_names_a_number():
    labels, logits = draw()
    keras_loss = keras.losses.CategoricalCrossentropy(from_logits=True, name="focal")
    loss = imbclf.WeightedSum([imbclf.Focal(from_logits=True), keras_loss], [1.0, 0.5])
    assert list(loss.parts) == ["focal", "focal_2"]
    one_hot = np.eye(3)[labels]
    expected = to_numpy(loss.losses[0](one_hot, logits)) + 0.5 * to_numpy(keras_loss(one_hot, logits))
    np.testing.assert_allclose(to_numpy(loss(one_hot, logits)), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="one per loss"):
        imbclf.WeightedSum([imbclf.SoftF1()], [1, 2])
    with pytest.raises(ValueError, match="non-empty"):
        imbclf.WeightedSum([])


@pytest.mark.parametrize("name", sorted({*imbclf.losses.__all__} - {"WeightedSum", "DeepSupervision"}))
def test_keras_finds_every_loss_by_its_name(name):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss=f"imbclf>{name}")
    model.evaluate(np.ones((4, 4)), np.array([0, 1, 2, 0]), verbose=0)
    assert keras.saving.get_registered_object(f"imbclf>{name}") is getattr(imbclf, name)
    assert isinstance(keras.losses.get(f"imbclf>{name}"), getattr(imbclf.losses, name))


def test_loss_does_not_see_the_reduction_of_the_other_parts():
    parts = [imbclf.CrossEntropy(), imbclf.SoftF1(reduction="sum")]
    loss = imbclf.WeightedSum(parts)
    assert loss.losses[0] is parts[0]
    assert loss.losses[1].reduction == "sum_over_batch_size"
    assert parts[1].reduction == "sum"
