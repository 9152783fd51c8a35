import numpy as np

from imbclf.samples import prepare
from imbclf.statistics import soft_confusion
from tests.backend import to_numpy


def test_soft_counts_are_the_weighted_sums_of_their_definitions():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, (4, 5))
    p = random.dirichlet(np.ones(3), (4, 5))
    w = random.uniform(0, 2, (4, 5))
    y = np.eye(3)[labels]
    for over, axes in (("batch", (0, 1)), ("sample", (1,))):
        counts = soft_confusion(prepare(labels, p, w), over)
        expected = {
            "true_positives": y * p,
            "false_positives": (1 - y) * p,
            "false_negatives": y * (1 - p),
            "true_negatives": (1 - y) * (1 - p),
            "predicted": p,
            "actual": y,
        }
        for name, values in expected.items():
            np.testing.assert_allclose(
                to_numpy(getattr(counts, name)),
                (w[..., None] * values).sum(axis=axes),
                rtol=1e-4,
                atol=1e-5,
                err_msg=name,
            )
        np.testing.assert_allclose(to_numpy(counts.total)[..., 0], w.sum(axis=axes), rtol=1e-5)


def test_class_without_a_voxel_of_positive_weight_is_not_present():
    samples = prepare(np.array([0, 1, 2]), np.full((3, 4), 0.25), np.array([1.0, 0.0, 2.0]))
    assert to_numpy(soft_confusion(samples).present).tolist() == [1, 0, 1, 0]
