import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.errors import InputError
from imbclf.sampling import BalancedBatches


@st.composite
def trainings(draw):
    counts = draw(st.lists(st.integers(1, 25), min_size=2, max_size=5))
    y = np.repeat(np.arange(len(counts)), counts)
    batch_size = draw(st.integers(len(counts), 3 * len(counts) + 2))
    num_batches = draw(st.sampled_from([None, "majority", 1, 3]))
    return BalancedBatches(y, y, batch_size, seed=draw(st.integers(0, 99)), num_batches=num_batches)


def drawn(batches, epochs):
    return [batches.batch_indices(epoch, index) for epoch in range(epochs) for index in range(len(batches))]


@settings(max_examples=60, deadline=None)
@given(batches=trainings())
def test_classes_differ_by_at_most_one_place_in_a_batch_an_epoch_and_a_training(batches):
    classes = [np.bincount(batches.y[indices], minlength=batches.num_classes) for indices in drawn(batches, 4)]
    per_epoch = np.reshape(classes, (4, len(batches), batches.num_classes)).sum(axis=1)
    for counts in [*classes, *per_epoch, *np.cumsum(classes, axis=0)]:
        assert counts.max() - counts.min() <= 1


@settings(max_examples=60, deadline=None)
@given(batches=trainings())
def test_every_sample_of_a_class_is_used_equally_often_at_any_time(batches):
    used = np.zeros(len(batches.y), int)
    for indices in drawn(batches, 4):
        np.add.at(used, indices, 1)
        for label in range(batches.num_classes):
            of_class = used[batches.y == label]
            assert of_class.max() - of_class.min() <= 1


@settings(max_examples=30, deadline=None)
@given(batches=trainings(), start=st.integers(0, 10**9))
def test_the_quotas_hold_far_into_a_training(batches, start):
    counts = np.bincount(batches.y[batches.batch_indices(start, 0)], minlength=batches.num_classes)
    assert counts.sum() == batches.batch_size
    assert counts.max() - counts.min() <= 1


def test_a_class_divides_its_places_into_complete_orders():
    y = np.repeat([0, 1], [50, 3])
    batches = BalancedBatches(y, y, 4, seed=1)
    minority = np.concatenate(drawn(batches, 3))
    minority = minority[y[minority] == 1]
    assert len(minority) == 2 * 3 * len(batches)
    # Batches are shuffled, so only the borders of batches and of orders that meet can be compared: every 6 places.
    for start in range(0, len(minority), 6):
        assert sorted(minority[start : start + 6]) == [50, 50, 51, 51, 52, 52]


def test_the_order_within_a_batch_does_not_tell_the_class():
    y = np.repeat([0, 1], [64, 64])
    batches = BalancedBatches(y, y, 16, seed=0)
    at_place = np.mean([y[batches.batch_indices(epoch, 0)] for epoch in range(400)], axis=0)
    # The standard deviation of a fair mean of 400 is 0.025; five of them for 16 places.
    np.testing.assert_allclose(at_place, 0.5, atol=0.125)


def test_an_epoch_is_as_long_as_an_epoch_of_uniform_batches_or_of_the_majority():
    y = np.repeat([0, 1, 2], [90, 9, 1])
    assert len(BalancedBatches(y, y, 8)) == 13
    assert len(BalancedBatches(y, y, 8, num_batches=5)) == 5
    majority = BalancedBatches(y, y, 8, num_batches="majority")
    assert len(majority) == 34
    assert set(np.flatnonzero(y == 0)) <= set(np.concatenate(drawn(majority, 1)))


def test_weights_that_favour_a_class_are_called_a_double_correction():
    y = np.repeat([0, 1], [90, 10])
    with pytest.warns(UserWarning, match=r"class rare weigh 9 on average against 1 of class common.*twice"):
        BalancedBatches(y, y, 8, sample_weight=np.where(y == 1, 9.0, 1.0), class_names=("common", "rare"))


def test_weights_that_favour_no_class_are_accepted_silently():
    y = np.tile([0, 1], 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BalancedBatches(y, y, 8, sample_weight=np.repeat([0.5, 1.5], 50))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 2}, "each of the 3 classes, but batch_size is 2"),
        ({"num_batches": 0}, "num_batches must be a whole number from 1"),
        ({"num_batches": "minority"}, "'majority' or None, not 'minority'"),
    ],
)
def test_a_batch_that_cannot_be_balanced_is_an_error(options, message):
    with pytest.raises(InputError, match=message):
        BalancedBatches(np.zeros(6), [0, 1, 2, 0, 1, 2], **({"batch_size": 3} | options))
