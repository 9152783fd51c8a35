import os
from pathlib import Path

import numpy as np
import pytest

from imbclf.data import open_dataset, read_medmnist
from imbclf.errors import InputError

RANDOM = np.random.default_rng(0)


def arrays(shape=(28, 28), counts=(6, 3, 3), classes=2):
    made = {}
    for split, count in zip(("train", "val", "test"), counts):
        made[f"{split}_images"] = RANDOM.integers(0, 256, (count, *shape)).astype(np.uint8)
        made[f"{split}_labels"] = (np.arange(count) % classes).astype(np.uint8)[:, np.newaxis]
    return made


def saved(folder, name="set.npz", **made):
    np.savez(folder / name, **made)
    return folder / name


@pytest.mark.parametrize(
    ("shape", "name", "expected"),
    [
        ((28, 28), "pneumoniamnist.npz", (28, 28, 1)),
        ((28, 28, 3), "retinamnist.npz", (28, 28, 3)),
        ((28, 28, 28), "adrenalmnist3d.npz", (28, 28, 28, 1)),
        ((9, 8, 7), "volumes.npz", (9, 8, 7, 1)),
        ((28, 28, 3), "thin3d.npz", (28, 28, 3, 1)),
        ((9, 8, 7, 2), "two_sequences.npz", (9, 8, 7, 2)),
    ],
)
def test_the_shape_tells_grey_colour_and_volumes(tmp_path, shape, name, expected):
    made = arrays(shape)
    dataset = read_medmnist(saved(tmp_path, name, **made))
    assert dataset.image_shape == expected
    np.testing.assert_allclose(dataset.images[np.array([6])][0].ravel(), made["val_images"][0].ravel() / 255, rtol=1e-6)


def test_splits_labels_and_ids_are_the_files(tmp_path):
    dataset = read_medmnist(saved(tmp_path, **arrays()))
    assert dataset.counts("train").tolist() == [3, 3]
    assert dataset.counts("test").tolist() == [2, 1]
    assert dataset.ids[dataset.indices("val")].tolist() == ["val/000000", "val/000001", "val/000002"]
    assert dataset.class_names == ("0", "1")


def test_a_file_with_fewer_splits_is_read(tmp_path):
    made = {key: value for key, value in arrays().items() if not key.startswith("val")}
    assert read_medmnist(saved(tmp_path, **made)).counts("val").tolist() == [0, 0]


def test_known_sets_have_their_class_names_and_others_can_be_given(tmp_path):
    assert read_medmnist(saved(tmp_path, "adrenalmnist3d_64.npz", **arrays())).class_names == ("normal", "hyperplasia")
    assert read_medmnist(saved(tmp_path, **arrays()), ("no", "yes")).class_names == ("no", "yes")


def test_a_mask_of_zeros_and_ones_stays_zeros_and_ones(tmp_path):
    made = {key: value % 2 for key, value in arrays().items()}
    assert read_medmnist(saved(tmp_path, **made)).images[np.arange(12)].max() == 1


def changed(**changes):
    def change(made):
        return made | {key: value(made) if callable(value) else value for key, value in changes.items()}

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(val_labels=np.zeros((3, 14), int)), "must have one label, but val_labels in .*set.npz has shape"),
        (changed(val_labels=np.zeros(2, int)), r"3 val_images, but val_labels has shape \(2,\)"),
        (changed(val_labels=np.zeros(3)), "whole numbers from 0 on, but val_labels in .*set.npz is float64"),
        (changed(val_labels=np.array([0, -1, 0])), "val_labels in .*set.npz is int64 from -1"),
        (changed(val_images=np.zeros((3, 9, 9), np.uint8)), r"train_images has \(28, 28\).*val_images has \(9, 9\)"),
        (changed(val_images=np.zeros((3, 28, 28))), "train_images has .* uint8 and val_images has .* float64"),
        (lambda made: {"x": made["train_images"]}, "train_images and train_labels are expected"),
        (lambda made: {"train_images": made["train_images"]}, "holds train_images but no train_labels"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        read_medmnist(saved(tmp_path, **change(arrays())))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_name_the_file_and_the_sample(tmp_path, value):
    made = {key: array / 255 if "images" in key else array for key, array in arrays().items()}
    made["val_images"][2, 5, 5] = value
    with pytest.raises(InputError, match=r"sample 2 of val_images in .*set\.npz holds NaN or infinity"):
        read_medmnist(saved(tmp_path, **made))


def test_pickled_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    made = arrays() | {"train_labels": np.array([Trap()] * 6, dtype=object)}
    with pytest.raises(InputError, match=r"set\.npz holds pickled Python objects, which are never unpickled"):
        read_medmnist(saved(tmp_path, **made))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 broken"])
def test_damaged_files_are_named(tmp_path, content):
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"set\.npz (is no readable|holds pickled)"):
        read_medmnist(tmp_path / "set.npz")


def test_a_truncated_file_is_named(tmp_path):
    content = saved(tmp_path, **arrays()).read_bytes()
    (tmp_path / "set.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"set\.npz is no readable"):
        read_medmnist(tmp_path / "set.npz")


def test_a_damaged_member_is_named(tmp_path):
    np.savez_compressed(tmp_path / "set.npz", **arrays())
    content = bytearray((tmp_path / "set.npz").read_bytes())
    content[500:600] = bytes(100)
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"set\.npz is no readable"):
        read_medmnist(tmp_path / "set.npz")


def test_a_plain_npy_file_is_no_archive(tmp_path):
    np.save(tmp_path / "set.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"set\.npy is no readable"):
        read_medmnist(tmp_path / "set.npy")


def test_a_missing_file_and_a_label_outside_the_given_classes_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.npz does not exist"):
        read_medmnist(tmp_path / "absent.npz")
    with pytest.raises(InputError, match="sample 2 of train_labels is 2, but there are 2 classes: a, b"):
        read_medmnist(saved(tmp_path, **arrays(classes=3)), ("a", "b"))


@pytest.mark.skipif("IMBCLF_DATA" not in os.environ, reason="IMBCLF_DATA does not name the folder of the real data")
@pytest.mark.parametrize(
    ("name", "shape", "train", "test", "has_duplicates"),
    [
        ("retinamnist", (28, 28, 3), [486, 128, 206, 194, 66], [174, 46, 92, 68, 20], False),
        ("adrenalmnist3d", (28, 28, 28, 1), [929, 259], [229, 69], False),
        ("pneumoniamnist_9to1", (28, 28, 1), [388, 3494], [234, 390], True),
    ],
)
def test_the_real_files_have_their_published_counts(name, shape, train, test, has_duplicates):
    folder = Path(os.environ["IMBCLF_DATA"]) / "medmnist"
    if has_duplicates:
        with pytest.raises(InputError, match=r"is identical to .* one of 8 such images"):
            open_dataset(folder, f"{name}.npz")
    dataset = open_dataset(folder, f"{name}.npz", allow_duplicate_images=has_duplicates)
    assert dataset.image_shape == shape
    assert dataset.counts("train").tolist() == train
    assert dataset.counts("test").tolist() == test
