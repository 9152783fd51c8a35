"""The verbs that fetch and check data."""

import json
import sys
from pathlib import Path

from imbclf.cli.parsing import add_verb_of_options

PUBLISHED = "published"


def add_verbs(verbs):
    """Add `download` and `check`."""
    download = add_verb_of_options(
        verbs, "download", _download, "fetch a MedMNIST file from where its authors publish it"
    )
    download.add_argument("name", metavar="NAME", help="of the set, such as retinamnist or adrenalmnist3d")
    download.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the file")
    download.add_argument("--size", type=int, default=28, help="side of the images (default 28)")
    download.add_argument("--base-url", metavar="URL", help="of a mirror, in place of the authors' own")
    download.add_argument("--overwrite", action="store_true", help="replace a file of that name which is another")

    check = add_verb_of_options(
        verbs, "check", _check, "say what is wrong with data: leakage, duplicates, damage, outliers"
    )
    check.add_argument("index", type=Path, metavar="INDEX", help="CSV file, folder per class, or MedMNIST .npz")
    check.add_argument("--root", type=Path, metavar="DIR", help="folder that its paths start from (default: its own)")
    check.add_argument("--full", action="store_true", help="open every image, not a sample of them")
    check.add_argument("--sample", type=int, default=500, help="number of images to open (default 500)")
    check.add_argument("--seed", type=int, default=0, help="of the sample (default 0)")
    check.add_argument("--workers", type=int, default=1, help="images opened at the same time (default 1)")
    check.add_argument("--figure", type=Path, metavar="PNG", help="draw the classes of each split and site")
    check.add_argument("--json", type=Path, metavar="FILE", help="write the findings for programs")
    check.add_argument(
        "--augment",
        nargs="?",
        const=PUBLISHED,
        metavar="CHAIN",
        help="draw what augmentation makes of images: glaucoma, glioma, or that of a .yaml file; without a word the "
        "published one for such images",
    )
    check.add_argument(
        "--sheet", type=Path, default=Path("augmentation.png"), metavar="PNG", help="where (default augmentation.png)"
    )


def _download(options):
    from imbclf.data.download import download_medmnist, published_file

    if options.dry_run:
        file = published_file(options.name, options.out, options.size, options.base_url)
        print(
            f"{file.url} -> {file.path} (MD5 {file.digest}; {'there already' if file.path.exists() else 'not there'})"
        )
        return
    print(download_medmnist(options.name, options.out, options.size, options.base_url, options.overwrite))


def _check(options):
    from imbclf.data.checking import check_index

    report = check_index(
        options.index,
        options.root,
        options.sample,
        options.full,
        options.seed,
        options.workers,
        None if options.dry_run else options.figure,
        stream=sys.stderr,
    )
    print(report.text())
    if options.dry_run:
        return report.exit_status
    if options.json:
        report.write(options.json)
    if options.augment:
        print(f"augmentation: {_draw_augmentation(options)}")
    return report.exit_status


def _draw_augmentation(options):
    """A sheet of images of each class beside draws of the augmentation of a published chain or a configuration."""
    from imbclf.training.config import check_name, load_config
    from imbclf.training.schema import PUBLISHED_CHAINS, ClassificationConfig

    index = options.index.expanduser().resolve()
    root = options.root or (index if index.is_dir() else index.parent)
    where = {"root": str(root), "index": None if index.is_dir() else str(index)}
    # Leakage has been reported; it does not change what images look like.
    where |= {"allow_patient_overlap": True, "allow_duplicate_images": True}
    if options.augment.endswith((".yaml", ".yml")):
        config = load_config(options.augment, [f"data.{key}={json.dumps(value)}" for key, value in where.items()])
    elif options.augment == PUBLISHED:
        config = ClassificationConfig(data=where)
    else:
        chain = check_name(options.augment, PUBLISHED_CHAINS, "augmentation")
        config = ClassificationConfig(data=where, augment=chain)
    from imbclf.training.classification import draw_augmentation

    return draw_augmentation(config, options.sheet, published=options.augment == PUBLISHED)
