"""The fundus photographs of Ahn et al. 2018: no, early and advanced glaucoma."""

from dataclasses import replace
from difflib import get_close_matches
from math import ceil
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from imbclf.data.folder import find_images
from imbclf.data.index_rows import check_each_path_once, read_index_rows
from imbclf.data.preparation.fundus.division import check_every_class, image_fingerprints, settle_copies
from imbclf.data.preparation.subject import LeftOut, Subject
from imbclf.data.preparation.subject_ids import subject_ids
from imbclf.errors import InputError

CLASS_NAMES = ("normal_control", "early_glaucoma", "advanced_glaucoma")
TEST_SHARE = 0.25


def read_ahn(source, train_csv=None, test_csv=None, seed=0, conflicts="refuse"):
    r"""Find the photographs of the archive and give each its class and its split.

    `processed_data.zip` of the Harvard Dataverse (123,981,705 bytes) unpacks to

        data_description.txt
        advanced_glaucoma/1.png ... 467.png
        early_glaucoma/1.png ... 289.png
        normal_control/1.png ... 788.png

    1,544 colour photographs cut out around the optic disc, 240 x 240 pixels or a little narrower. The numbers start
    again in each class, so an image is known by class and file name, and nothing says whose eye it shows: the index
    names no patient. `source` is the folder that holds these three, or the one above it.

    The lists that Scholz et al. published, `Class,Class_Int,Filename`, name 1,542 of the images (786 normal, 289 early,
    467 advanced; test 197, 72, 117). With both given, theirs is the split, and images in neither list are left out.
    Without, the n images that differ are divided by scikit-learn's `train_test_split`, stratified by class: of them

    $$ \lceil n / 4 \rceil $$

    go to test, again 197, 72 and 117 in the archive; the seed and the names of the files decide which. Identical files
    count once and stay on one side; where the published lists part them, the training copy is left out.

    Args:
        source: The unpacked archive.
        train_csv: The published training list (`glaucoma_train_data.csv`), or None.
        test_csv: The published test list (`glaucoma_test_data.csv`), or None.
        seed: Chooses the test images where there are no lists.
        conflicts: What becomes of an image that is in two classes: `"refuse"` it or `"leave_out"` all its copies.

    Returns:
        `Subject`s with the file `"image"`, ids such as `normal_control-89`, in the order of class and number; and the
        `LeftOut`.

    Raises:
        InputError: No such folder; a class folder that is missing or empty; one list without the other; a row of a list
            with an unknown class, a `Class_Int` of another class, a path twice, absolute, with `..`, or without its
            image; an identical image in two classes; a class that train or test would lack.

    Sources: J. M. Ahn et al., A deep learning model for the detection of both advanced and early glaucoma using fundus
    photography, PLOS ONE 13(11): e0207982, 2018; data (CC0): doi:10.7910/DVN/1YRRAC; lists:
    github.com/daniel-scholz/address-class-imbalance. Of the layout, `unzip` prints the names in
    github.com/Tieck-IT/Study (paper/glaucoma_dectetion.ipynb), a reader for it in github.com/adgaudio/DeepFixCX gives
    the counts, and OpenMEDLab's page of the set the sizes.
    """
    source = Path(source).expanduser()
    files = _class_files(_class_root(source))
    splits = _published_splits(files, train_csv, test_csv)
    subjects, left_out = [], []
    for subject_id, (path, file) in zip(subject_ids(list(files)), files.items()):
        if splits and path not in splits:
            left_out.append(LeftOut(subject_id, "in neither of the two lists"))
        else:
            label = path.split("/")[0]
            subjects.append(Subject(subject_id, {"image": file}, label, split=splits.get(path, "")))
    fingerprints = image_fingerprints(subjects)
    subjects, copies = settle_copies(subjects, fingerprints, conflicts)
    if not splits:
        subjects = _divide(subjects, fingerprints, seed, source)
    check_every_class(subjects, CLASS_NAMES, source)
    return subjects, left_out + copies


def _class_root(source):
    """The folder with the class folders: `source`, or the one folder in it where it has none itself."""
    if source.is_file():
        raise InputError(f"{source} is a file: unpack the archive and give its folder.")
    if not source.is_dir():
        raise InputError(f"The folder {source} does not exist: give that of the unpacked archive.")
    folders = sorted(entry for entry in source.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))
    if not {folder.name for folder in folders} & {*CLASS_NAMES} and len(folders) == 1:
        return folders[0]
    return source


def _class_files(root):
    """Path `class/name` and file of every image, by class and number."""
    files = {}
    for name in CLASS_NAMES:
        folder = root / name
        if not folder.is_dir():
            others = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
            near = get_close_matches(name, others, 1)
            hint = f" (is it {near[0]!r}, then rename it)" if near else ""
            raise InputError(f"The folder {root} has no folder {name}, only {', '.join(others) or 'none'}{hint}.")
        images = sorted(
            find_images(folder), key=lambda file: (int(file.stem) if file.stem.isdecimal() else 0, file.name)
        )
        if not images:
            raise InputError(f"The class folder {folder} holds no PNG or JPEG image: unpack the archive again.")
        files |= {file.relative_to(root).as_posix(): file for file in images}
    return files


def _published_splits(files, train_csv, test_csv):
    """Split of each path in the published lists; nothing where none is given."""
    if train_csv is None and test_csv is None:
        return {}
    if train_csv is None or test_csv is None:
        raise InputError("The published split has two lists: give both train_csv and test_csv, or neither.")
    rows = []
    for split, table in (("train", train_csv), ("test", test_csv)):
        rows += read_index_rows(Path(table).expanduser(), split)
    for row in rows:
        if row.label not in CLASS_NAMES:
            near = get_close_matches(row.label, CLASS_NAMES, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(
                f"{row.where} has class {row.label!r}, but the classes are {', '.join(CLASS_NAMES)}{hint}."
            )
        number = str(CLASS_NAMES.index(row.label))
        if row.class_number != number:
            raise InputError(
                f"{row.where} has Class_Int {row.class_number!r} for {row.label}, but {number} is expected, as in the "
                "published lists with the columns Class,Class_Int,Filename."
            )
    check_each_path_once(rows)
    missing = [row for row in rows if row.path not in files]
    if missing:
        raise InputError(
            f"{missing[0].where} names {missing[0].path}, which the archive does not have, the first of {len(missing)} "
            "missing images: unpack the archive again."
        )
    return {row.path: row.split for row in rows}


def _divide(subjects, fingerprints, seed, source):
    """The subjects with a split each: identical images are one item, and the items are divided by scikit-learn."""
    place_of = {}
    item_of = [place_of.setdefault(fingerprints[subject.id], len(place_of)) for subject in subjects]
    y = np.zeros(len(place_of), int)
    y[item_of] = [CLASS_NAMES.index(subject.label) for subject in subjects]
    counts = np.bincount(y, minlength=len(CLASS_NAMES))
    test_count = ceil(TEST_SHARE * len(y))
    if min(test_count, len(y) - test_count) < len(CLASS_NAMES) or counts.min() < 2:
        numbers = ", ".join(f"{name} {count}" for name, count in zip(CLASS_NAMES, counts))
        raise InputError(
            f"In {source} there are too few different images ({numbers}) to give train three quarters and test one "
            "quarter with every class in both: add images, or give the lists."
        )
    _, test = train_test_split(np.arange(len(y)), test_size=TEST_SHARE, stratify=y, random_state=seed)
    test = set(test.tolist())
    return [replace(subject, split="test" if item in test else "train") for subject, item in zip(subjects, item_of)]
