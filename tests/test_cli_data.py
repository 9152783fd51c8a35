"""The verbs that fetch, prepare and check data, as a person meets them."""

import csv
import json

import numpy as np
import pytest
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
