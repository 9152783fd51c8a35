import re
from collections import Counter

import numpy as np
import pytest

from imbclf.data.preparation.fundus.table import class_names_of, read_fundus_table
from imbclf.data.preparation.subject_ids import subject_ids
from imbclf.errors import InputError


@pytest.fixture
def table(tmp_path):
    """Writes a table and, for each path in its first column, a file with bytes of its own; they are never decoded."""

    def write(text, images=None):
        names = [line.split(",")[0] for line in text.splitlines()[1:]] if images is None else images
        for name in names:
            if name and not name.startswith("/") and ".." not in name:
                file = tmp_path / "fundus" / name.replace("\\", "/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(name)
        (tmp_path / "table.csv").write_text(text, encoding="utf-8")
        return {"source": tmp_path / "fundus", "table": tmp_path / "table.csv"}

    return write


def both_eyes(patients=24, classes=("normal", "early", "advanced"), header="image,diagnosis,patient_id,eye"):
    """A table of two eyes for each patient; the classes take turns."""
    rows = [
        f"{patient:03d}_{eye}.jpg,{classes[patient % len(classes)]},p{patient},{eye}"
        for patient in range(patients)
        for eye in ("OD", "OS")
    ]
    return "\n".join([header, *rows])


PAIRS = "path,label,patient\na.jpg,well,1\nb.jpg,sick,2\nc.jpg,well,3\nd.jpg,sick,4\n"


class TestDivision:
    def test_both_eyes_stay_on_one_side_and_classes_in_proportion(self, table):
        subjects, _ = read_fundus_table(**table(both_eyes()), seed=4)
        sides = {}
        for subject in subjects:
            sides.setdefault(subject.patient, set()).add(subject.split)
        assert all(len(splits) == 1 for splits in sides.values())
        counts = Counter((subject.label, subject.split) for subject in subjects)
        # 16 images of each class: a quarter of them is four, two patients.
        assert {counts[name, "test"] for name in ("normal", "early", "advanced")} == {4}

    def test_copies_under_two_patients_stay_on_one_side(self, table):
        text = "path,label,patient\n" + "".join(f"{n}.jpg,{'ab'[n % 2]},{n}\n" for n in range(20))
        where = table(text)
        for number in range(0, 12, 2):
            (where["source"] / f"{number}.jpg").write_text("one picture")
        subjects, _ = read_fundus_table(**where)
        assert len({subject.split for subject in subjects if subject.patient in map(str, range(0, 12, 2))}) == 1

    def test_the_splits_of_the_table_stay(self, table):
        text = "path,label,patient,split\na.jpg,w,1,Train\nb.jpg,s,2,training\nc.jpg,w,3,test\nd.jpg,s,4,test\n"
        subjects, _ = read_fundus_table(**table(text))
        assert [subject.split for subject in subjects] == ["train", "train", "test", "test"]

    def test_a_share_of_zero_makes_no_test_split(self, table):
        assert {subject.split for subject in read_fundus_table(**table(PAIRS), test=0)[0]} == {"train"}

    def test_a_patient_in_two_splits_is_refused_unless_allowed(self, table):
        text = "path,label,patient,split\na.jpg,w,1,train\nb.jpg,s,2,train\nc.jpg,w,1,test\nd.jpg,s,4,test\n"
        with pytest.raises(InputError, match=r"Patient 1 is in train \(a\) and in test \(c\)"):
            read_fundus_table(**table(text))
        assert len(read_fundus_table(**table(text), allow_patient_overlap=True)[0]) == 4

    def test_a_split_without_a_class_is_named(self, table):
        text = "path,label,patient,split\na.jpg,w,1,train\nb.jpg,s,2,train\nc.jpg,w,3,test\n"
        with pytest.raises(InputError, match=r"the class s has no image in test \(s 0, w 1\)"):
            read_fundus_table(**table(text))

    def test_too_few_patients_are_refused_with_the_numbers(self, table):
        text = "path,label,patient\na.jpg,w,1\nb.jpg,w,2\nc.jpg,s,3\nd.jpg,s,3\n"
        with pytest.raises(InputError, match="class s has 2 samples of 1 independent patients"):
            read_fundus_table(**table(text))


class TestColumns:
    def test_each_column_reaches_the_subject(self, table):
        where = table("x,hospital,dx,no\nleft\\a.jpg,north,w,1\nb.jpg,south,s,2\nc.jpg,,w,3\nd.jpg,,s,\n")
        columns = {"path": "x", "label": "dx", "patient": "no"}
        subjects, left_out = read_fundus_table(**where, columns=columns)
        first = subjects[0]
        assert (first.id, first.label, first.patient, first.site) == ("left-a", "w", "1", "north")
        assert first.files == {"image": where["source"] / "left/a.jpg"}
        assert [subject.patient for subject in subjects] == ["1", "2", "3", ""]
        assert left_out == []

    def test_a_table_may_lie_beside_its_images(self, table):
        where = table(PAIRS)
        where["table"].rename(where["source"] / "labels.csv")
        assert len(read_fundus_table(where["source"], "labels.csv")[0]) == 4

    def test_a_path_without_an_ending_finds_its_image(self, table):
        text = PAIRS.replace(".jpg", "")
        subjects, _ = read_fundus_table(**table(text, images=("a.jpg", "b.TIF", "c.png", "d.bmp")))
        assert [subject.files["image"].name for subject in subjects] == ["a.jpg", "b.TIF", "c.png", "d.bmp"]

    def test_that_there_are_no_patients_must_be_said(self, table):
        where = table(PAIRS.replace("patient", "age"))
        with pytest.raises(InputError, match=r"no column for the patient among path,label,age: name it in columns, or"):
            read_fundus_table(**where)
        assert {subject.patient for subject in read_fundus_table(**where, columns={"patient": None})[0]} == {""}

    @pytest.mark.parametrize(
        ("header", "columns", "message"),
        [
            ("path,diag,patient", {}, "no column for the label among path,diag,patient: name it in columns"),
            ("path,label,patient", {"label": "dx"}, "no column 'dx', only path,label,patient"),
            ("path,label,patient", {"dx": "label"}, "no column 'dx' to be named: they are path, label, patient"),
            (
                "path,label,patient",
                {"label": None},
                "needs a column for the label, but columns says that there is none",
            ),
            ("path,label,label", {}, "names a column twice"),
            ("path,label,class", {"patient": None}, "label and class could each be the label: say which"),
            ("path;label;patient", {}, "no column for the path among path;label;patient"),
        ],
    )
    def test_columns_that_cannot_be_told_are_named(self, table, header, columns, message):
        where = table(f"{header}\na.jpg" + ",1" * header.count(",") + "\n")
        with pytest.raises(InputError, match=message):
            read_fundus_table(**where, columns=columns)


class TestRows:
    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("absent.jpg,well,5", r"row 6 names the image absent\.jpg, which is not in .*fundus"),
            ("./a.jpg,well,5", r"row 6 names a\.jpg again, which .* row 2 has"),
            ("/etc/a.jpg,well,5", r"row 6 has the absolute path /etc/a\.jpg"),
            ("../a.jpg,well,5", r"row 6 has the path \.\./a\.jpg, which may leave the data's folder"),
            (",well,5", "row 6 names no image"),
            ("a.jpg,well", "row 6: expected 3 columns, got 2"),
        ],
    )
    def test_bad_rows_are_named_in_one_sentence(self, table, row, message):
        where = table(PAIRS + row + "\n", images=("a.jpg", "b.jpg", "c.jpg", "d.jpg"))
        with pytest.raises(InputError, match=message) as caught:
            read_fundus_table(**where)
        assert "\n" not in str(caught.value)

    def test_an_unknown_split_is_named(self, table):
        text = "path,label,patient,split\na.jpg,w,1,trian\n"
        with pytest.raises(InputError, match=r"row 2 has split 'trian'.*did you mean 'train'"):
            read_fundus_table(**table(text))

    def test_a_row_without_a_label_is_left_out(self, table):
        subjects, left_out = read_fundus_table(**table(PAIRS + "e.jpg,,5\n"))
        assert [(one.id, one.reason) for one in left_out] == [("e", "no label in table.csv")]
        assert len(subjects) == 4

    def test_a_table_without_rows_or_labels_and_a_missing_folder_are_named(self, table, tmp_path):
        with pytest.raises(InputError, match=r"table\.csv has no rows"):
            read_fundus_table(**table("path,label,patient\n", images=("a.jpg",)))
        with pytest.raises(InputError, match=r"No row of .*table\.csv has a label"):
            read_fundus_table(**table("path,label,patient\na.jpg,,1\n"))
        with pytest.raises(InputError, match=r"absent does not exist"):
            read_fundus_table(tmp_path / "absent", "table.csv")
        with pytest.raises(InputError, match=r"absent\.csv does not exist"):
            read_fundus_table(tmp_path, "absent.csv")

    def test_an_image_in_two_classes_is_refused_and_both_are_named(self, table):
        where = table(PAIRS)
        (where["source"] / "b.jpg").write_text("a.jpg")
        with pytest.raises(InputError, match=r"a\.jpg of class well is identical to .*b\.jpg of class sick"):
            read_fundus_table(**where)


class TestLabels:
    def test_numbers_stand_for_the_given_classes(self, table):
        text = PAIRS.replace("well", "0").replace("sick", "1")
        subjects, _ = read_fundus_table(**table(text), class_names=("normal", "glaucoma"))
        assert [subject.label for subject in subjects] == ["normal", "glaucoma"] * 2
        assert class_names_of(read_fundus_table(**table(text))[0]) == ("0", "1")

    def test_a_label_outside_the_given_classes_names_row_and_nearest(self, table):
        where = table(PAIRS.replace("d.jpg,sick", "d.jpg,Sik"))
        with pytest.raises(InputError, match=r"row 5 has label 'Sik', .* well, sick \(did you mean 'sick'\?\)"):
            read_fundus_table(**where, class_names=("well", "sick"))

    @pytest.mark.parametrize("spelling", ["Early-glaucoma", "early glaucoma", "EARLY_GLAUCOMA", "earlyglaucoma"])
    def test_labels_that_look_like_one_class_are_refused(self, table, spelling):
        where = table(PAIRS.replace("b.jpg,sick", "b.jpg,early_glaucoma").replace("d.jpg,sick", f"d.jpg,{spelling}"))
        with pytest.raises(
            InputError, match=rf"row 5 has label '{spelling}', which looks like the 'early_glaucoma' of"
        ):
            read_fundus_table(**where)

    def test_signs_tell_labels_apart(self, table):
        text = PAIRS.replace("well", "DR+").replace("sick", "DR-")
        assert class_names_of(read_fundus_table(**table(text))[0]) == ("DR+", "DR-")

    def test_a_patient_with_two_labels_is_refused_unless_allowed(self, table):
        rows = [f"{n}{eye}.jpg,{'ab'[(n + (eye == 'L')) % 2]},{n},{eye}" for n in range(8) for eye in "LR"]
        where = table("\n".join(["path,label,patient,eye", *rows]))
        with pytest.raises(
            InputError,
            match=r"row 3 gives patient 0 the label a, but .* row 2 says b \(eyes L and R\): correct one, or set",
        ):
            read_fundus_table(**where)
        subjects, _ = read_fundus_table(**where, allow_mixed_patients=True)
        split_of = {(subject.patient, subject.label): subject.split for subject in subjects}
        assert all(split_of[str(n), "a"] == split_of[str(n), "b"] for n in range(8))


def test_ids_differ_wherever_paths_do():
    paths = ["a/b.png", "a-b.png", "A-B.jpg", "c d.png", "눈.png", "ø.png", ".x.png", "long/" * 60 + "1.png"]
    ids = subject_ids(paths)
    assert len({subject.lower() for subject in ids}) == len(paths)
    assert ids[3] == "c-d"
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", subject) for subject in ids)
    reordered = np.random.default_rng(0).permutation(len(paths))
    assert subject_ids([paths[place] for place in reordered]) == [ids[place] for place in reordered]
