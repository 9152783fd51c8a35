"""The verb that makes arrays and an index, or phantoms: `imbclf prepare WHAT`."""

from pathlib import Path

from imbclf.cli.parsing import add_verb_of_options
from imbclf.errors import InputError

INCOMPLETE = 1


def add_verbs(verbs):
    """Add `prepare`, with a word for each thing that can be prepared."""
    description = "make arrays and an index from downloaded archives, or phantoms in the layout of the archives"
    prepare = verbs.add_parser("prepare", help=description, description=f"{description.capitalize()}.")
    kinds = prepare.add_subparsers(title="what", required=True, metavar="WHAT")
    _add_glaucoma(kinds)
    _add_glioma(kinds)
    _add_phantoms(kinds)


def _add_glaucoma(kinds):
    glaucoma = _kind(kinds, "glaucoma", _prepare_glaucoma, "fundus photographs: Ahn et al. 2018, or a table of yours")
    glaucoma.add_argument("--source", required=True, type=Path, metavar="DIR", help="folder of the photographs")
    glaucoma.add_argument("--train-csv", type=Path, metavar="CSV", help="published list of the training photographs")
    glaucoma.add_argument("--test-csv", type=Path, metavar="CSV", help="published list of the test photographs")
    glaucoma.add_argument("--table", type=Path, metavar="CSV", help="paths, labels and patients of other photographs")
    glaucoma.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help="of the table: patient=subject; patient= for none",
    )
    glaucoma.add_argument("--class-names", metavar="A,B,C", help="classes of the table in order")
    glaucoma.add_argument("--test", type=float, default=0.25, help="share of the table for test (default 0.25)")
    glaucoma.add_argument("--allow-mixed-patients", action="store_true", help="accept a patient with two labels")
    glaucoma.add_argument("--allow-patient-overlap", action="store_true", help="accept a patient in two splits")
    glaucoma.add_argument(
        "--conflicts",
        choices=("refuse", "leave_out"),
        default="refuse",
        help="an image in two classes (default refuse)",
    )
    glaucoma.add_argument("--size", type=int, default=240, help="side of the arrays in pixels (default 240)")
    glaucoma.add_argument(
        "--crop", choices=("none", "square"), default="none", help="of photographs that are not square"
    )
    glaucoma.add_argument("--seed", type=int, default=0, help="of the division into training and test (default 0)")


def _add_glioma(kinds):
    glioma = _kind(kinds, "glioma", _prepare_glioma, "MRI of UCSF-PDGM, the Erasmus Glioma Database and TCGA (test)")
    for archive, name in (("ucsf", "UCSF-PDGM"), ("egd", "the Erasmus Glioma Database"), ("tcga", "TCGA")):
        glioma.add_argument(f"--{archive}", type=Path, metavar="DIR", help=f"folder of {name}")
        glioma.add_argument(f"--{archive}-table", type=Path, metavar="FILE", help="its markers, if not in that folder")
    glioma.add_argument("--size", type=int, default=96, help="side of the cube around the tumour (default 96)")
    glioma.add_argument(
        "--percentiles", type=float, nargs=2, default=(0.0, 100.0), metavar=("LOW", "HIGH"), help="that become 0 and 1"
    )
    glioma.add_argument("--figure", type=Path, metavar="PNG", help="draw the first patient: sequences, tumour, cube")


def _add_phantoms(kinds):
    phantom = _kind(kinds, "phantom-glaucoma", _phantom_glaucoma, "synthetic fundus photographs, laid out as Ahn's")
    phantom.add_argument("--count", type=int, default=600, help="number of photographs (default 600)")
    phantom.add_argument("--size", type=int, default=240, help="their side in pixels (default 240)")
    phantom.add_argument("--seed", type=int, default=0, help="of the drawing (default 0)")
    phantom = _kind(kinds, "phantom-glioma", _phantom_glioma, "synthetic four-sequence MRI, laid out as the archives")
    phantom.add_argument("--count", type=int, default=200, help="number of patients (default 200)")
    phantom.add_argument("--side", type=int, default=64, help="side of the volumes in voxels (default 64)")
    phantom.add_argument("--seed", type=int, default=0, help="of the drawing (default 0)")


def _kind(kinds, name, function, description):
    kind = add_verb_of_options(kinds, name, function, description)
    kind.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to make")
    kind.add_argument("--workers", type=int, default=1, help="processes that work at once (default 1)")
    return kind


def _prepare_glaucoma(options):
    from imbclf.data.preparation import fundus

    lists = options.train_csv, options.test_csv
    if options.table is None:
        subjects, left_out = fundus.read_ahn(options.source, *lists, seed=options.seed, conflicts=options.conflicts)
        class_names = fundus.CLASS_NAMES
    elif any(lists):
        raise InputError("--train-csv and --test-csv are lists of Ahn's photographs: leave them away with --table.")
    else:
        names = options.class_names.split(",") if options.class_names else None
        subjects, left_out = fundus.read_fundus_table(
            options.source,
            options.table,
            columns=_columns(options.column),
            class_names=names,
            test=options.test,
            seed=options.seed,
            conflicts=options.conflicts,
            allow_mixed_patients=options.allow_mixed_patients,
            allow_patient_overlap=options.allow_patient_overlap,
        )
        class_names = names or fundus.class_names_of(subjects)
    recipe = fundus.Photograph(size=options.size, crop=options.crop)
    return _prepare(options, subjects, left_out, recipe, class_names)


def _columns(pairs):
    """{role: column or None} from `role=column` and `role=`."""
    for pair in pairs:
        if "=" not in pair:
            raise InputError(f"--column takes ROLE=NAME, such as patient=subject_id, not {pair!r}.")
    return {role: name or None for role, name in (pair.split("=", 1) for pair in pairs)} or None


def _prepare_glioma(options):
    from imbclf.data.preparation.mri import GLIOMA_CLASSES, Scan, read_glioma

    tables = {archive: getattr(options, f"{archive}_table") for archive in ("ucsf", "egd", "tcga")}
    tables = {archive: table for archive, table in tables.items() if table}
    subjects, left_out = read_glioma(options.ucsf, options.egd, options.tcga, tables)
    recipe = Scan(size=options.size, percentiles=tuple(options.percentiles))
    if options.figure and subjects and not options.dry_run:
        from imbclf.data.preparation.mri.figure import draw_preparation

        print(f"figure: {draw_preparation(subjects[0], options.figure, recipe)}")
    return _prepare(options, subjects, left_out, recipe, GLIOMA_CLASSES)


def _prepare(options, subjects, left_out, recipe, class_names):
    from imbclf.data.preparation import plan, prepare

    if options.dry_run:
        print(plan(subjects, recipe, options.out, class_names, left_out))
        return 0
    outcome = prepare(subjects, recipe, options.out, class_names, left_out, options.workers)
    print(outcome)
    return INCOMPLETE if outcome.failed else 0


def _phantom_glaucoma(options):
    from imbclf.data.phantoms import plan_phantom_glaucoma, write_phantom_glaucoma

    if options.dry_run:
        print(plan_phantom_glaucoma(options.out, options.count, options.size, options.seed))
        return
    print(write_phantom_glaucoma(options.out, options.count, options.size, options.seed, options.workers))


def _phantom_glioma(options):
    from imbclf.data.phantoms import plan_phantom_glioma, write_phantom_glioma

    if options.dry_run:
        print(plan_phantom_glioma(options.out, options.count, options.side, options.seed))
        return
    print(write_phantom_glioma(options.out, options.count, options.side, options.seed, options.workers))
