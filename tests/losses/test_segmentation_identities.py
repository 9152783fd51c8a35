"""What the losses of segmentation must equal: each other at certain options, and the papers' formulas by hand."""

import keras
import numpy as np
import pytest

import imbclf
from imbclf.losses.combo import log_complements
from imbclf.losses.hardest import hardest
from tests.backend import to_numpy, value_and_gradient
from tests.losses.oracles import softmax


def draw(shape=(2, 5, 6), num_classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, num_classes, shape)
    labels.reshape(-1)[:num_classes] = range(num_classes)
    return labels, random.normal(size=(*shape, num_classes)) * 2


def assert_same(first, second, *batch):
    """Equal in value and in gradient with respect to the logits."""
    labels, logits = batch
    for a, b in zip(
        value_and_gradient(lambda z: first(labels, z), logits),
        value_and_gradient(lambda z: second(labels, z), logits),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum", "none"])
def test_top_k_of_all_is_cross_entropy_whatever_the_weights(reduction):
    labels, logits = draw()
    weights = np.random.default_rng(1).uniform(0.1, 3, labels.shape)
    options = {"from_logits": True, "reduction": reduction, "class_weight": [1, 2, 3]}
    mined = imbclf.TopK(k=1.0, **options)(labels, logits, weights)
    plain = imbclf.CrossEntropy(**options)(labels, logits, weights)
    np.testing.assert_allclose(to_numpy(mined), to_numpy(plain), rtol=1e-5)


def test_a_threshold_of_one_is_cross_entropy():
    assert_same(imbclf.TopKThreshold(t=1.0, from_logits=True), imbclf.CrossEntropy(from_logits=True), *draw())


def test_threshold_without_a_hard_voxel_costs_nothing():
    p = np.full((3, 2), [0.9, 0.1])
    assert to_numpy(imbclf.TopKThreshold(t=0.7)(np.zeros(3, int), p)) == 0


def test_top_k_keeps_at_least_one_voxel():
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]])
    np.testing.assert_allclose(to_numpy(imbclf.TopK(k=0.1)(np.zeros(3, int), p)), -np.log(0.4), rtol=1e-6)


def test_top_k_that_should_be_a_whole_number_is_not_rounded_down():
    random = np.random.default_rng(0)
    p = softmax(random.normal(size=(100, 2)))
    worst = np.sort(-np.log(p[:, 0]))[-29:]
    np.testing.assert_allclose(to_numpy(imbclf.TopK(k=0.29)(np.zeros(100, int), p)), worst.mean(), rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_hardest_is_what_a_sort_gives(seed):
    random = np.random.default_rng(seed)
    values = random.exponential(size=(3, 400)).astype("float32") ** 4
    keep = np.array([[1], [57], [400]])
    kept = to_numpy(hardest(values, np.ones_like(values), keep))
    for row, mass, weights in zip(values, keep[:, 0], kept, strict=True):
        np.testing.assert_array_equal(weights, row >= np.sort(row)[-mass])


def test_ties_at_the_threshold_share_the_places_that_are_left():
    kept = hardest(np.array([[5.0, 1.0, 1.0, 1.0, 0.0]]), np.ones((1, 5), "float32"), np.array([[2.0]]))
    np.testing.assert_allclose(to_numpy(kept), [[1, 1 / 3, 1 / 3, 1 / 3, 0]], rtol=1e-6)
    zeros = hardest(np.array([[0.0, -0.0, 0.0, 0.0]]), np.ones((1, 4), "float32"), np.array([[3.0]]))
    np.testing.assert_allclose(to_numpy(zeros), [[0.75] * 4], rtol=1e-6)


def test_hardest_takes_infinite_denormal_and_huge_costs_in_their_order():
    values = np.array([[np.inf, 3e38, 1.0, 1e-40, 0.0]], "float32")
    for mass in range(1, 6):
        kept = to_numpy(hardest(values, np.ones((1, 5), "float32"), np.array([[mass]])))
        # Denormals may count as zero where the processor flushes them.
        np.testing.assert_array_equal(kept[0, :3], (np.arange(5) < mass)[:3])
        np.testing.assert_allclose(kept.sum(), mass)


def test_soft_f1_is_dice():
    for options in ({}, {"over": "sample", "absent": "zero"}, {"include_background": False, "absent": "penalize"}):
        assert_same(imbclf.SoftF1(from_logits=True, **options), imbclf.Dice(from_logits=True, **options), *draw())


def test_tversky_at_one_half_is_dice():
    assert_same(imbclf.Tversky(alpha=0.5, beta=0.5, from_logits=True), imbclf.Dice(from_logits=True), *draw())


def test_prices_of_tversky_act():
    labels, logits = draw()
    alone = [to_numpy(imbclf.Tversky(alpha=a, beta=1 - a, from_logits=True)(labels, logits)) for a in (0.1, 0.5, 0.9)]
    assert len(set(np.round(alone, 5))) == 3


def test_focal_tversky_at_gamma_one_is_tversky():
    assert_same(imbclf.FocalTversky(gamma=1.0, from_logits=True), imbclf.Tversky(from_logits=True), *draw())


def test_log_dice_is_the_logarithm_of_dice_where_there_is_one_class():
    labels, logits = draw(num_classes=2)
    options = {"include_background": False, "from_logits": True}
    dice = to_numpy(imbclf.Dice(**options)(labels, logits))
    np.testing.assert_allclose(to_numpy(imbclf.LogDice(**options)(labels, logits)), -np.log(1 - dice), rtol=1e-5)
    with pytest.raises(ValueError, match="infinite"):
        imbclf.LogDice(absent="zero")


def test_generalized_dice_of_equal_sizes_is_the_pooled_overlap():
    labels = np.repeat([0, 1, 2], 4)[None]
    p = softmax(np.random.default_rng(0).normal(size=(1, 12, 3)))
    overlap = p[0, np.arange(12), labels[0]].sum() / 12
    np.testing.assert_allclose(to_numpy(imbclf.GeneralizedDice()(labels, p)), 1 - overlap, rtol=1e-5)


def test_generalized_dice_of_a_million_voxels_does_not_collapse_when_a_class_is_absent():
    labels = np.zeros((1, 1024, 1024), int)
    labels[0, :3, :3] = 1
    right = np.eye(3, dtype="float32")[labels]
    swapped = right[..., [1, 0, 2]]
    np.testing.assert_allclose(to_numpy(imbclf.GeneralizedDice()(labels, right)), 0, atol=1e-6)
    np.testing.assert_allclose(to_numpy(imbclf.GeneralizedDice()(labels, swapped)), 1, atol=1e-6)


@pytest.mark.parametrize("make", [imbclf.MarginalL1, imbclf.MarginalKL])
def test_marginal_losses_see_proportions_and_not_places(make):
    labels, _ = draw((2, 12))
    moved = np.eye(3)[labels[:, ::-1]]
    np.testing.assert_allclose(to_numpy(make()(labels, moved)), 0, atol=1e-6)


def test_marginal_kl_of_a_class_predicted_nowhere_still_has_a_gradient():
    labels = np.array([[0, 0, 0, 1]])
    logits = np.tile([60.0, -60.0], (1, 4, 1))
    loss = imbclf.MarginalKL(from_logits=True)
    value, gradient = value_and_gradient(lambda z: loss(labels, z), logits)
    np.testing.assert_allclose(value, 0.75 * np.log(0.75) + 0.25 * (np.log(0.25) + 1200), rtol=1e-5)
    np.testing.assert_allclose(gradient.sum(axis=1), [[2.5, -2.5]], rtol=1e-4)


def test_dice_bias_is_what_log_dice_adds_to_its_matching_term():
    """log-Dice of class k is log(p + y proportions) minus log of twice the matched proportion (Liu et al., eq. 1)."""
    labels, logits = draw((1, 30), num_classes=2)
    p = softmax(logits)
    matched = [(p[0, :, k] * (labels[0] == k)).mean() for k in range(2)]
    bias = to_numpy(imbclf.DiceBias(temperature=1.0)(labels, p))
    np.testing.assert_allclose(
        to_numpy(imbclf.LogDice()(labels, p)), bias - np.log(2 * np.array(matched)).mean(), rtol=1e-4
    )


def test_intra_at_threshold_zero_is_the_sum_of_class_means():
    labels, logits = draw((3, 20))
    cost = -np.log(np.take_along_axis(softmax(logits), labels[..., None], -1)[..., 0])
    sums = [sum(cost[b][labels[b] == k].mean() for k in set(labels[b])) for b in range(3)]
    value = imbclf.IntraClassBalance(t=0.0, from_logits=True)(labels, logits)
    np.testing.assert_allclose(to_numpy(value), np.mean(sums), rtol=1e-5)


def test_inter_on_a_balanced_image_is_twice_cross_entropy():
    labels = np.array([[0, 1] * 6, [1, 1, 0, 0] * 3])
    logits = np.random.default_rng(0).normal(size=(2, 12, 2))
    inter = to_numpy(imbclf.InterClassBalance(from_logits=True)(labels, logits))
    np.testing.assert_allclose(inter, 2 * to_numpy(imbclf.CrossEntropy(from_logits=True)(labels, logits)), rtol=1e-5)


def published_inter(labels, p):
    """Xu et al., eq. 11, literally, for one image of two classes with 0 < f <= N / 2."""
    fg, bg = -np.log(p[labels == 1, 1]), np.sort(-np.log(p[labels == 0, 0]))[::-1]
    f, n = len(fg), len(labels)
    return fg.sum() / f + bg[:f].sum() / f + bg[f:].sum() / n


def test_inter_of_two_classes_is_the_published_formula_and_its_mirror_image():
    random = np.random.default_rng(0)
    labels = np.array([1] * 7 + [0] * 33)
    p = softmax(random.normal(size=(40, 2)))
    loss = imbclf.InterClassBalance()
    np.testing.assert_allclose(to_numpy(loss(labels[None], p[None])), published_inter(labels, p), rtol=1e-5)
    mirrored = to_numpy(loss(1 - labels[None], p[None, :, ::-1]))
    np.testing.assert_allclose(mirrored, published_inter(labels, p), rtol=1e-5)


def test_an_image_without_foreground_costs_its_mean_cross_entropy_in_the_inter_part():
    p = softmax(np.random.default_rng(0).normal(size=(1, 30, 2)))
    value = imbclf.InterClassBalance()(np.zeros((1, 30), int), p)
    np.testing.assert_allclose(to_numpy(value), -np.log(p[0, :, 0]).mean(), rtol=1e-5)


def test_gradient_aware_dice_is_squared_dice_that_penalizes():
    options = {"squared": True, "absent": "penalize", "from_logits": True}
    assert_same(imbclf.GradientAwareDice(from_logits=True), imbclf.Dice(**options), *draw(num_classes=4))


@pytest.mark.parametrize("k", [0.1, 0.5, 1.0])
def test_gradient_aware_ce_at_gamma_one_is_top_k(k):
    assert_same(imbclf.GradientAwareCE(k=k, gamma=1.0, from_logits=True), imbclf.TopK(k=k, from_logits=True), *draw())


def test_gradient_aware_ce_of_all_voxels_at_gamma_zero_is_the_sum_of_class_means():
    labels, logits = draw()
    cost = -np.log(np.take_along_axis(softmax(logits), labels[..., None], -1)[..., 0])
    value = imbclf.GradientAwareCE(k=1.0, gamma=0.0, from_logits=True)(labels, logits)
    np.testing.assert_allclose(to_numpy(value), sum(cost[labels == k].mean() for k in range(3)), rtol=1e-5)


def test_gradient_aware_ce_trains_a_classifier_with_a_batch_of_eight():
    labels, logits = draw((8,))
    value, gradient = value_and_gradient(lambda z: imbclf.GradientAwareCE(from_logits=True)(labels, z), logits)
    costs = -np.log(softmax(logits)[np.arange(8), labels])
    np.testing.assert_allclose(value, costs.max(), rtol=1e-5)
    assert (gradient[costs.argmax()] != 0).all()


def test_unified_focal_without_focus_is_weighted_cross_entropy_and_tversky():
    labels, logits = draw()
    loss = imbclf.UnifiedFocal(gamma=0.0, delta=0.6, from_logits=True)
    ce = imbclf.CrossEntropy(class_weight=[0.4, 0.6, 0.6], from_logits=True)
    tversky = imbclf.Tversky(alpha=0.4, beta=0.6, from_logits=True)
    expected = 0.5 * to_numpy(ce(labels, logits)) + 0.5 * to_numpy(tversky(labels, logits))
    np.testing.assert_allclose(to_numpy(loss(labels, logits)), expected, rtol=1e-5)


def test_combo_of_two_classes_is_cross_entropy_and_dice_at_even_prices():
    """-y log p - (1 - y) log(1 - p) counts each of two classes once, so its mean over classes is the cross-entropy."""
    labels, logits = draw(num_classes=2)
    ce, dice = imbclf.CrossEntropy(from_logits=True), imbclf.Dice(from_logits=True)
    expected = 0.7 * 0.5 * to_numpy(ce(labels, logits)) + 0.3 * to_numpy(dice(labels, logits))
    value = imbclf.Combo(alpha=0.7, beta=0.5, from_logits=True)(labels, logits)
    np.testing.assert_allclose(to_numpy(value), expected, rtol=1e-5)


@pytest.mark.parametrize("num_classes", [2, 3, 6])
def test_log_complement_keeps_its_digits_where_the_probability_is_close_to_one(num_classes):
    logits = np.random.default_rng(0).normal(size=(20, num_classes)) * 30
    exact = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    others = np.stack([np.logaddexp.reduce(np.delete(exact, k, axis=-1), axis=-1) for k in range(num_classes)], axis=-1)
    value = log_complements(keras.ops.convert_to_tensor(exact, dtype="float32"))
    np.testing.assert_allclose(to_numpy(value), others, rtol=1e-4, atol=1e-5)


COMPOUNDS = {
    imbclf.CEPlusF1: ["cross_entropy", "soft_f1"],
    imbclf.CEPlusMCC: ["cross_entropy", "soft_mcc"],
    imbclf.CEPlusDice: ["cross_entropy", "dice"],
    imbclf.CEPlusLogDice: ["cross_entropy", "log_dice"],
    imbclf.CEPlusDiceBias: ["cross_entropy", "dice_bias"],
    imbclf.CEPlusMarginalL1: ["cross_entropy", "marginal_l1"],
    imbclf.CEPlusMarginalKL: ["cross_entropy", "marginal_kl"],
    imbclf.FocalPlusMarginalL1: ["focal", "marginal_l1"],
    imbclf.GradientAware: ["gradient_aware_dice", "gradient_aware_ce"],
    imbclf.Combo: ["two_sided_ce", "dice"],
    imbclf.UnifiedFocal: ["modified_focal", "modified_focal_tversky"],
}


@pytest.mark.parametrize(("make", "names"), COMPOUNDS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_compounds_name_their_parts_and_show_them_while_training(make, names):
    loss = make()
    assert list(loss.parts) == names
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", loss=loss, metrics=loss.part_metrics())
    x = np.random.default_rng(0).normal(size=(16, 4))
    logs = model.evaluate(x, np.arange(16) % 3, batch_size=16, verbose=0, return_dict=True)
    total = sum(weight * logs[name] for weight, name in zip(loss.weights, names, strict=True))
    np.testing.assert_allclose(total, logs["loss"], rtol=1e-5)


def test_an_option_that_no_part_has_is_refused():
    with pytest.raises(TypeError, match="sharpness"):
        imbclf.CEPlusDice(sharpness=3)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (imbclf.TopK, {"k": 0}),
        (imbclf.TopK, {"k": 10}),
        (imbclf.TopKThreshold, {"t": 1.5}),
        (imbclf.Tversky, {"alpha": -1}),
        (imbclf.FocalTversky, {"gamma": 0}),
        (imbclf.MarginalL1, {"temperature": 0}),
        (imbclf.IntraClassBalance, {"t": -0.1}),
        (imbclf.Balance, {"alpha": 2}),
        (imbclf.Balance, {"schedule": "slow"}),
        (imbclf.Balance, {"criterion": "both"}),
        (imbclf.GradientAwareCE, {"gamma": 2}),
        (imbclf.GeneralizedDice, {"absent": "one"}),
        (imbclf.Combo, {"alpha": -1}),
        (imbclf.Combo, {"beta": 3}),
        (imbclf.UnifiedFocal, {"weight": 2}),
        (imbclf.UnifiedFocal, {"gamma": 1}),
        (imbclf.UnifiedFocal, {"delta": 7}),
    ],
)
def test_options_out_of_range_are_refused_by_name(make, options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"(?s){name}.*{value}"):
        make(**options)
