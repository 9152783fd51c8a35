from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbclf.data import check_split, read_split, write_split
from imbclf.data.sites import hold_out_site
from imbclf.errors import InputError


@pytest.fixture(scope="session")
def archives(labelled):
    """Makes 60 samples of two classes at UCSF (30), EGD (20) and TCGA (10)."""

    def make(**fields):
        sites = np.repeat(["UCSF", "EGD", "TCGA"], [30, 20, 10])
        arguments = {name: fields.pop(name) for name in ("patients", "split", "images") if name in fields}
        return replace(labelled(np.arange(60) % 2, **arguments), **{"sites": sites} | fields)

    return make


@pytest.mark.parametrize("sites", ["TCGA", ["TCGA", "EGD"], ["EGD", "EGD"]])
def test_all_samples_of_the_sites_and_no_others_are_tested_on(archives, sites):
    dataset = archives()
    divided = hold_out_site(dataset, sites)
    np.testing.assert_array_equal(divided.split == "test", np.isin(dataset.sites, sites))
    check_split(divided)


@settings(max_examples=20, deadline=None)
@given(validation=st.floats(0.05, 0.5), seed=st.integers(0, 99))
def test_validation_is_a_share_of_each_class_outside_the_site(archives, validation, seed):
    divided = hold_out_site(archives(), "TCGA", validation, seed)
    assert divided.counts("val").tolist() == [max(1, round(25 * validation))] * 2
    assert divided.counts("train").tolist() == [25 - max(1, round(25 * validation))] * 2


def test_a_validation_of_zero_leaves_all_other_sites_to_training(archives):
    assert hold_out_site(archives(), "TCGA", validation=0).counts("train").tolist() == [25, 25]


def test_patients_and_identical_images_outside_the_site_stay_together(archives):
    patients = [f"p{number // 2}" for number in range(60)]
    images = np.arange(60)
    images[[3, 20]] = 70
    divided = hold_out_site(archives(patients=patients, images=images), "TCGA", 0.3)
    check_split(divided)
    assert divided.split[3] == divided.split[20]


def test_the_seed_chooses_the_validation_samples(archives):
    first, again, other = (hold_out_site(archives(), "TCGA", seed=seed).split for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(first == "test", other == "test")


def test_a_division_in_the_data_is_not_used(archives):
    official = archives(split=["test"] * 30 + ["train"] * 30)
    np.testing.assert_array_equal(hold_out_site(official, "EGD").split, hold_out_site(archives(), "EGD").split)


def test_the_division_is_read_as_it_was_written(archives, tmp_path):
    divided = hold_out_site(archives(), "EGD")
    write_split(tmp_path / "split.csv", divided)
    np.testing.assert_array_equal(read_split(tmp_path / "split.csv", archives()).split, divided.split)


def test_a_class_that_the_site_lacks_is_a_warning(archives):
    y = np.arange(60) % 2
    y[50:] = 0
    with pytest.warns(UserWarning, match="TCGA, with 10 samples held out for the test, has none of class b"):
        divided = hold_out_site(archives(y=y), "TCGA")
    assert divided.counts("test").tolist() == [10, 0]


def test_samples_that_name_no_site_are_a_warning_and_not_tested_on(archives):
    sites = np.repeat(["UCSF", "", "TCGA"], [30, 20, 10])
    with pytest.warns(UserWarning, match="20 samples name no site"):
        divided = hold_out_site(archives(sites=sites), "TCGA")
    assert (divided.split == "test").sum() == 10


def only_at(site):
    """Labels of which class b occurs at one site alone, and once elsewhere."""
    y = np.where(np.repeat(["UCSF", "EGD", "TCGA"], [30, 20, 10]) == site, np.arange(60) % 2, 0)
    y[-1 if site != "TCGA" else 0] = 1
    return y


@pytest.mark.parametrize(
    ("fields", "sites", "message"),
    [
        ({}, "TGCA", r"no site 'TGCA' .* did you mean 'TCGA'\? Sites are EGD \(20 .*\), TCGA \(10 .*\), UCSF \(30"),
        ({}, ["TCGA", "Bern"], "no site 'Bern' in the data data; Sites are"),
        ({}, [], "No site to hold out is given"),
        ({"sites": None}, "TCGA", "name no sites: fill in the column site"),
        ({}, ["UCSF", "EGD", "TCGA"], "All 60 samples are of UCSF and EGD and TCGA: .* nothing to train on"),
        (
            {"y": only_at("TCGA")},
            "TCGA",
            "not of TCGA cannot be divided: the class b has 1 sample, but dividing it into train, val needs at least 2",
        ),
        (
            {"patients": ["x", *[f"p{number}" for number in range(58)], "x"]},
            "TCGA",
            r"TCGA cannot be held out: patient x is in train \(s000\) and in test \(s059\), the only such patient",
        ),
        (
            {"images": [*range(59), 0]},
            "TCGA",
            "TCGA cannot be held out: the image s000 in train is identical to s059 in test",
        ),
    ],
)
def test_a_site_that_cannot_be_held_out_is_named_with_the_numbers(archives, fields, sites, message):
    with pytest.raises(InputError, match=message):
        hold_out_site(archives(**fields), sites)


def test_leakage_between_sites_can_be_allowed_by_name(archives):
    patients = ["x", *[f"p{number}" for number in range(58)], "x"]
    divided = hold_out_site(archives(patients=patients), "TCGA", allow_patient_overlap=True)
    assert divided.split[0] != "test"
    divided = hold_out_site(archives(images=[*range(59), 0]), "TCGA", allow_duplicate_images=True)
    assert divided.split[0] != "test"
