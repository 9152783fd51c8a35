"""The keys of a configuration that say which samples are trained on and which are tested."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from imbclf.data import open_dataset, write_split
from imbclf.data.folds import k_fold, k_folds
from imbclf.data.sites import hold_out_site
from imbclf.errors import InputError
from imbclf.training import classification, segmentation
from imbclf.training.config import load_config


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """48 grey images with an index: two classes, two images per patient, sites A, B and C."""
    root = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    rows = []
    for number in range(48):
        Image.fromarray(random.integers(0, 256, (4, 4)).astype("uint8")).save(root / f"{number:02d}.png")
        rows.append([f"{number:02d}.png", "yes" if number % 3 == 0 else "no", f"p{number // 2}", "ABC"[number // 16]])
    with open(root / "index.csv", "w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "patient", "site"], *rows])
    return root


@pytest.fixture
def config(root, tmp_path):
    """Makes a configuration with some overrides."""

    def make(*overrides):
        (tmp_path / "run.yaml").write_text(f"data: {{root: {root}, index: index.csv}}")
        return load_config(tmp_path / "run.yaml", overrides)

    return make


def split_of(config, recorded=None):
    return classification.build_dataset(config, recorded).split.tolist()


def test_a_site_is_held_out(config, root):
    dataset = open_dataset(root, "index.csv")
    for override, sites in (("data.test_site=B", "B"), ("data.test_site=[A, C]", ["A", "C"])):
        expected = hold_out_site(dataset, sites, validation=0.3, seed=5)
        assert split_of(config(override, "data.validation=0.3", "data.split_seed=5")) == expected.split.tolist()


def test_each_fold_is_that_of_k_folds(config, root):
    expected = k_folds(open_dataset(root, "index.csv"), folds=4, repeats=2, validation=0.2, seed=3)
    for position in (0, 2, 5):
        keys = (f"data.fold={position % 4}", f"data.repeat={position // 4}")
        found = split_of(config("data.folds=4", *keys, "data.validation=0.2", "data.split_seed=3"))
        assert found == expected[position].split.tolist()


def test_each_inner_fold_is_that_of_nested_k_folds(config, root):
    expected = k_folds(open_dataset(root, "index.csv"), folds=3, inner_folds=2)
    found = split_of(config("data.folds=3", "data.fold=2", "data.inner_folds=2", "data.inner_fold=1"))
    assert found == expected[5].split.tolist()


def test_a_split_file_is_followed(config, root, tmp_path):
    expected = k_folds(open_dataset(root, "index.csv"), folds=3, seed=9)[1]
    write_split(tmp_path / "mine.csv", expected)
    assert split_of(config(f"data.split={tmp_path}/mine.csv")) == expected.split.tolist()


def test_a_split_file_with_a_patient_on_both_sides_is_refused(config, root, tmp_path):
    dataset = open_dataset(root, "index.csv")
    # Images 0 and 1 are of the patient p0.
    split = np.where(np.arange(48) == 1, "test", np.where(np.arange(48) > 40, "val", "train"))
    write_split(tmp_path / "mine.csv", replace(dataset, split=split))
    with pytest.raises(InputError, match="Patient p0 is in train"):
        split_of(config(f"data.split={tmp_path}/mine.csv"))
    assert len(split_of(config(f"data.split={tmp_path}/mine.csv", "data.allow_patient_overlap=true"))) == 48


@pytest.mark.parametrize("keys", [["data.test_site=A"], ["data.folds=4", "data.fold=3"], ["data.split=gone.csv"]])
def test_the_recorded_division_of_a_run_is_followed_whatever_the_keys_say(config, root, tmp_path, keys):
    recorded = k_folds(open_dataset(root, "index.csv"), folds=3, seed=9)[1]
    write_split(tmp_path / "split.csv", recorded)
    assert split_of(config(*keys), tmp_path / "split.csv") == recorded.split.tolist()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.test_site=A", "data.folds=4"], "data.test_site and data.folds each divide the data: give one of them"),
        (["data.split=a.csv", "data.test_site=A"], "data.split and data.test_site each divide"),
        (["data.split=a.csv", "data.folds=4"], "data.split and data.folds each divide"),
        (["data.fold=1"], "data.fold=1 needs data.folds, the number of folds"),
        (["data.repeat=1"], "data.repeat=1 needs data.folds"),
        (["data.inner_folds=2"], "data.inner_folds=2 needs data.folds"),
        (["data.folds=4", "data.inner_fold=1"], "data.inner_fold=1 needs data.inner_folds"),
        (["data.folds=4", "data.fold=4"], "data.fold=4 does not exist: data.folds=4 makes 0 to 3"),
        (["data.folds=4", "data.inner_folds=2", "data.inner_fold=2"], "data.inner_fold=2 does not exist"),
        (["data.folds=30"], "class no has 32 samples of 24 .* but 30 folds need at least 30"),
        (["data.test_site=D"], "There is no site 'D'"),
        (["data.split=gone.csv"], r"gone\.csv does not exist"),
    ],
)
def test_keys_that_contradict_each_other_or_the_data_are_refused(config, overrides, message):
    with pytest.raises(InputError, match=message):
        split_of(config(*overrides))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.folds=1", "data.folds in the overrides: input should be greater than or equal to 2; received 1"),
        ("data.fold=-1", "data.fold in the overrides: input should be greater than or equal to 0; received -1"),
        ("data.test_site=3", "data.test_site.* in the overrides: input should be a valid"),
        ("data.tests_site=A", r"Unknown key data\.tests_site in the overrides; did you mean data\.test_site"),
    ],
)
def test_values_that_are_no_division_name_the_key(config, override, message):
    with pytest.raises(InputError, match=message):
        config(override)


def test_cases_to_segment_are_divided_by_the_same_keys(tmp_path):
    (tmp_path / "run.yaml").write_text("task: segmentation\ndata: {format: shapes, folds: 4, fold: 2}")
    found = segmentation.build_dataset(load_config(tmp_path / "run.yaml"))
    assert found.split.tolist() == k_fold(found, fold=2, folds=4).split.tolist()
