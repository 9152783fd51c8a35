import csv
import io
from collections import Counter

import nibabel
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from imbclf.data.phantoms.glioma import write_phantom_glioma
from imbclf.data.phantoms.glioma_cohort import phantom_cohort
from imbclf.data.phantoms.glioma_layouts import LAYOUTS
from imbclf.data.phantoms.head.brain import phantom_brain, true_findings
from imbclf.data.phantoms.head.findings import DIAGNOSES, draw_findings
from imbclf.data.preparation.mri.glioma import read_glioma
from imbclf.data.preparation.mri.scan import Scan, read_scans
from imbclf.errors import InputError

SIDE = 32
SEED = 5
SITES = {"ucsf": "UCSF-PDGM", "egd": "EGD", "tcga": "TCGA"}


def write(out, **options):
    return write_phantom_glioma(out, **{"side": 24, "seed": SEED, "stream": io.StringIO(), **options})


def truth(out):
    with open(out / "truth.csv", newline="") as file:
        return list(csv.DictReader(file))


def patients_with(diagnosis, finding, low, high, wanted=4):
    """Numbers of patients who show a finding in a range."""
    numbers = (
        number for number in range(300) if low <= getattr(true_findings(SEED, number, diagnosis), finding) <= high
    )
    return [next(numbers) for _ in range(wanted)]


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return write(tmp_path_factory.mktemp("phantoms"), count=38)


@pytest.fixture(scope="module")
def read(archives):
    return read_glioma(*(archives / name for name in SITES))


@pytest.mark.parametrize("diagnosis", DIAGNOSES)
def test_a_brain_is_a_function_of_its_arguments(diagnosis):
    first, again, other = (phantom_brain(seed, 3, diagnosis, SIDE) for seed in (SEED, SEED, SEED + 1))
    for name, image in first.images.items():
        np.testing.assert_array_equal(again.images[name], image)
        assert (other.images[name] != image).any()
        assert ((image > 0) == first.brain).all()
    np.testing.assert_array_equal(again.labels, first.labels)
    assert set(np.unique(first.labels)) <= {0, 1, 2, 4}
    assert first.brain[first.labels > 0].all()
    assert 0.01 < (first.labels > 0).sum() / first.brain.sum() < 0.35


def test_nothing_far_from_the_tumour_tells_the_class():
    brains = [phantom_brain(SEED, 7, diagnosis, SIDE) for diagnosis in DIAGNOSES]
    far = brains[0].brain.copy()
    # The hindbrain and the base of the temporal lobes; the tumours of this patient lie above.
    far[:, :, SIDE // 4 :] = False
    assert far.sum() > 300
    for brain in brains:
        assert not (brain.labels[far] > 0).any()
        for name, image in brain.images.items():
            np.testing.assert_allclose(image[far], brains[0].images[name][far], rtol=0.02, atol=5)


def test_heads_stand_upright_and_look_to_the_front():
    brain = phantom_brain(SEED, 0, "glioblastoma", SIDE).brain
    right, front, top = brain.shape
    # The brainstem is the lowest part, the cerebellum lies below and behind.
    lowest = np.argwhere(brain)[:, 2].argmin()
    assert abs(np.argwhere(brain)[lowest, 0] - right / 2) < 0.1 * right
    low = brain[:, :, : top // 4]
    assert low[:, : front // 2].sum() > 2 * low[:, front // 2 :].sum()
    # Left and right are alike.
    assert (brain != brain[::-1]).mean() < 0.06


def test_voxels_may_be_finer_but_the_brain_stays_the_same():
    coarse, fine = (phantom_brain(SEED, 2, "glioblastoma", side) for side in (32, 64))
    assert coarse.findings == fine.findings
    for parts in ((coarse.brain, fine.brain), (coarse.labels > 0, fine.labels > 0)):
        small, large = (part.sum() / part.size for part in parts)
        assert small == pytest.approx(large, rel=0.2)


def test_another_visit_is_another_scan_of_the_same_tumour():
    first, second = (phantom_brain(SEED, 2, "astrocytoma", SIDE, visit=visit) for visit in (0, 1))
    np.testing.assert_array_equal(first.labels, second.labels)
    assert all((first.images[name] != second.images[name]).any() for name in first.images)


def test_contrast_brightens_t1_where_the_labels_say_so():
    for number in patients_with("glioblastoma", "enhancement", 0.5, 1):
        brain = phantom_brain(SEED, number, "glioblastoma", SIDE)
        t1, t1c = (brain.images[name] / np.median(brain.images[name][brain.brain]) for name in ("t1", "t1c"))
        gained = t1c - t1
        enhancing, healthy = brain.labels == 4, brain.brain & (brain.labels == 0)
        assert enhancing.sum() > 10
        assert gained[enhancing].mean() > 0.3 + gained[healthy].mean()
        assert gained[enhancing].mean() > 0.3 + gained[brain.labels == 2].mean()


def test_flair_suppresses_the_core_that_t2_shows_bright_where_there_is_mismatch():
    def flair_over_t2(number):
        brain = phantom_brain(SEED, number, "astrocytoma", SIDE)
        healthy = brain.brain & (brain.labels == 0)
        core = np.isin(brain.labels, (1, 4))
        flair, t2 = (brain.images[name][core] / np.median(brain.images[name][healthy]) for name in ("flair", "t2"))
        return np.median(flair / t2)

    with_sign = [flair_over_t2(number) for number in patients_with("astrocytoma", "mismatch", 0.8, 1)]
    without = [flair_over_t2(number) for number in patients_with("astrocytoma", "mismatch", 0, 0.1)]
    assert max(with_sign) < min(without)


def test_calcified_clumps_are_dark_in_t2():
    def darkest(number):
        brain = phantom_brain(SEED, number, "oligodendroglioma", 48)
        t2 = brain.images["t2"] / np.median(brain.images["t2"][brain.brain & (brain.labels == 0)])
        return np.percentile(t2[np.isin(brain.labels, (1, 4))], 3)

    with_sign = [darkest(number) for number in patients_with("oligodendroglioma", "calcification", 0.75, 1)]
    without = [darkest(number) for number in patients_with("oligodendroglioma", "calcification", 0, 0.1)]
    assert np.mean(with_sign) < 0.8 * np.mean(without)


def test_the_findings_tell_the_classes_but_not_quite():
    findings, y = [], []
    for label, diagnosis in enumerate(DIAGNOSES):
        for number in range(400):
            drawn = draw_findings(np.random.default_rng((label, number)), diagnosis)
            findings.append([drawn.enhancement, drawn.mismatch, drawn.calcification, drawn.cortical_depth])
            y.append(label)
    findings, y = np.array(findings), np.array(y)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(findings[::2], y[::2])
    assert 0.80 < balanced_accuracy_score(y[1::2], model.predict(findings[1::2])) < 0.92


@pytest.mark.parametrize("count", [3, 38, 100, 175])
def test_classes_and_archives_have_their_published_shares(count):
    cohort = [scan for scan in phantom_cohort(count, SEED) if scan.is_known and scan.visit == 0]
    assert len(cohort) == count
    classes = Counter(scan.diagnosis for scan in cohort)
    for diagnosis, share in zip(DIAGNOSES, (0.80, 0.12, 0.08)):
        assert abs(classes[diagnosis] - share * count) < 1
        places = Counter(scan.archive for scan in cohort if scan.diagnosis == diagnosis)
        for archive, part in zip(SITES, (0.42, 0.39, 0.19)):
            assert abs(places[archive] - part * classes[diagnosis]) <= 1
    assert phantom_cohort(200, SEED)[: len(cohort)] == phantom_cohort(400, SEED)[: len(cohort)]


def test_ids_are_unique_and_none_is_another_patient_of_early_ucsf():
    cohort = phantom_cohort(1200, SEED)
    assert len({scan.id for scan in cohort}) == len(cohort)
    assert not {"UCSF-PDGM-0138", "UCSF-PDGM-0315"} & {scan.id for scan in cohort}


def test_the_archive_readers_find_every_patient_with_its_class(archives, read):
    subjects, left_out = read
    rows = {row["id"].lower(): row for row in truth(archives)}
    assert {subject.id for subject in subjects} == {name for name, row in rows.items() if row["is_known"] == "1"}
    assert {one.id for one in left_out} == {name for name, row in rows.items() if row["is_known"] == "0"}
    assert left_out
    for subject in subjects:
        row = rows[subject.id]
        assert subject.label == row["diagnosis"]
        assert subject.site == SITES[row["archive"]]
        assert subject.split == ("test" if row["archive"] == "tcga" else "train")
    assert len({(subject.site, subject.label) for subject in subjects}) == 9


def test_the_scan_recipe_takes_every_archive_and_finds_the_brain_that_was_drawn(archives, read):
    recipe = Scan(size=16)
    scans = {scan.id.lower(): scan for scan in phantom_cohort(38, SEED)}
    for name, layout in LAYOUTS.items():
        subject = next(subject for subject in read[0] if subject.site == SITES[name])
        scan = scans[subject.id]
        drawn = phantom_brain(SEED, scan.number, scan.diagnosis, 24, layout.site, layout.skull)
        found = read_scans(subject)
        for sequence, image in found.images.items():
            # Reading has undone the orientation of the archive.
            np.testing.assert_allclose(image, drawn.images[sequence], atol=0.51 if layout.whole_numbers else 0.07)
        np.testing.assert_array_equal(found.tumour, drawn.labels > 0)
        np.testing.assert_allclose(found.affine, drawn.affine)
        assert (found.brain != drawn.brain).mean() < 0.04
        array = recipe(subject)
        assert array.shape == (16, 16, 16, 4)
        assert array.reshape(-1, 4).std(axis=0).min() > 0.05


def test_archives_differ_in_orientation_and_skull(archives, read):
    seen = {}
    for subject in read[0]:
        image = nibabel.load(subject.files["t1"])
        mask = np.asarray(nibabel.load(subject.files["mask"]).dataobj)
        seen.setdefault(subject.site, ("".join(nibabel.aff2axcodes(image.affine)), mask.max() == 1))
        assert image.header.get_zooms() == (1, 1, 1)
    assert seen == {"UCSF-PDGM": ("LPS", False), "EGD": ("LAS", True), "TCGA": ("LPS", False)}
    brain = np.asarray(nibabel.load(archives / "egd/METADATA/Brain_mask.nii.gz").dataobj)
    subject = next(subject for subject in read[0] if subject.site == "EGD")
    outside = np.asarray(nibabel.load(subject.files["t1"]).dataobj)[brain == 0]
    assert (outside > 0).sum() > 0.2 * brain.sum()


def test_a_second_scan_is_of_the_first_ones_patient(tmp_path):
    cohort = phantom_cohort(90, SEED)
    second = next(scan for scan in cohort if scan.visit)
    first = next(scan for scan in cohort if (scan.number, scan.visit) == (second.number, 0))
    assert (first.diagnosis, first.idh, first.codeletion) == (second.diagnosis, second.idh, second.codeletion)
    assert second.id == f"{first.id}_FU003d"


def test_a_second_call_draws_only_what_is_missing(tmp_path):
    out = write(tmp_path / "out", count=3)
    files = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    times = {path: path.stat().st_mtime_ns for path in files if path.suffix == ".gz"}
    lost = next(path for path in files if path.name == "FLAIR.nii.gz")
    lost.unlink()
    stream = io.StringIO()
    assert write(out, count=3, stream=stream) == out
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == files
    assert {path for path, time in times.items() if path.stat().st_mtime_ns != time} == {
        path for path in times if lost.parents[2] in path.parents
    }
    assert "1 of 1 scans" in stream.getvalue()


def test_several_processes_draw_what_one_does(tmp_path):
    one, two = (write(tmp_path / str(workers), count=3, workers=workers) for workers in (1, 2))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    assert all((one / path).read_bytes() == (two / path).read_bytes() for path in files)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 2}, "count must be a whole number from 3 on, not 2"),
        ({"side": 23}, "side must be a whole number from 24 on, not 23"),
        ({"seed": -1}, "seed must be a whole number from 0 on, not -1"),
        ({"workers": 0}, "workers must be a whole number from 1 on, not 0"),
        ({"count": 4.0}, "count must be a whole number from 3 on, not 4.0"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        write(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_else_is_refused(tmp_path, archives):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds something else \(thesis.txt\)"):
        write(tmp_path, count=3)
    with pytest.raises(InputError, match="holds phantoms with count 38, not 39"):
        write(archives, count=39)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, "meningioma"), "A diagnosis is one of glioblastoma, astrocytoma, oligodendroglioma, not 'meningioma'"),
        ((0, 0, "astrocytoma", 12), "must be 24 voxels or more, but it is 12"),
        ((0, -1, "astrocytoma"), "must be 0 or more, but they are 0, -1 and 0"),
    ],
)
def test_impossible_brains_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        phantom_brain(*arguments)
