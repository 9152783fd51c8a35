import json

import numpy as np
import pytest

from imbclf.data import write_nifti
from imbclf.data.preparation.mri import egd, tcga, ucsf_pdgm
from imbclf.data.preparation.mri.glioma import GLIOMA_CLASSES, read_glioma, who_2021_class
from imbclf.data.preparation.mri.patient_folders import SEQUENCES
from imbclf.data.preparation.mri.scan import Scan
from imbclf.errors import InputError
from tests.data.preparation.workbooks import write_workbook

# The header of the file that the archive gives out, see ucsf_pdgm.
UCSF_HEADER = (
    "ID,Sex,Age at MRI,WHO CNS Grade,Final pathologic diagnosis (WHO 2021),MGMT status,MGMT index,1p/19q,IDH,"
    "1-dead 0-alive,OS,EOR,Biopsy prior to imaging,BraTS21 ID,BraTS21 Segmentation Cohort,BraTS21 MGMT Cohort"
)
TCGA_HEADER = ["Case", "Study", "Histology", "Grade", "IDH status", "1p/19q codeletion", "IDH/codel subtype"]
# Names of the four sequences and the mask as each layout has them, {0} being the folder's id.
UCSF = ("{0}_T1", "{0}_T1c", "{0}_T2", "{0}_FLAIR", "{0}_tumor_segmentation")
UCSF_BIAS = ("{0}_T1_bias", "{0}_T1c_bias", "{0}_T2_bias", "{0}_FLAIR_bias", "{0}_tumor_segmentation")
XNAT = ("1_T1/NIFTI/T1", "2_T1GD/NIFTI/T1GD", "3_T2/NIFTI/T2", "4_FLAIR/NIFTI/FLAIR", "5_MASK/NIFTI/MASK")
EGD_DOWNLOADER = ("T1", "T1GD", "T2", "FLAIR", "MASK")
BRATS_TCGA = tuple("{0}_1996.08.23_" + name for name in ("t1", "t1Gd", "t2", "flair", "GlistrBoost_ManuallyCorrected"))
BRAINLES = (
    *("{0}_brainles/raw_bet/{0}_" + name + "_bet" for name in ("t1", "t1c", "t2", "fla")),
    "{0}_brainles/fusion/simple",
)
HDBET = (*("hdbet_brats-space/{0}_hdbet_brats_" + name for name in ("t1", "t1c", "t2", "fla")), "fusion/mav")
PREOP = tuple("preop/sub-{0}_ses-preop_space-sri_" + name for name in ("t1", "t1c", "t2", "flair", "seg"))
PLAIN = ("t1", "t1c", "t2", "flair", "mask")


def write_patient(folder, layout, name=None, more=(), content=None):
    """A folder with a patient's files: empty, or NIfTI of the same small scan."""
    for position, pattern in enumerate((*layout, *more)):
        path = folder / (pattern.format(name or folder.name.removesuffix("_nifti")) + ".nii.gz")
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.touch()
        else:
            write_nifti(path, content[min(position, len(content) - 1)], np.eye(4))
    return folder


def ucsf_table(root, *rows, name="UCSF-PDGM-metadata_v5.csv"):
    """Rows of `(id, idh, 1p/19q)`."""
    lines = [
        f'{patient},M,66,4,"Glioblastoma, IDH-wildtype",negative,0,{codeletion},{idh},1,1303,STR,No,,,'
        for patient, idh, codeletion in rows
    ]
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join([UCSF_HEADER, *lines]) + "\n")
    return root


def tcga_table(root, *rows):
    root.mkdir(parents=True, exist_ok=True)
    lines = [[case, "Glioblastoma multiforme", "glioblastoma", "G4", *markers] for case, *markers in rows]
    write_workbook(root / "mmc2.xlsx", {"S1A. TCGA discovery dataset": [["Table S1. Title"], TCGA_HEADER, *lines]})
    return root


def egd_table(root, *rows, name="Genetic_and_Histological_labels.xlsx"):
    (root / "METADATA").mkdir(parents=True)
    write_workbook(root / "METADATA" / name, {"Sheet1": [["Subject", "IDH", "1p19q", "Grade"], *rows]})
    (root / "METADATA" / "Brain_mask.nii.gz").touch()
    return root


def labels(subjects):
    return {subject.id: subject.label for subject in subjects}


def reasons(left_out):
    return {one.id: one.reason for one in left_out}


@pytest.mark.parametrize(
    ("idh", "codeletion", "label"),
    [
        ("wildtype", "intact", "glioblastoma"),
        ("wildtype", "", "glioblastoma"),
        ("mutant", "intact", "astrocytoma"),
        ("mutant", "codeleted", "oligodendroglioma"),
    ],
)
def test_the_class_follows_from_the_markers(idh, codeletion, label):
    assert who_2021_class(idh, codeletion) == label
    assert label in GLIOMA_CLASSES


@pytest.mark.parametrize(
    ("idh", "codeletion", "reason"),
    [
        ("", "intact", "IDH status is not known"),
        ("", "codeleted", "IDH status is not known"),
        ("mutant", "", "1p/19q status is not known"),
        ("wildtype", "codeleted", "contradict each other"),
    ],
)
def test_markers_that_do_not_tell_the_class_have_a_reason(idh, codeletion, reason):
    with pytest.raises(InputError, match=reason):
        who_2021_class(idh, codeletion)


class TestUcsfPdgm:
    def test_every_spelling_of_the_archive_is_read(self, tmp_path):
        spellings = [
            ("wildtype", "unknown", "glioblastoma"),
            ("wildtype", "intact", "glioblastoma"),
            ("mutated (NOS)", "intact", "astrocytoma"),
            ("IDH1 p.R132H", "intact", "astrocytoma"),
            ("IDH1 p.Arg132His", "intact", "astrocytoma"),
            ("IDH2 p.Arg172Trp", "co-deletion", "oligodendroglioma"),
            ("IDH1 p.R132G", "Co-deletion", "oligodendroglioma"),
            ("IDH2 p.R172K", "relative co-deletion", "oligodendroglioma"),
        ]
        root = ucsf_table(
            tmp_path, *((f"UCSF-PDGM-{number:03d}", *row[:2]) for number, row in enumerate(spellings, start=4))
        )
        for number in range(4, 4 + len(spellings)):
            write_patient(
                root / "UCSF-PDGM-v5" / f"UCSF-PDGM-{number:04d}_nifti", UCSF, more=("{0}_T1_bias", "{0}_ADC")
            )
        subjects, left_out = read_glioma(ucsf=root)
        assert labels(subjects) == {
            f"ucsf-pdgm-{number:04d}": label for number, (*_, label) in enumerate(spellings, start=4)
        }
        assert not left_out
        assert {(subject.site, subject.split) for subject in subjects} == {("UCSF-PDGM", "train")}
        assert {role: path.name for role, path in subjects[0].files.items()} == dict(
            zip((*SEQUENCES, "mask"), (name.format("UCSF-PDGM-0004") + ".nii.gz" for name in UCSF))
        )

    def test_patients_of_unknown_class_are_listed_with_the_reason(self, tmp_path):
        rows = [
            ("UCSF-PDGM-004", "wildtype", "intact"),
            ("UCSF-PDGM-005", "unknown", "intact"),
            ("UCSF-PDGM-007", "mutated (NOS)", "unknown"),
            ("UCSF-PDGM-008", "wildtype", "co-deletion"),
            ("UCSF-PDGM-009", "IDH5 variant", "intact"),
            ("UCSF-PDGM-010", "wildtype", "partly"),
            ("UCSF-PDGM-011", "wildtype", "intact"),
        ]
        root = ucsf_table(tmp_path, *rows)
        for number in (4, 5, 7, 8, 9, 10, 12):
            write_patient(root / f"UCSF-PDGM-{number:04d}_nifti", UCSF)
        (root / "UCSF-PDGM-0013_nifti").mkdir()
        subjects, left_out = read_glioma(ucsf=root)
        assert labels(subjects) == {"ucsf-pdgm-0004": "glioblastoma"}
        expected = {
            "0005": "Its IDH status is not known",
            "0007": "IDH is mutant, but its 1p/19q status is not known",
            "0008": "contradict each other",
            "0009": "row 6: IDH is written 'IDH5 variant', a spelling that is not known",
            "0010": "row 7: 1p/19q is written 'partly'",
            "0011": "row 8 names it, but",
            "0012": "table does not name it",
            "0013": "table does not name it",
        }
        assert [name[-4:] for name in reasons(left_out)] == list(expected)
        for name, reason in reasons(left_out).items():
            assert expected[name[-4:]] in reason

    def test_follow_ups_belong_to_the_patient_of_the_first_scan(self, tmp_path):
        names = {"UCSF-PDGM-429": "0429", "UCSF-PDGM-0429_FU003d": "0429_FU003d", "UCSF-PDGM-138": "0138"}
        root = ucsf_table(tmp_path, *((name, "wildtype", "unknown") for name in names))
        for stem in names.values():
            write_patient(root / f"UCSF-PDGM-{stem}_nifti", UCSF)
        subjects, _ = read_glioma(ucsf=root)
        assert [subject.id[-11:] for subject in subjects] == ["f-pdgm-0138", "f-pdgm-0429", "0429_fu003d"]
        assert {subject.patient for subject in subjects} == {"ucsf-pdgm-0429"}

    def test_corrected_images_are_taken_where_there_are_no_others(self, tmp_path):
        root = ucsf_table(tmp_path, ("UCSF-PDGM-004", "wildtype", "intact"))
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF_BIAS, more=("{0}_brain_segmentation",))
        (subject,), _ = read_glioma(ucsf=root)
        assert subject.files["flair"].name == "UCSF-PDGM-0004_FLAIR_bias.nii.gz"
        assert subject.files["brain"].name == "UCSF-PDGM-0004_brain_segmentation.nii.gz"

    def test_files_may_have_an_id_of_another_width_than_their_folder(self, tmp_path):
        root = ucsf_table(tmp_path, ("UCSF-PDGM-004", "wildtype", "intact"))
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF, name="UCSF-PDGM-004")
        assert set(read_glioma(ucsf=root)[0][0].files) == {*SEQUENCES, "mask"}

    def test_a_missing_sequence_is_left_to_the_recipe_which_names_it(self, tmp_path):
        root = ucsf_table(tmp_path, ("UCSF-PDGM-004", "wildtype", "intact"))
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF)
        (root / "UCSF-PDGM-0004_nifti" / "UCSF-PDGM-0004_T2.nii.gz").unlink()
        (subject,), _ = read_glioma(ucsf=root)
        with pytest.raises(InputError, match=r"ucsf-pdgm-0004 has no t2, .* in .*UCSF-PDGM-0004_nifti"):
            Scan(8)(subject)


class TestEgd:
    ROWS = (["EGD-0001", 0, -1, 4], ["EGD-0002", 1, 0, 2], ["EGD-0003", 1, 1, 3], ["EGD-0004", -1, 0, -1])

    @pytest.mark.parametrize(
        ("layout", "folder"), [(XNAT, "MR_{}"), (EGD_DOWNLOADER, "SUBJECTS/{}"), (XNAT, "EGD/MR_{}/scans")]
    )
    def test_both_ways_to_download_it_are_read(self, tmp_path, layout, folder):
        root = egd_table(tmp_path, *self.ROWS)
        for name, *_ in self.ROWS:
            write_patient(root / folder.format(name), layout)
        subjects, left_out = read_glioma(egd=root)
        assert labels(subjects) == dict(zip(("egd-0001", "egd-0002", "egd-0003"), GLIOMA_CLASSES))
        assert reasons(left_out) == {"egd-0004": "Its IDH status is not known."}
        for subject in subjects:
            assert {role: path.name.removesuffix(".nii.gz") for role, path in subject.files.items()} == dict(
                zip((*SEQUENCES, "mask", "brain"), (*EGD_DOWNLOADER, "Brain_mask"))
            )

    def test_metadata_of_each_patient_serve_where_there_is_no_table(self, tmp_path):
        (tmp_path / "METADATA").mkdir()
        (tmp_path / "METADATA" / "Brain_mask.nii.gz").touch()
        for name, idh, codeletion, grade in self.ROWS:
            folder = write_patient(tmp_path / "SUBJECTS" / name, EGD_DOWNLOADER)
            content = {"Genetic_and_Histological_labels": {"IDH": idh, "1p19q": codeletion, "Grade": grade}}
            (folder / "metadata.json").write_text(json.dumps(content))
        subjects, left_out = read_glioma(egd=tmp_path)
        assert labels(subjects) == dict(zip(("egd-0001", "egd-0002", "egd-0003"), GLIOMA_CLASSES))
        assert reasons(left_out) == {"egd-0004": "Its IDH status is not known."}

    def test_scans_with_a_skull_need_the_brain_mask_of_the_archive(self, tmp_path):
        root = egd_table(tmp_path, *self.ROWS)
        (root / "METADATA" / "Brain_mask.nii.gz").unlink()
        write_patient(root / "MR_EGD-0001", XNAT)
        with pytest.raises(InputError, match=r"EGD still have their skull, but .* holds no Brain_mask\.nii\.gz"):
            read_glioma(egd=root)

    def test_skull_stripped_scans_do_not(self, tmp_path):
        root = egd_table(tmp_path, *self.ROWS)
        write_patient(root / "EGD-0001", BRAINLES)
        (subject,), _ = read_glioma(egd=root)
        assert set(subject.files) == {*SEQUENCES, "mask"}


class TestTcga:
    ROWS = (
        ("TCGA-02-0006", "WT", "non-codel", "IDHwt"),
        ("TCGA-02-0009", "Mutant", "non-codel", "IDHmut-non-codel"),
        ("TCGA-DU-7294", "Mutant", "codel", "IDHmut-codel"),
        ("TCGA-DU-7300", "NA", "NA", "IDHmut-codel"),
        ("TCGA-DU-7301", "NA", "NA", "NA"),
        ("TCGA-DU-7302", "WT", "NA", "IDHmut-codel"),
        ("TCGA-HT-0000", "WT", "NA", "IDHwt"),
    )

    def test_patients_with_images_are_the_test_split(self, tmp_path):
        root = tcga_table(tmp_path, *self.ROWS)
        for name, *_ in self.ROWS[:-1]:
            kind = "GBM" if "-02-" in name else "LGG"
            write_patient(
                root / f"BraTS-TCGA-{kind}/Pre-operative_TCGA_{kind}_NIfTI_and_Segmentations" / name, BRATS_TCGA
            )
        subjects, left_out = read_glioma(tcga=root)
        assert labels(subjects) == {
            "tcga-02-0006": "glioblastoma",
            "tcga-02-0009": "astrocytoma",
            "tcga-du-7294": "oligodendroglioma",
            "tcga-du-7300": "oligodendroglioma",
        }
        assert {(subject.site, subject.split) for subject in subjects} == {("TCGA", "test")}
        assert list(reasons(left_out)) == ["tcga-du-7301", "tcga-du-7302"]
        assert "IDH is wildtype, but its subtype says mutant" in reasons(left_out)["tcga-du-7302"]
        assert subjects[0].files["t1c"].name == "TCGA-02-0006_1996.08.23_t1Gd.nii.gz"

    def test_a_corrected_mask_is_preferred(self, tmp_path):
        root = tcga_table(tmp_path, *self.ROWS)
        write_patient(root / "TCGA-02-0006", BRATS_TCGA, more=("{0}_1996.08.23_GlistrBoost",))
        write_patient(root / "TCGA-02-0009", (*BRATS_TCGA[:4], "{0}_1996.08.23_GlistrBoost"))
        masks = [subject.files["mask"].name for subject in read_glioma(tcga=root)[0]]
        assert ["Corrected" in name for name in masks] == [True, False]

    def test_the_table_of_tcgabiolinks_is_read(self, tmp_path):
        (tmp_path / "subtypes.csv").write_text(
            "patient,paper_IDH.status,paper_X1p.19q.codeletion,paper_IDH.codel.subtype\n"
            "TCGA-02-0006,Mutant,codel,IDHmut-codel\n"
        )
        write_patient(tmp_path / "TCGA-02-0006", BRATS_TCGA)
        assert labels(read_glioma(tcga=tmp_path)[0]) == {"tcga-02-0006": "oligodendroglioma"}


@pytest.mark.parametrize("layout", [BRAINLES, HDBET, PREOP, PLAIN])
def test_what_preprocessors_write_is_read_for_each_archive(tmp_path, layout):
    ucsf = ucsf_table(tmp_path / "ucsf", ("UCSF-PDGM-004", "wildtype", "unknown"))
    egd_root = egd_table(tmp_path / "egd", *TestEgd.ROWS)
    tcga_root = tcga_table(tmp_path / "tcga", *TestTcga.ROWS)
    # A scan with a tumour, which the recipe can work on.
    image = np.zeros((8, 8, 8), np.float32)
    image[1:-1, 1:-1, 1:-1] = np.random.default_rng(0).uniform(1, 9, (6, 6, 6))
    mask = np.zeros((8, 8, 8), np.uint8)
    mask[3:5, 3:5, 3:5] = 1
    for folder in (ucsf / "ucsf-pdgm-0004", egd_root / "EGD-0003", tcga_root / "TCGA-DU-7294"):
        write_patient(folder, layout, content=(image, image, image, image, mask))
    subjects, _ = read_glioma(ucsf=ucsf, egd=egd_root, tcga=tcga_root)
    assert labels(subjects) == {
        "ucsf-pdgm-0004": "glioblastoma",
        "egd-0003": "oligodendroglioma",
        "tcga-du-7294": "oligodendroglioma",
    }
    for subject in subjects:
        array = Scan(8)(subject)
        np.testing.assert_allclose(
            array[..., 0], np.where(image, (image - image[image > 0].min()) / np.ptp(image[image > 0]), 0), atol=2**-11
        )


def test_segmentations_may_lie_apart_from_the_images(tmp_path):
    root = tcga_table(tmp_path, *TestTcga.ROWS)
    write_patient(root / "output_preprocessor_batch" / "TCGA-02-0006", HDBET[:4])
    write_patient(root / "output_fusionator" / "TCGA-02-0006", ("simple", "mav"))
    (subject,), _ = read_glioma(tcga=root)
    assert subject.files["mask"] == root / "output_fusionator" / "TCGA-02-0006" / "simple.nii.gz"
    assert set(subject.files) == {*SEQUENCES, "mask"}


def test_sequences_may_be_folders_of_dicom(tmp_path):
    root = tcga_table(tmp_path, *TestTcga.ROWS)
    for name in SEQUENCES:
        (root / "TCGA-02-0006" / name).mkdir(parents=True)
    (root / "TCGA-02-0006" / "seg.nii.gz").touch()
    (subject,), _ = read_glioma(tcga=root)
    assert subject.files["flair"] == root / "TCGA-02-0006" / "flair"


def test_two_copies_of_a_scan_are_not_guessed_between(tmp_path):
    root = tcga_table(tmp_path, *TestTcga.ROWS)
    for copy in ("a", "b"):
        write_patient(root / copy / "TCGA-02-0006", BRATS_TCGA)
    write_patient(root / "TCGA-02-0009", BRATS_TCGA)
    _, left_out = read_glioma(tcga=root)
    assert "Two files may be the t1" in reasons(left_out)["tcga-02-0006"]


class TestRefusals:
    def test_no_archive(self):
        with pytest.raises(InputError, match="At least one of the archives"):
            read_glioma()

    def test_no_folder_or_no_patient(self, tmp_path):
        with pytest.raises(InputError, match=r"The folder .*nowhere does not exist"):
            read_glioma(egd=tmp_path / "nowhere")
        with pytest.raises(InputError, match=r"No folder in .* is named as a patient of TCGA"):
            read_glioma(tcga=ucsf_table(tmp_path, ("UCSF-PDGM-004", "wildtype", "intact")))

    def test_no_table_and_one_that_cannot_be_read(self, tmp_path):
        write_patient(tmp_path / "UCSF-PDGM-0004_nifti", UCSF)
        with pytest.raises(InputError, match=r"No table with the markers of UCSF-PDGM .* idh \(IDH\), codeletion"):
            read_glioma(ucsf=tmp_path)
        (tmp_path / "UCSF-PDGM-metadata_v2.xlsx").write_bytes(b"cut")
        with pytest.raises(InputError, match=r"metadata_v2\.xlsx cannot be read as an Excel workbook"):
            read_glioma(ucsf=tmp_path)

    def test_two_tables_unless_one_is_named(self, tmp_path):
        root = ucsf_table(tmp_path, ("UCSF-PDGM-004", "wildtype", "intact"))
        ucsf_table(root, ("UCSF-PDGM-004", "mutated (NOS)", "intact"), name="UCSF-PDGM-metadata_v2.csv")
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF)
        with pytest.raises(InputError, match=r"Several tables .*metadata_v2\.csv, .*metadata_v5\.csv\): keep one"):
            read_glioma(ucsf=root)
        subjects, _ = read_glioma(ucsf=root, tables={"ucsf": root / "UCSF-PDGM-metadata_v2.csv"})
        assert labels(subjects) == {"ucsf-pdgm-0004": "astrocytoma"}

    def test_a_named_table_without_the_columns_or_for_no_archive(self, tmp_path):
        root = ucsf_table(tmp_path, ("UCSF-PDGM-004", "wildtype", "intact"))
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF)
        (root / "other.csv").write_text("ID,Age\nUCSF-PDGM-004,5\n")
        with pytest.raises(InputError, match=r"other\.csv must have the columns of UCSF-PDGM: ID, IDH, 1p/19q"):
            read_glioma(ucsf=root, tables={"ucsf": root / "other.csv"})
        with pytest.raises(InputError, match="A table is given for egd, but no folder"):
            read_glioma(ucsf=root, tables={"egd": root / "other.csv"})

    def test_a_patient_with_two_labels(self, tmp_path):
        rows = [("UCSF-PDGM-004", "wildtype", "intact"), ("UCSF-PDGM-0004", "mutated (NOS)", "intact")]
        root = ucsf_table(tmp_path, *rows)
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF)
        with pytest.raises(InputError, match=r"row 3 gives UCSF-PDGM-0004 other markers than .* row 2: keep one"):
            read_glioma(ucsf=root)

    def test_nobody_can_be_used(self, tmp_path):
        root = ucsf_table(tmp_path, ("UCSF-PDGM-004", "unknown", "intact"))
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF)
        with pytest.raises(InputError, match=r"None of the 1 patients of UCSF-PDGM .* IDH status is not known"):
            read_glioma(ucsf=root)

    def test_files_of_an_unknown_layout_are_spoken_of(self, tmp_path):
        root = ucsf_table(tmp_path, ("UCSF-PDGM-004", "wildtype", "intact"), ("UCSF-PDGM-005", "wildtype", "intact"))
        write_patient(root / "UCSF-PDGM-0004_nifti", UCSF)
        write_patient(root / "UCSF-PDGM-0005_nifti", ("something",))
        _, left_out = read_glioma(ucsf=root)
        assert "is named as a scan of a known layout" in reasons(left_out)["ucsf-pdgm-0005"]


@pytest.mark.parametrize("module", [ucsf_pdgm, egd, tcga])
def test_folders_that_are_no_patients_are_not_taken_for_one(module):
    names = (
        "METADATA",
        "UCSF-PDGM-v5",
        "BraTS-TCGA-GBM",
        "TCGA-GBM",
        "SUBJECTS",
        "EGD",
        "1_T1",
        "TCGA-DU-7294_brainles",
    )
    assert not [name for name in names if module.identify(name)]
