import csv
import errno
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from imbclf.data.phantoms import glaucoma
from imbclf.data.phantoms.eye.fundus import draw_fundus
from imbclf.data.phantoms.eye.optic_disc import OpticDisc, random_disc
from imbclf.data.phantoms.eye.retinal_vessels import Vessel, coverage, vessel_tree
from imbclf.data.phantoms.glaucoma import CLASS_NAMES, write_phantom_glaucoma
from imbclf.data.preparation.fundus.ahn import read_ahn
from imbclf.data.preparation.fundus.table import read_fundus_table
from imbclf.errors import InputError
from imbclf.files import read_table


def write(out, **arguments):
    return write_phantom_glaucoma(out, **{"count": 20, "size": 32, "stream": io.StringIO()} | arguments)


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def photographs(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.glob("*/*.png"))}


def generators(number):
    return np.random.default_rng((1, number)), np.random.default_rng((2, number))


def eye(number, damage, size, is_left=True):
    """Optic disc and photograph of an eye that depends on these numbers only."""
    person, rest = generators(number)
    disc = random_disc(person, rest, damage)
    return disc, draw_fundus(disc, person, rest, size, is_left)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write(tmp_path_factory.mktemp("phantom") / "small")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return write(tmp_path_factory.mktemp("phantom") / "many", count=150, size=48)


def test_the_same_numbers_draw_the_same_photographs_in_any_number_of_processes(small, tmp_path):
    again = write(tmp_path / "again", workers=2)
    assert photographs(again) == photographs(small)
    for table in ("train.csv", "test.csv", "truth.csv"):
        assert (again / table).read_bytes() == (small / table).read_bytes()


def test_another_seed_draws_other_photographs_and_no_two_are_alike(small, tmp_path):
    drawn = [*photographs(small).values(), *photographs(write(tmp_path, seed=1)).values()]
    assert len(set(drawn)) == len(drawn) == 40


def test_a_photograph_does_not_change_when_others_are_added(small, tmp_path):
    more = photographs(write(tmp_path / "more", count=24))
    assert photographs(small).items() <= more.items()
    assert len(more) == 24


@pytest.mark.parametrize("count", [20, 100, 601])
def test_classes_have_the_published_proportions_and_a_quarter_of_each_is_for_testing(count, tmp_path, monkeypatch):
    monkeypatch.setattr(glaucoma, "draw_missing", lambda *_: None)
    out = write(tmp_path, count=count)
    labels = {split: [row["Class"] for row in rows_of(out / f"{split}.csv")] for split in ("train", "test")}
    assert len(labels["train"]) + len(labels["test"]) == count
    assert len(labels["test"]) == math.ceil(count / 4)
    for name, published in zip(CLASS_NAMES, (786, 289, 467)):
        in_class = [labels[split].count(name) for split in ("train", "test")]
        assert abs(sum(in_class) - count * published / 1542) < 1
        assert abs(in_class[1] - sum(in_class) / 4) < 1


def test_every_class_is_in_training_and_test_however_few_the_patients(tmp_path, monkeypatch):
    monkeypatch.setattr(glaucoma, "draw_missing", lambda *_: None)
    for count in range(20, 40):
        out = write(tmp_path / str(count), count=count, patients=(count + 3) // 2)
        for split in ("train", "test"):
            assert {row["Class"] for row in rows_of(out / f"{split}.csv")} == {*CLASS_NAMES}


def test_as_many_photographs_as_published_give_the_published_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(glaucoma, "draw_missing", lambda *_: None)
    out = write(tmp_path, count=1542)
    for split, published in (("train", [589, 217, 350]), ("test", [197, 72, 117])):
        header, rows = read_table(out / f"{split}.csv")
        assert header == ["Class", "Class_Int", "Filename"]
        classes = [tuple(row[:2]) for row in rows]
        assert [classes.count((name, str(label))) for label, name in enumerate(CLASS_NAMES)] == published


def test_the_reader_of_the_archive_reads_it_with_its_lists(small):
    subjects, left_out = read_ahn(small, small / "train.csv", small / "test.csv")
    assert not left_out
    assert {subject.id for subject in subjects} == {
        f"{name}-{number}" for name, count in zip(CLASS_NAMES, (10, 4, 6)) for number in range(1, count + 1)
    }
    for split in ("train", "test"):
        listed = {f"{row['Class']}-{row['Filename'][:-4]}" for row in rows_of(small / f"{split}.csv")}
        assert {subject.id for subject in subjects if subject.split == split} == listed


def test_patients_are_shared_out_and_both_eyes_are_of_one_class_and_one_split(tmp_path):
    out = write(tmp_path, count=24, patients=15)
    assert len(rows_of(out / "labels.csv")) == 24
    subjects, _ = read_fundus_table(out, "labels.csv", class_names=CLASS_NAMES)
    of_patient = {}
    for subject in subjects:
        of_patient.setdefault(subject.patient, []).append(subject)
    assert len(of_patient) == 15
    assert sorted(map(len, of_patient.values())) == [1] * 6 + [2] * 9
    split_of = {}
    for split in ("train", "test"):
        split_of |= {(row["Class"], row["Filename"]): split for row in rows_of(out / f"{split}.csv")}
    side_of = {(row["Class"], row["Filename"]): row["eye"] for row in rows_of(out / "truth.csv")}
    assert len(split_of) == 24
    for eyes in of_patient.values():
        keys = [(subject.label, subject.files["image"].name) for subject in eyes]
        assert len({label for label, _ in keys}) == len({split_of[key] for key in keys}) == 1
        assert len({side_of[key] for key in keys}) == len(keys)


def test_the_folder_says_nothing_of_patients_unless_asked(small):
    assert sorted(path.name for path in small.iterdir()) == sorted(
        [*CLASS_NAMES, "phantom.json", "test.csv", "train.csv", "truth.csv"]
    )


def test_a_second_call_draws_only_what_is_missing(small, tmp_path):
    out = write(tmp_path)
    lost, kept = out / "early_glaucoma" / "2.png", out / "early_glaucoma" / "1.png"
    lost.unlink()
    (out / "train.csv").unlink()
    kept.write_bytes(b"left alone")
    stream = io.StringIO()
    write(out, stream=stream)
    assert stream.getvalue() == "1 of 1 photographs, 0 s left\n"
    assert kept.read_bytes() == b"left alone"
    expected = photographs(small) | {"early_glaucoma/1.png": b"left alone"}
    assert photographs(out) == expected
    assert (out / "train.csv").read_bytes() == (small / "train.csv").read_bytes()


def test_a_photograph_is_square_and_in_colour_and_black_outside_the_aperture(many):
    for path in sorted(many.glob("*/*.png"))[::10]:
        with Image.open(path) as image:
            assert (image.size, image.mode) == ((48, 48), "RGB")
            pixels = np.asarray(image)
        assert pixels[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 16
        # The retina is orange: most red, least blue.
        assert (np.diff(pixels[16:32, 16:32].mean(axis=(0, 1))) < 0).all()


def test_a_left_eye_is_the_mirror_image_of_a_right_one():
    _, left = eye(3, 0.4, 64, is_left=True)
    _, right = eye(3, 0.4, 64, is_left=False)
    np.testing.assert_array_equal(left[:, ::-1], right)


def test_ratios_of_a_cup_with_a_uniform_rim_are_those_of_two_ellipses():
    for width in (0.1, 0.35, 0.8):
        disc = OpticDisc(diameter=0.3, ovalness=0.9, damage=0.0, rim=(width,) * 4)
        assert disc.vertical_cup_to_disc == pytest.approx(1 - width)
        assert disc.horizontal_cup_to_disc == pytest.approx(1 - width)
        assert disc.cup_to_disc_area == pytest.approx((1 - width) ** 2)
        assert disc.thinnest_rim == pytest.approx(width)


def test_a_notch_takes_its_share_of_the_rim_in_its_middle_and_nothing_opposite():
    whole = OpticDisc(diameter=0.3, ovalness=0.9, damage=0.0, rim=(0.5, 0.4, 0.3, 0.2))
    notched = replace(whole, notch_depth=0.6, notch_angle=-math.pi / 2)
    below, above = (np.array(0.0), np.array(-1.0)), (np.array(0.0), np.array(1.0))
    assert whole.rim_width(*below) == 0.5
    assert notched.rim_width(*below) == pytest.approx(0.5 * 0.4)
    assert notched.rim_width(*above) == pytest.approx(0.4)
    assert notched.vertical_cup_to_disc == pytest.approx(whole.vertical_cup_to_disc + 0.3 / 2, abs=0.01)


def test_damage_thins_the_rim_of_the_same_eye_and_makes_its_cup_upright():
    for number in range(20):
        discs = [random_disc(*generators(number), damage) for damage in (0.0, 0.3, 0.6, 0.9)]
        assert (np.diff([disc.rim for disc in discs], axis=0) < 0).all()
        assert (np.diff([disc.vertical_cup_to_disc for disc in discs]) > 0).all()
        ratios = [disc.vertical_cup_to_disc / disc.horizontal_cup_to_disc for disc in discs]
        assert ratios[0] < ratios[-1]
        assert len({(disc.diameter, disc.ovalness, disc.middle) for disc in discs}) == 1


def test_healthy_rims_follow_the_isnt_rule_on_average():
    rims = np.mean([random_disc(*generators(number), 0.0).rim for number in range(200)], axis=0)
    assert (np.diff(rims) < 0).all()


def test_the_cup_that_is_measured_in_a_photograph_is_the_one_in_the_truth():
    size, measured, expected = 120, [], []
    pixels = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(pixels, 1 - pixels)
    for number, damage in enumerate(np.linspace(0, 0.9, 24)):
        disc, photograph = eye(number, damage, size)
        across = (x - disc.middle[0]) / (disc.ovalness * disc.diameter / 2)
        up = (y - disc.middle[1]) / (disc.diameter / 2)
        distance = np.hypot(across, up)
        # Large vessels leave on the nasal side.
        temporal = across > distance * math.cos(math.radians(55))
        light = photograph[..., 1:].sum(axis=-1, dtype=float)
        rim = np.median(light[temporal & (distance > 0.9) & (distance < 0.97)])
        cup = np.median(light[temporal & (distance < 0.3)])
        inside = temporal & (distance < 0.95)
        measured.append((light[inside] > (rim + cup) / 2).mean())
        width = disc.rim_width(across / distance, up / distance)
        expected.append((distance < 1 - width)[inside].mean())
    assert np.ptp(expected) > 0.5
    assert np.corrcoef(measured, expected)[0, 1] > 0.95
    assert np.abs(np.subtract(measured, expected)).mean() < 0.05


def test_the_mean_colour_of_a_photograph_does_not_tell_its_class_but_the_shape_of_the_disc_does(many):
    truth = rows_of(many / "truth.csv")
    y = np.array([CLASS_NAMES.index(row["Class"]) for row in truth])
    colour = [np.asarray(Image.open(many / row["Class"] / row["Filename"])).mean(axis=(0, 1)) for row in truth]
    shape = [[float(value) for value in list(row.values())[4:13]] for row in truth]

    def score(features):
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        return balanced_accuracy_score(y, cross_val_predict(model, np.array(features), y, cv=5))

    # The deviation of a guess among three that is right by chance.
    deviation = math.sqrt(sum(2 / 9 / count for count in np.bincount(y))) / 3
    assert score(colour) < 1 / 3 + 2 * deviation
    assert score(shape) > 1 / 3 + 8 * deviation


def test_a_vessel_covers_its_length_times_its_width():
    size, radius = 100, 0.02
    steps = np.arange(0.2, 0.8, 0.002)
    vessel = Vessel(np.stack([steps, steps], axis=-1), np.full(len(steps), radius), is_vein=True)
    covered, reflex = coverage([vessel], size)
    length = 0.6 * math.sqrt(2)
    area = 2 * radius * length + math.pi * radius**2
    assert covered.sum() / size**2 == pytest.approx(area, rel=0.05)
    # It runs from the lower left to the upper right.
    assert covered[50, 50] == covered[75, 25] == 1 > covered[25, 25] == 0
    assert (reflex <= covered).all()


def test_vessels_run_to_all_sides_and_get_thinner():
    trunk = np.array([0.4, 0.5])
    vessels = vessel_tree(np.random.default_rng(0), trunk, disc_radius=0.14, cup_edge=0.05)
    ends = np.stack([vessel.points[-1] for vessel in vessels]) - trunk
    assert {(x > 0, y > 0) for x, y in ends} == {(True, True), (True, False), (False, True), (False, False)}
    assert all((np.diff(vessel.radius) < 0).all() for vessel in vessels)
    assert {vessel.is_vein for vessel in vessels} == {True, False}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 19}, "count must be a whole number from 20 on, not 19"),
        ({"count": 20.0}, "count must be a whole number from 20 on, not 20.0"),
        ({"size": 31}, "size must be a whole number from 32 on, not 31"),
        ({"seed": -1}, "seed must be a whole number from 0 on, not -1"),
        ({"workers": True}, "workers must be a whole number from 1 on, not True"),
        ({"patients": 9}, "patients must be a whole number from 10 on, not 9"),
        ({"patients": 21}, "20 photographs cannot show 21 patients: set patients to 20 at most"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(arguments, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write(tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match=r"holds something else \(thesis.txt\) and no phantom.json"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(InputError, match=r"thesis\.txt is a file"):
        write(tmp_path / "thesis.txt")


def test_a_folder_of_phantoms_drawn_with_other_numbers_is_refused(small):
    before = photographs(small)
    for arguments, message in (({"seed": 1}, "seed 0, not 1"), ({"count": 21}, "count 20, not 21")):
        with pytest.raises(InputError, match=f"holds phantoms with {message}: choose another folder"):
            write(small, **arguments)
    assert photographs(small) == before


def test_a_full_disk_gives_one_sentence_and_no_torn_file_and_the_next_call_goes_on(small, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        drawn = []

        def full_after_three(path, content):
            if len(drawn) == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
            drawn.append(path)
            return path.parent.mkdir(parents=True, exist_ok=True) or path.write_bytes(content)

        patch.setattr(glaucoma, "write_bytes", full_after_three)
        with pytest.raises(InputError, match=r"4\.png cannot be written \(No space left on device"):
            write(tmp_path)
    assert len(photographs(tmp_path)) == 3
    assert not (tmp_path / "train.csv").exists()
    write(tmp_path)
    assert photographs(tmp_path) == photographs(small)
