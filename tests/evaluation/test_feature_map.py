import numpy as np

from imbclf.evaluation.feature_map import choose_points, draw_feature_map, feature_map, read_features


def test_mapping_adds_positions_of_train_and_test_and_draws_them(evaluated):
    run, _ = evaluated(counts={"train": (30, 10), "val": (6, 4), "test": (20, 8)}, class_names=("a", "b"))
    before = read_features(run)
    path = draw_feature_map(run, perplexity=5)
    after = read_features(run)
    assert path == run / "figures" / "tsne.png"
    assert path.is_file()
    np.testing.assert_array_equal(after["features"], before["features"])
    np.testing.assert_array_equal(np.isfinite(after["tsne"]).all(axis=1), after["split"] != "val")


def test_a_map_with_points_left_out_draws_the_others_and_says_how_many(evaluated):
    run, _ = evaluated(counts={"train": (30, 10), "val": (6, 4), "test": (20, 8)}, class_names=("a", "b"))
    arrays = read_features(run)
    chart = arrays["tsne"].copy()
    chart[arrays["split"] == "val"] = np.nan
    chart[:25] = np.nan
    axis = feature_map(chart, arrays["split"], arrays["y"], ("a", "b"), [0.5, 0.5]).axes[0]
    assert sum(len(dots.get_offsets()) for dots in axis.collections) == 68 - 25
    assert "43 of 68 images" in axis.get_xlabel()


def test_thinning_a_map_keeps_rare_classes_whole_and_both_splits_equal():
    split, y = np.repeat(["train", "test", "val"], 200), np.tile(np.repeat([0, 1], [190, 10]), 3)
    chosen = choose_points(split, y, points=100)
    assert len(chosen) == 100
    assert np.bincount(y[chosen]).tolist() == [80, 20]
    assert [np.count_nonzero(split[chosen] == name) for name in ("train", "test", "val")] == [50, 50, 0]
