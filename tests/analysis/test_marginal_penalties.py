import numpy as np
import pytest
from scipy.stats import entropy

from imbclf.analysis import marginal_penalties
from imbclf.errors import InputError
from tests.backend import to_numpy

GRID = np.linspace(0.001, 0.999, 999)
PROPORTIONS = [0.005, 0.1, 0.3, 0.5, 0.8]


@pytest.mark.parametrize("true", PROPORTIONS)
@pytest.mark.parametrize("key", ["marginal_l1", "marginal_kl", "cross_entropy"])
def test_l1_kl_and_cross_entropy_are_least_at_the_true_proportion_and_rise_away_from_it(key, true):
    penalty = marginal_penalties(GRID, true)[key]
    assert GRID[penalty.argmin()] == pytest.approx(true, abs=1e-9)
    assert (np.diff(penalty[true >= GRID]) < 0).all()
    assert (np.diff(penalty[true <= GRID]) > 0).all()


@pytest.mark.parametrize("true", PROPORTIONS)
def test_dice_bias_of_the_foreground_rises_with_its_size_so_that_no_foreground_is_least(true):
    penalty = marginal_penalties(np.linspace(0, 1, 101), true)["dice_bias_foreground"]
    assert (np.diff(penalty) > 0).all()


@pytest.mark.parametrize("true", [0.005, 0.1, 0.3, 0.8, 0.99])
def test_dice_bias_of_both_classes_is_least_where_the_larger_class_takes_everything(true):
    predicted = np.linspace(0, 1, 101)
    penalty = marginal_penalties(predicted, true)["dice_bias"]
    assert predicted[penalty.argmin()] == (0 if true < 0.5 else 1)
    # Rising until the predicted proportion mirrors the true one: the slope is 1 / (p + y) - 1 / (2 - p - y).
    assert (np.diff(penalty[predicted <= 1 - true]) > 0).all()
    assert (np.diff(penalty[predicted >= 1 - true]) < 0).all()


def test_values_are_those_of_formulas_written_for_two_classes():
    p, y = np.meshgrid(GRID[::50], PROPORTIONS)
    penalties = marginal_penalties(p, y)
    kl = y * np.log(y / p) + (1 - y) * np.log((1 - y) / (1 - p))
    expected = {
        "marginal_l1": np.abs(p - y),
        "marginal_kl": kl,
        "cross_entropy": -(y * np.log(p) + (1 - y) * np.log(1 - p)),
        "dice_bias": np.log((p + y) * (2 - p - y)) / 2,
        "dice_bias_foreground": np.log(p + y),
    }
    assert list(penalties) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(penalties[key], values, rtol=1e-12, atol=1e-14)


def test_cross_entropy_is_kl_and_the_entropy_of_the_true_proportions():
    for true in PROPORTIONS:
        penalties = marginal_penalties(GRID, true)
        difference = penalties["cross_entropy"] - penalties["marginal_kl"]
        np.testing.assert_allclose(difference, entropy([true, 1 - true]), rtol=1e-9)


def test_log_dice_of_a_constant_prediction_is_matching_term_and_dice_bias():
    # -log Dice_1 = -log(mean of p over the foreground) + log(p + y) - log 2 + log y - log y of eq. 1 and 19.
    p, y = 0.3, 0.1
    dice = 2 * y * p / (p + y)
    bias = marginal_penalties(p, y)["dice_bias_foreground"]
    assert -np.log(dice) == pytest.approx(-np.log(p) + bias - np.log(2 * y), rel=1e-12)


def test_slope_near_zero_is_constant_for_l1_and_grows_without_bound_for_kl():
    step = 1e-9
    slopes = {"marginal_l1": [], "marginal_kl": []}
    for p in (1e-2, 1e-3, 1e-4):
        low, high = marginal_penalties(p, 0.1), marginal_penalties(p + step, 0.1)
        for key, values in slopes.items():
            values.append((high[key] - low[key]) / step)
    np.testing.assert_allclose(slopes["marginal_l1"], -1, rtol=1e-5)
    expected = [-0.1 / p + 0.9 / (1 - p) for p in (1e-2, 1e-3, 1e-4)]
    np.testing.assert_allclose(slopes["marginal_kl"], expected, rtol=1e-4)


def test_edges_are_infinite_where_a_logarithm_is_and_finite_elsewhere():
    nothing = marginal_penalties(0.0, 0.25)
    assert nothing["marginal_kl"] == np.inf
    assert nothing["cross_entropy"] == np.inf
    assert nothing["dice_bias_foreground"] == np.log(0.25)
    absent = marginal_penalties(0.0, 0.0)
    assert absent["marginal_kl"] == 0
    assert absent["marginal_l1"] == 0
    assert absent["dice_bias_foreground"] == -np.inf


@pytest.mark.parametrize(
    ("key", "name"), [("marginal_l1", "MarginalL1"), ("marginal_kl", "MarginalKL"), ("dice_bias", "DiceBias")]
)
def test_penalties_are_the_losses_of_an_image_with_these_proportions(key, name):
    from imbclf import losses

    voxels = 40
    for true in (2, 15, 30):
        for predicted in (1, 15, 36):
            expected = marginal_penalties(predicted / voxels, true / voxels)[key]
            labels, called = (np.arange(voxels) < count for count in (true, predicted))
            # Voxels called at random places: only the proportions count.
            hard = np.eye(2)[np.random.default_rng(0).permutation(called).astype(int)]
            soft = np.broadcast_to([1 - predicted / voxels, predicted / voxels], (voxels, 2))
            for image, temperature in ((hard, 10.0), (soft, 1.0)):
                value = getattr(losses, name)(temperature=temperature)(labels[None].astype(int), image[None])
                np.testing.assert_allclose(to_numpy(value), expected, rtol=1e-4, atol=1e-6)


def test_what_is_no_proportion_is_refused():
    with pytest.raises(InputError, match=r"predicted must hold proportions in \[0, 1\]; received 1.5"):
        marginal_penalties([0.5, 1.5], 0.1)
    with pytest.raises(InputError, match="true_proportion"):
        marginal_penalties(0.5, np.nan)
