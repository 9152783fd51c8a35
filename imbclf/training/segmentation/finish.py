"""What follows the training of a segmentation network: masks, scores of every case, pictures, the report."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from imbclf.data import normalize_image, read_volume, write_nifti
from imbclf.data.volume_file import is_nifti
from imbclf.errors import InputError
from imbclf.evaluation import (
    evaluate_segmentation,
    montage,
    montage_cases,
    score_case,
    write_cases,
    write_segmentation_report,
)
from imbclf.evaluation.run_files import require
from imbclf.files import read_json, write_bytes
from imbclf.models import predict_sliding_window


def finish(run, config, dataset):
    """Segment every validation and test case with the chosen epoch; write scores, masks, pictures and report.

    Args:
        run: a `RunFolder` with `best.keras` and `last.keras`.
        config: its `SegmentationConfig`.
        dataset: its cases, every one in a split.
    """
    model = run.load_chosen(config)
    rows = []
    for split in ("val", "test"):
        for i in dataset.indices(split):
            case = dataset.case(i)
            predicted = segment(model, case.image, config)
            scores = _score(case, predicted, config, dataset)
            rows += [{"id": case.id, "split": split, **row} for row in scores]
            if split == "test" and config.evaluation.save_predictions:
                write_mask(run / "masks" / _file_name(case), predicted, case.path, case.affine)
    write_cases(run / "cases.csv", rows)
    _draw(run, config, dataset, model, [row for row in rows if row["split"] == "test"])
    evaluate_segmentation(run.path, repeats=config.evaluation.bootstrap)
    write_segmentation_report(run.path)


def segment(model, image, config):
    """The class of every voxel of an image `(*space, channels)` of any size, int32 `(*space)`."""
    probabilities = predict_sliding_window(
        model,
        image,
        model.input_shape[1:-1],
        overlap=config.evaluation.overlap,
        weighting=config.evaluation.weighting,
        batch_size=config.training.batch_size,
    )
    return probabilities.argmax(axis=-1).astype("int32")


def predict(run, config, source, output):
    """Masks for images that have none: NIfTI or PNG files, or a folder of them, into a folder.

    Args:
        run: the `RunFolder` whose model predicts.
        config: its `SegmentationConfig`.
        source: an image file or a folder of them.
        output: folder for the masks, which get the names of the images; NIfTI masks get their affine.

    Returns:
        Rows `(id, voxels of each class)`, and the class names.
    """
    source, output = Path(source), Path(output)
    if source.is_dir():
        files = sorted(path for path in source.iterdir() if path.name.endswith(ENDINGS))
    elif source.is_file():
        files = [source]
    else:
        raise InputError(f"There is no image or folder {source}.")
    if not files:
        raise InputError(f"{source} holds no image; expected files that end in {', '.join(ENDINGS)}.")
    model = run.load_chosen(config)
    names = read_json(require(run.path, "training.json"))["class_names"]
    *space, channels = model.input_shape[1:]
    rows = []
    for path in files:
        volume = read_volume(path)
        if volume.array.ndim != len(space) + 1 or volume.array.shape[-1] != channels:
            raise InputError(
                f"{path} has shape {volume.array.shape}; the model of {run.path} takes {len(space)} axes and "
                f"{channels} channels."
            )
        mask = segment(model, normalize_image(volume.array, config.data.normalize), config)
        written = path.name if is_nifti(path) else f"{path.stem}.png"
        write_mask(output / written, mask, path, volume.affine)
        rows.append((path.name, np.bincount(mask.ravel(), minlength=len(names)).tolist()))
    return rows, names


ENDINGS = (".nii.gz", ".nii", ".png", ".jpg", ".jpeg")


def write_mask(path, mask, image_path, affine):
    """Write a mask: as NIfTI with the affine of its image, or as PNG in 2D."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = mask.astype("uint8" if mask.max() < 256 else "uint16")
    if mask.ndim == 2 and path.suffix == ".png":
        buffer = io.BytesIO()
        Image.fromarray(mask).save(buffer, format="PNG")
        return write_bytes(path, buffer.getvalue())
    where = {"reference": image_path} if is_nifti(image_path) else {"affine": affine}
    return write_nifti(path, mask, **where)


def _file_name(case):
    name = Path(case.path).name if case.path is not None else case.id
    if is_nifti(name):
        return name
    return f"{Path(name).stem if case.path is not None else name}{'.png' if case.mask.ndim == 2 else '.nii.gz'}"


def _score(case, predicted, config, dataset):
    return score_case(
        case.mask,
        predicted,
        dataset.class_names,
        # Only NIfTI says how large a voxel is in mm; elsewhere distances are in voxels.
        spacing=case.spacing if is_nifti(case.path) else None,
        tolerance=config.evaluation.tolerance,
        ignore_class=dataset.ignore_class,
    )


def _draw(run, config, dataset, model, rows):
    """The worst, the median and the best test case, segmented once more rather than all kept in memory."""
    position = {id: i for i, id in enumerate(dataset.ids)}
    drawn = []
    for id in montage_cases(rows).values():
        case = dataset.case(position[id])
        predicted = segment(model, case.image, config)
        drawn.append(
            (id, case.image[..., 0], case.mask, predicted, case.spacing, [row for row in rows if row["id"] == id])
        )
    if drawn:
        (run / "figures").mkdir(exist_ok=True)
        montage(run / "figures" / "montage.png", drawn)
