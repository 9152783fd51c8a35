"""The verbs that fetch, prepare and check data, as a person meets them."""

import csv
import json
import os

import numpy as np
import pytest
import yaml
from PIL import Image

from imbclf.cli import main
from imbclf.data import open_dataset


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    """Phantom photographs as an archive, and prepared."""
    folder = tmp_path_factory.mktemp("eyes")
    archive, prepared = folder / "archive", folder / "prepared"
    assert run("prepare", "phantom-glaucoma", "--out", archive, "--count", 24, "--size", 32) == 0
    lists = "--train-csv", archive / "train.csv", "--test-csv", archive / "test.csv"
    assert run("prepare", "glaucoma", "--source", archive, "--out", prepared, "--size", 16, *lists) == 0
    return folder


def test_from_an_archive_of_photographs_to_a_data_set(eyes):
    dataset = open_dataset(eyes / "prepared", "index.csv")
    assert dataset.images.shape == (24, 16, 16, 3)
    with (eyes / "archive" / "test.csv").open() as file:
        listed = {f"{row['Class']}-{row['Filename'].split('.')[0]}" for row in csv.DictReader(file)}
    assert {name.split("/")[1][:-4] for name in dataset.ids[dataset.split == "test"]} == listed


def test_from_three_archives_of_scans_to_a_data_set(tmp_path, capsys):
    heads = tmp_path / "heads"
    assert run("prepare", "phantom-glioma", "--out", heads, "--count", 38, "--side", 24) == 0
    archives = [word for name in ("ucsf", "egd", "tcga") for word in (f"--{name}", heads / name)]
    figure = tmp_path / "first.png"
    assert run("prepare", "glioma", *archives, "--out", tmp_path / "cubes", "--size", 8, "--figure", figure) == 0
    assert " 0 failed" in capsys.readouterr().out
    with Image.open(figure) as picture:
        assert picture.format == "PNG"
    dataset = open_dataset(tmp_path / "cubes", "index.csv")
    assert dataset.image_shape == (8, 8, 8, 4)
    assert set(dataset.sites[dataset.split == "test"]) == {"TCGA"}


def test_a_photograph_that_is_damaged_fails_alone_and_the_exit_tells(eyes, tmp_path, capsys):
    for name in ("ill", "well"):
        for number in range(8):
            pixels = np.random.default_rng((len(name), number)).integers(0, 256, (9, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{name}{number}.png")
    damaged = tmp_path / "ill3.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    rows = "".join(f"{name}{n}.png,{name},{name}-{n}\n" for name in ("ill", "well") for n in range(8))
    (tmp_path / "eyes.csv").write_text(f"image,label,owner\n{rows}")
    table = "--table", tmp_path / "eyes.csv", "--column", "patient=owner"
    assert run("prepare", "glaucoma", "--source", tmp_path, *table, "--out", tmp_path / "out", "--size", 8) == 1
    out, error = capsys.readouterr()
    assert "15 prepared, 0 kept, 1 failed" in out
    assert "ill3.png" in error
    assert len(open_dataset(tmp_path / "out", "index.csv")) == 15


def test_lists_and_a_table_contradict_each_other(eyes, capsys):
    lists = "--train-csv", "train.csv", "--table", "t.csv"
    assert run("prepare", "glaucoma", "--source", eyes / "archive", "--out", eyes / "no", *lists) == 2
    assert "leave them away with --table" in capsys.readouterr().err
    assert not (eyes / "no").exists()


def test_check_says_what_it_found_and_draws_it(eyes, tmp_path, capsys):
    index = eyes / "prepared" / "index.csv"
    drawn = "--figure", tmp_path / "classes.png", "--json", tmp_path / "found.json"
    sheet = "--augment", "glaucoma", "--sheet", tmp_path / "sheet.png"
    assert run("check", index, "--full", *drawn, *sheet) == 0
    assert "early_glaucoma" in capsys.readouterr().out
    assert json.loads((tmp_path / "found.json").read_text())["leakage"] is False
    for name in ("classes.png", "sheet.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"


def test_check_ends_with_one_where_an_image_is_in_two_splits(eyes, tmp_path, capsys):
    prepared = eyes / "prepared"
    lines = (prepared / "index.csv").read_text().splitlines()
    path, label = lines[1].split(",")[:2]
    copy = tmp_path / "copy.npy"
    copy.write_bytes((prepared / path).read_bytes())
    (tmp_path / "original.npy").write_bytes(copy.read_bytes())
    (tmp_path / "index.csv").write_text(f"path,label,split\noriginal.npy,{label},train\ncopy.npy,{label},test\n")
    assert run("check", tmp_path / "index.csv") == 1
    assert "leakage: do not train on these splits" in capsys.readouterr().out


def test_an_unknown_set_to_download_gets_the_nearest_name(tmp_path, capsys):
    assert run("download", "retinamist", "--out", tmp_path) == 2
    assert "retinamnist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_augmentation_drawn_without_a_word_is_the_one_published_for_such_images(eyes, tmp_path):
    index = eyes / "prepared" / "index.csv"
    for name, chain in (("bare", []), ("named", ["glaucoma"])):
        assert run("check", index, "--sheet", tmp_path / f"{name}.png", "--augment", *chain) == 0
    assert (tmp_path / "bare.png").read_bytes() == (tmp_path / "named.png").read_bytes()


class TestOptionsAsKeys:
    def test_a_key_does_what_its_option_does(self, eyes, tmp_path):
        arguments = "prepare", "glaucoma", "--source", eyes / "archive", "--out"
        assert run(*arguments, tmp_path / "a", "--size", 8, "--seed", 3) == 0
        assert run(*arguments, tmp_path / "b", "seed=3", "size=8") == 0
        for name in ("index.csv", "prepare.json"):
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()

    def test_flags_pairs_and_collected_values_are_read_and_printed(self, capsys):
        keys = "percentiles=[1,99]", "ucsf-table=my.csv"
        assert run("prepare", "glioma", "--out", "x", *keys, "--print-config") == 0
        printed = yaml.safe_load(capsys.readouterr().out)
        assert printed["percentiles"] == [1.0, 99.0]
        assert printed["ucsf_table"] == "my.csv"
        keys = "column=patient=owner", "allow_mixed_patients=true", "table=null"
        options = "--source", "s", "--out", "x", "--column", "path=file", "--table", "t.csv"
        assert run("prepare", "glaucoma", *options, *keys, "--print-config") == 0
        printed = yaml.safe_load(capsys.readouterr().out)
        assert printed["column"] == ["path=file", "patient=owner"]
        assert printed["allow_mixed_patients"] is True
        assert printed["table"] is None

    @pytest.mark.parametrize(
        ("word", "sentence"),
        [
            ("sise=8", "Unknown key sise in 'sise=8'; did you mean size?"),
            ("zzz=8", "Unknown key zzz in 'zzz=8'; known are out, workers,"),
            ("size=large", "size takes a whole number, not 'large'."),
            ("crop=round", "crop must be none or square, not 'round'."),
            ("allow_mixed_patients=8", "allow_mixed_patients takes true or false, not '8'."),
        ],
    )
    def test_what_a_key_cannot_be_is_one_sentence(self, eyes, tmp_path, capsys, word, sentence):
        arguments = "--source", eyes / "archive", "--out", tmp_path / "out"
        assert run("prepare", "glaucoma", *arguments, word) == 2
        assert sentence in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


class TestDryRun:
    def test_a_preparation_says_what_it_would_make(self, eyes, tmp_path, capsys):
        arguments = "prepare", "glaucoma", "--source", eyes / "archive", "--dry-run"
        assert run(*arguments, "--out", tmp_path / "out") == 0
        said = capsys.readouterr().out
        assert "train: 18 subjects" in said
        assert "test: 6 subjects" in said
        assert "24 to make, 0 to keep" in said
        assert list(tmp_path.iterdir()) == []
        assert run(*arguments, "--out", eyes / "archive") == 2

    def test_one_that_is_done_is_kept(self, eyes, capsys):
        arguments = "--source", eyes / "archive", "--out", eyes / "prepared", "--size", 16
        # Files that were written only just now are read again, whatever their times say.
        for file in [*(eyes / "archive").rglob("*.png"), *(eyes / "prepared").rglob("*.npy")]:
            os.utime(file, ns=(0, 0))
        assert run("prepare", "glaucoma", *arguments) == 0
        capsys.readouterr()
        assert run("prepare", "glaucoma", *arguments, "--dry-run") == 0
        assert "0 to make, 24 to keep" in capsys.readouterr().out

    def test_phantoms_say_how_many_of_each_class(self, tmp_path, capsys):
        for words, said in (
            (("phantom-glaucoma", "count=100"), "(normal_control: 51, early_glaucoma: 19, advanced_glaucoma: 30)"),
            (("phantom-glioma", "count=50"), "unknown: 1"),
        ):
            assert run("prepare", *words, "--dry-run", "--out", tmp_path / "out") == 0
            assert said in capsys.readouterr().out
            assert run("prepare", words[0], "count=1", "--dry-run", "--out", tmp_path / "out") == 2
        assert list(tmp_path.iterdir()) == []

    def test_a_check_draws_nothing(self, eyes, tmp_path, capsys):
        words = "--figure", tmp_path / "a.png", "--json", tmp_path / "a.json", "--augment", "glaucoma"
        assert run("check", eyes / "prepared" / "index.csv", *words, "--sheet", tmp_path / "b.png", "--dry-run") == 0
        assert list(tmp_path.iterdir()) == []

    def test_a_download_says_from_where_and_asks_no_server(self, tmp_path, capsys):
        assert run("download", "retinamnist", "--out", tmp_path, "--base-url", "http://x.invalid", "--dry-run") == 0
        assert "http://x.invalid/retinamnist.npz -> " in capsys.readouterr().out
