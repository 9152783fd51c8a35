import numpy as np
import pytest

from imbclf.data import read_index
from imbclf.errors import InputError


@pytest.fixture
def indexed(write_images):
    """Writes an index and an image for every path a test names."""

    def read(text, images=("a.png", "b.png", "c.png"), name="index.csv", **options):
        root = write_images(*images)
        (root / name).write_text(text, encoding="utf-8")
        return read_index(root, name, **options)

    return read


def test_every_column_reaches_the_data_set(indexed):
    dataset = indexed(
        "path,label,patient,split,site,note\na.png,sick,1,train,east,x\nb.png,well,2,Validation,west,y\nc.png,well,3,,east,\n"
    )
    assert dataset.class_names == ("sick", "well")
    assert dataset.y.tolist() == [0, 1, 1]
    assert dataset.ids.tolist() == ["a.png", "b.png", "c.png"]
    assert dataset.split.tolist() == ["train", "val", ""]
    assert dataset.patients.tolist() == ["1", "2", "3"]
    assert dataset.sites.tolist() == ["east", "west", "east"]
    assert dataset.images.shape == (3, 5, 4, 1)


def test_columns_that_are_not_there_are_none(indexed):
    dataset = indexed("path,label\na.png,0\nb.png,1\n")
    assert dataset.patients is None
    assert dataset.sites is None
    assert dataset.split.tolist() == ["", ""]


def test_spaces_blank_lines_and_a_byte_order_mark_do_not_matter(indexed):
    dataset = indexed("\ufeffpath , label\n a.png , sick\n\nb.png,well\n")
    assert dataset.class_names == ("sick", "well")


def test_whole_number_labels_with_gaps_are_sorted_by_value(indexed):
    dataset = indexed("path,label\na.png,10\nb.png,2\nc.png,5\n")
    assert dataset.class_names == ("2", "5", "10")
    assert dataset.y.tolist() == [2, 0, 1]


def test_given_class_names_set_the_order(indexed):
    dataset = indexed("path,label\na.png,sick\nb.png,well\n", class_names=("well", "sick", "dead"))
    assert dataset.y.tolist() == [1, 0]
    assert dataset.class_names == ("well", "sick", "dead")


def test_given_class_names_name_the_numbers_in_the_file(indexed):
    assert indexed("path,label\na.png,1\nb.png,0\n", class_names=("well", "sick")).y.tolist() == [1, 0]


def test_windows_paths_are_read(indexed):
    dataset = indexed("path,label\nleft\\a.png,0\nb.png,1\n", images=("left/a.png", "b.png"))
    assert dataset.ids.tolist() == ["left/a.png", "b.png"]


PUBLISHED = "Class,Class_Int,Filename\nnormal_control,0,1.png\nearly_glaucoma,1,1.png\nadvanced_glaucoma,2,7.png\n"
PUBLISHED_IMAGES = ("normal_control/1.png", "early_glaucoma/1.png", "advanced_glaucoma/7.png", "normal_control/2.png")


def test_the_published_glaucoma_list_finds_images_by_class_and_keeps_its_order(indexed):
    dataset = indexed(PUBLISHED, PUBLISHED_IMAGES)
    assert dataset.class_names == ("normal_control", "early_glaucoma", "advanced_glaucoma")
    assert dataset.ids.tolist() == ["normal_control/1.png", "early_glaucoma/1.png", "advanced_glaucoma/7.png"]
    assert dataset.y.tolist() == [0, 1, 2]


def test_two_lists_give_two_splits(write_images):
    root = write_images(*PUBLISHED_IMAGES)
    (root / "a.csv").write_text(PUBLISHED)
    (root / "b.csv").write_text("Class,Class_Int,Filename\nnormal_control,0,2.png\n")
    dataset = read_index(root, {"train": "a.csv", "test": "b.csv"})
    assert dataset.counts("train").tolist() == [1, 1, 1]
    assert dataset.counts("test").tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"index\.csv has no rows: it needs the header path,label"),
        ("path,label\n", r"index\.csv has no rows"),
        ("file,label\na.png,0\n", "has no column 'path', only file,label"),
        ("paths,label\na.png,0\n", "has no column 'path', only paths,label: is it 'paths', then rename it"),
        ("path;label\na.png;0\n", "has no column 'path', only path;label"),
        ("path,Label\na.png,0\n", "has no column 'label', .* is it 'Label'"),
        ("path,label,label\na.png,0,0\n", "names a column twice"),
        ("path,label,patients\na.png,0,1\n", "has a column 'patients': rename it to 'patient'"),
        ("path,label\na.png,0\nb.png\n", "row 3: expected 2 columns, got 1"),
        ("path,label\na.png,0\n,1\n", "row 3 names no image"),
        ("path,label\na.png,0\nb.png,\n", "row 3 names no label"),
        ("path,label\na.png,0\n./a.png,1\n", r"row 3 names a\.png again, which .*index\.csv row 2 has"),
        ("path,label\n/etc/a.png,0\n", "row 2 has the absolute path /etc/a.png"),
        ("path,label\nC:\\a.png,0\n", "row 2 has the absolute path"),
        ("path,label\nx/../../a.png,0\n", r"row 2 has the path .* which may leave the data's folder"),
        ("path,label,split\na.png,0,trian\n", r"row 2 has split 'trian'.*did you mean 'train'\?"),
        ("path,label\na.png,1\nb.png,01\n", "written in two ways"),
        ("path,label\na.png,0\nabsent.png,1\n", r"absent\.png does not exist"),
        ("Class,Class_Int,Filename\nx,0,a.png\nx,1,b.png\n", "row 3 pairs Class x with Class_Int 1"),
        ("Class,Class_Int,Filename\nx,0,a.png\ny,0,b.png\n", "row 3 pairs Class y with Class_Int 0"),
        ("Class,Class_Int,Filename\nx,zero,a.png\n", "row 2 has Class_Int 'zero'"),
        ("Class,Class_Int,Filename\n,0,a.png\n", "row 2 names no"),
        ('path,label\n"a.png,0\n', "should be a CSV file in UTF-8 but cannot be read"),
    ],
)
def test_bad_rows_are_named_in_one_sentence(indexed, text, message):
    with pytest.raises(InputError, match=message) as caught:
        indexed(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (
            ("well", "sikc"),
            ("well", "sick"),
            r"index\.csv row 3 has label 'sikc', .* well, sick \(did you mean 'sick'\?\)",
        ),
        (("0", "2"), ("well", "sick"), r"index\.csv row 3 has label '2', but the classes are well, sick"),
        (("1", "-1"), ("well", "sick"), "row 3 has label '-1'"),
        (("0", "2"), ("0", "1"), "row 3 has label '2'"),
    ],
)
def test_a_label_outside_the_classes_names_file_and_row(indexed, labels, names, message):
    with pytest.raises(InputError, match=message):
        indexed(f"path,label\na.png,{labels[0]}\nb.png,{labels[1]}\n", class_names=names)


def test_the_split_of_a_row_must_be_the_split_of_its_file(write_images):
    root = write_images("a.png")
    (root / "a.csv").write_text("path,label,split\na.png,0,test\n")
    with pytest.raises(InputError, match="row 2 has split 'test', but the file was given as train"):
        read_index(root, {"train": "a.csv"})
    with pytest.raises(InputError, match="given as train, val or test, not 'first'"):
        read_index(root, {"first": "a.csv"})


def test_a_missing_index_and_one_in_another_encoding_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv does not exist"):
        read_index(tmp_path, "absent.csv")
    (tmp_path / "index.csv").write_bytes(b"path,label\n\xff\xfe,0\n")
    with pytest.raises(InputError, match=r"index\.csv should be a CSV file in UTF-8"):
        read_index(tmp_path, "index.csv")


def test_images_are_those_of_their_rows(indexed, tmp_path):
    dataset = indexed("path,label\nc.png,0\na.png,1\n")
    alone = indexed("path,label\na.png,0\n", name="alone.csv")
    np.testing.assert_array_equal(dataset.images[np.array([1])], alone.images[np.array([0])])
