import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.errors import InputError
from imbclf.sampling import UniformBatches


def epoch_of(batches, epoch):
    return [batches.batch_indices(epoch, index) for index in range(len(batches))]


@settings(max_examples=60, deadline=None)
@given(count=st.integers(2, 60), batch_size=st.integers(1, 70), epoch=st.integers(0, 99))
def test_an_epoch_draws_every_sample_and_repeats_only_what_fills_the_last_batch(count, batch_size, epoch):
    y = np.arange(count) % 2
    wrapped = epoch_of(UniformBatches(y, y, batch_size, seed=1), epoch)
    used = np.bincount(np.concatenate(wrapped), minlength=count)
    assert used.min() >= 1
    assert used.sum() == -(-count // batch_size) * batch_size
    assert {len(indices) for indices in wrapped} == {batch_size}
    if count >= batch_size:
        assert all(len(set(indices)) == batch_size for indices in wrapped)
    kept = epoch_of(UniformBatches(y, y, batch_size, seed=1, last="keep"), epoch)
    assert sorted(np.concatenate(kept)) == list(range(count))


def test_dropping_leaves_out_other_samples_in_every_epoch():
    y = np.arange(10) % 2
    batches = UniformBatches(y, y, 4, last="drop")
    assert len(batches) == 2
    left_out = [set(range(10)) - set(np.concatenate(epoch_of(batches, epoch))) for epoch in range(40)]
    assert {len(samples) for samples in left_out} == {2}
    # A sample stays in all of 40 epochs with probability 0.8^40 = 1e-4.
    assert set.union(*left_out) == set(range(10))


def test_without_shuffling_the_samples_come_in_order_once():
    y = np.arange(10) % 2
    batches = UniformBatches(y, y, 4, shuffle=False)
    assert [indices.tolist() for indices in epoch_of(batches, 3)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize(("last", "drawn"), [("keep", 10), ("wrap", 12), ("drop", 8)])
def test_the_drawn_counts_follow_the_last_batch(last, drawn):
    y = np.repeat([0, 1], [7, 3])
    np.testing.assert_allclose(UniformBatches(y, y, 4, last=last).drawn_counts(), [0.7 * drawn, 0.3 * drawn])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"last": "pad"}, "wrap, drop or keep, not 'pad'"),
        ({"last": "drop", "batch_size": 9}, "4 samples, fewer than one"),
    ],
)
def test_a_last_batch_that_cannot_be_is_an_error(options, message):
    with pytest.raises(InputError, match=message):
        UniformBatches(np.zeros(4), [0, 1, 0, 1], **({"batch_size": 2} | options))
