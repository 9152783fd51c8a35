"""What every sampler keeps to; a new one joins by being listed once."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.errors import InputError
from imbclf.sampling import BalancedBatches, EpochFromTrainer, UniformBatches

SAMPLERS = [BalancedBatches, UniformBatches]


@st.composite
def imbalanced_labels(draw):
    counts = draw(st.lists(st.integers(1, 30), min_size=2, max_size=5))
    y = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(st.integers(0, 9))).permutation(y)


def make(sampler, y, batch_size, **options):
    return sampler(np.arange(len(y))[:, np.newaxis], y, batch_size, **options)


@pytest.mark.parametrize("sampler", SAMPLERS)
class TestBatchesAreAPureFunction:
    @settings(max_examples=30, deadline=None)
    @given(y=imbalanced_labels(), extra=st.integers(0, 12), seed=st.integers(0, 2**40), epoch=st.integers(0, 500))
    def test_a_batch_does_not_depend_on_the_batches_before_it(self, sampler, y, extra, seed, epoch):
        batch_size = y.max() + 1 + extra
        asked_in_order = make(sampler, y, batch_size, seed=seed)
        for index in range(len(asked_in_order)):
            asked_in_order.batch_indices(epoch, index)
        index = len(asked_in_order) - 1
        asked_alone = make(sampler, y, batch_size, seed=seed)
        np.testing.assert_array_equal(
            asked_in_order.batch_indices(epoch, index), asked_alone.batch_indices(epoch, index)
        )

    def test_another_seed_or_epoch_gives_another_draw(self, sampler):
        y = np.repeat([0, 1], [60, 40])
        first = make(sampler, y, 20, seed=1)
        assert (first.batch_indices(0, 0) != make(sampler, y, 20, seed=2).batch_indices(0, 0)).any()
        assert (first.batch_indices(0, 0) != first.batch_indices(1, 0)).any()

    @pytest.mark.parametrize("workers", [2, 4])
    def test_threads_hand_out_the_same_batches_in_any_order_of_asking(self, sampler, workers):
        y = np.repeat([0, 1, 2], [20, 9, 2])
        alone, threaded = make(sampler, y, 6, seed=3), make(sampler, y, 6, seed=3, workers=workers)
        for epoch, index in [(0, 0), (0, 1), (0, 0), (0, 3), (0, 4), (2, 4), (2, 0), (1, 5), (1, 0)]:
            alone.epoch = threaded.epoch = epoch
            for expected, received in zip(alone[index], threaded[index]):
                np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("sampler", SAMPLERS)
class TestBatchesHoldSamplesWithTheirLabels:
    def test_labels_and_weights_belong_to_the_samples(self, sampler):
        y = np.random.default_rng(0).integers(0, 3, 50)
        weights = np.random.default_rng(1).permutation(np.linspace(0.5, 1.5, 50))
        with pytest.warns(UserWarning, match="twice") if sampler is BalancedBatches else nullcontext():
            batches = make(sampler, y, 8, sample_weight=weights)
        for x, labels, weight in batches:
            np.testing.assert_array_equal(labels, y[x[:, 0]])
            np.testing.assert_allclose(weight, weights[x[:, 0]], rtol=1e-6)
            assert labels.dtype == np.int32
            assert weight.dtype == np.float32

    def test_every_batch_has_exactly_batch_size_samples(self, sampler):
        y = np.repeat([0, 1], [40, 7])
        batches = make(sampler, y, 9)
        assert len(batches) == 6
        assert [len(x) for x, _ in batches] == [9] * 6

    def test_anything_with_len_and_integer_indexing_can_be_sampled(self, sampler):
        class Files:
            def __len__(self):
                return 6

            def __getitem__(self, index):
                return np.asarray(index, np.float32)[:, np.newaxis]

        x, _ = sampler(Files(), [0, 1, 0, 1, 0, 1], 4)[0]
        assert x.shape == (4, 1)

    @pytest.mark.parametrize("labels", [[[0], [1], [2], [1]], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]])
    def test_column_and_one_hot_labels_become_whole_numbers(self, sampler, labels):
        assert make(sampler, labels, 3).y.tolist() == [0, 1, 2, 1]

    def test_the_counts_it_reports_are_the_counts_it_draws(self, sampler):
        y = np.repeat([0, 1, 2], [20, 9, 2])
        batches = make(sampler, y, 7)
        # 3 * 31 epochs: a multiple of the period of the rotation and many draws of the filled-up places.
        drawn = np.mean([_drawn(batches, epoch) for epoch in range(93)], axis=0)
        np.testing.assert_allclose(drawn, batches.drawn_counts(), atol=0.5)

    def test_an_index_outside_the_epoch_is_an_index_error(self, sampler):
        batches = make(sampler, [0, 1, 0, 1], 2)
        with pytest.raises(IndexError):
            batches[len(batches)]


@pytest.mark.parametrize("sampler", SAMPLERS)
class TestFit:
    """During `fit` epoch e trains on the batches of epoch e: on each backend, and for any number of threads."""

    @pytest.mark.parametrize("workers", [1, 4])
    @pytest.mark.parametrize("length", [1, 2, 7])
    def test_each_epoch_is_drawn_once_and_in_order(self, sampler, length, workers):
        batches, trained_on = recorded(sampler, length, workers)
        fit(batches, trained_on, epochs=3)
        assert trained_on == [expected_epoch(batches, epoch) for epoch in range(3)]

    @pytest.mark.parametrize("length", [2, 3])
    def test_a_second_fit_goes_on_counting(self, sampler, length):
        batches, trained_on = recorded(sampler, length, workers=1)
        model = fit(batches, trained_on, epochs=2)
        fit(batches, trained_on, epochs=2, model=model)
        assert trained_on == [expected_epoch(batches, epoch) for epoch in range(4)]

    def test_a_second_fit_of_a_newly_built_model_goes_on_counting(self, sampler):
        batches, trained_on = recorded(sampler, 3, workers=4)
        fit(batches, trained_on, epochs=2)
        fit(batches, trained_on, epochs=2)
        assert trained_on == [expected_epoch(batches, epoch) for epoch in range(4)]

    @pytest.mark.parametrize("length", [1, 3])
    def test_the_trainers_epoch_is_followed_exactly(self, sampler, length):
        batches, trained_on = recorded(sampler, length, workers=4)
        fit(batches, trained_on, epochs=9, initial_epoch=7, callbacks=[EpochFromTrainer(batches)])
        assert trained_on == [expected_epoch(batches, epoch) for epoch in (7, 8)]

    def test_validation_between_epochs_changes_nothing(self, sampler):
        batches, trained_on = recorded(sampler, 3, workers=1)
        validation, _ = recorded(UniformBatches, 2, workers=4, shuffle=False)
        fit(batches, trained_on, epochs=3, validation_data=validation)
        assert trained_on == [expected_epoch(batches, epoch) for epoch in range(3)]

    def test_an_epoch_that_is_broken_off_is_drawn_again(self, sampler):
        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.stop_training = True

        x, y = np.arange(80, dtype=np.float32)[:, np.newaxis], np.tile([0, 1], 40)
        batches, trained_on = sampler(x, y, 2, seed=5), []
        model = fit(batches, trained_on, epochs=1, callbacks=[Stop()])
        fit(batches, trained_on, epochs=1, model=model)
        assert trained_on == [expected_epoch(batches, 0)[:1], expected_epoch(batches, 0)]

    def test_a_failure_to_read_is_kept_as_it_was_raised(self, sampler):
        class Broken:
            def __len__(self):
                return 4

            def __getitem__(self, index):
                raise InputError("The image a.png cannot be read.")

        batches = sampler(Broken(), [0, 1, 0, 1], 2, workers=2)
        with pytest.raises(Exception, match=r"a\.png cannot be read"):
            fit(batches, [], epochs=1)
        assert str(batches.failure) == "The image a.png cannot be read."


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["a", "b", "a", "b"]}, "Labels must be whole numbers or one-hot.*'a'"),
        ({"y": [0, 1, 0.5, 1]}, "sample 2 has label 0.5"),
        ({"y": [0, 1, np.nan, 1]}, "sample 2 has label nan"),
        ({"y": [[0.5, 0.5], [0, 1], [1, 0], [0, 1]]}, "row 0 is"),
        ({"y": [0, 1, -1, 1]}, "Sample 2 has label -1"),
        ({"y": [0, 2, 0, 2]}, "The class 1 has no sample"),
        ({"y": [0, 1, 0]}, "4 samples but 3 labels"),
        ({"y": []}, "no labels"),
        ({"class_names": ["healthy", "early", "advanced"]}, "The class advanced has no sample"),
        ({"class_names": ["healthy"]}, "Sample 1 has label 1, but there are 1 classes"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1"),
        ({"batch_size": 2.5}, "batch_size must be a whole number"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"workers": 0}, "workers must be a whole number from 1"),
        ({"use_multiprocessing": True}, "set workers"),
        ({"sample_weight": [1, 1, np.nan, 1]}, "sample 2 has nan"),
        ({"sample_weight": [1, 1, 1, -1]}, "sample 3 has -1"),
        ({"sample_weight": [0, 0, 0, 0]}, "All sample weights are zero"),
        ({"sample_weight": [1, 1, 1]}, r"shape \(3,\) instead of \(4,\)"),
        ({"sample_weight": ["a"] * 4}, "Sample weights must be numbers"),
    ],
)
def test_bad_input_is_a_sentence(sampler, change, message):
    arguments = {"x": np.zeros((4, 2)), "y": [0, 1, 0, 1], "batch_size": 2} | change
    with pytest.raises(InputError, match=message) as caught:
        sampler(**arguments)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_what_keras_reads_as_workers_cannot_be_changed():
    batches = UniformBatches(np.zeros((4, 2)), [0, 1, 0, 1], 2, workers=4)
    assert batches.threads == 4
    assert batches.workers == 1
    with pytest.raises(AttributeError):
        batches.workers = 4


def recorded(sampler, length, workers, shuffle=True):
    """A sampler over samples that carry their number as a power of 8, so that the sum of a batch says what is in it."""
    x, y = (8.0 ** np.arange(7)).astype(np.float32)[:, np.newaxis], np.array([0, 0, 0, 0, 0, 1, 1])
    if sampler is BalancedBatches:
        return BalancedBatches(x, y, 3, seed=5, num_batches=length, workers=workers), []
    batch_size = {1: 5, 2: 3, 3: 2, 7: 1}[length]
    return UniformBatches(x, y, batch_size, seed=5, shuffle=shuffle, last="drop", workers=workers), []


def expected_epoch(batches, epoch):
    indices, following = (
        np.concatenate([batches.batch_indices(number, index) for index in range(len(batches))])
        for number in (epoch, epoch + 1)
    )
    assert (indices != following).any()
    return batches.x[indices].reshape(len(batches), -1).sum(axis=1).tolist()


class BatchSum(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="sum_of_batch")
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign(keras.ops.sum(y_pred))

    def result(self):
        return self.total + 0.0

    def reset_state(self):
        self.total.assign(0.0)


class Recorder(keras.callbacks.Callback):
    def __init__(self, trained_on):
        super().__init__()
        self.trained_on = trained_on

    def on_epoch_begin(self, epoch, logs=None):
        self.trained_on.append([])

    def on_train_batch_end(self, batch, logs=None):
        self.trained_on[-1].append(float(logs["sum_of_batch"]))


def fit(batches, trained_on, epochs, model=None, callbacks=(), **options):
    if model is None:
        # The identity, so that the metric sees the samples; the learning rate 0 keeps it.
        model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
        model.compile(keras.optimizers.SGD(0.0), "mse", metrics=[BatchSum()], jit_compile=False)
    callbacks = [*callbacks, Recorder(trained_on)]
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks, **options)
    return model


def _drawn(batches, epoch):
    indices = np.concatenate([batches.batch_indices(epoch, index) for index in range(len(batches))])
    return np.bincount(batches.y[indices], minlength=batches.num_classes)
