"""What follows the training of a classifier: predictions, floors, features, scores, report; all from a saved model."""

import keras
import numpy as np

from imbclf.data import open_images
from imbclf.data.windows import Windows
from imbclf.errors import InputError
from imbclf.evaluation import (
    Predictions,
    evaluate_run,
    floors,
    map_features,
    write_features,
    write_floors,
    write_predictions,
    write_report,
)
from imbclf.evaluation.run_files import require
from imbclf.files import read_json
from imbclf.sampling import UniformBatches


def finish(run, config, dataset):
    """Predict every image with the chosen epoch, then write predictions, floors, features, scores and report.

    Args:
        run: a `RunFolder` with `best.keras` and `last.keras`.
        config: its `Config`.
        dataset: its data, every image in a split.
    """
    network = run.load_chosen(config)
    probabilities, features = predict_images(network, dataset.images, config.training.batch_size)
    predictions = Predictions(
        dataset.ids, dataset.split, dataset.y, probabilities, dataset.class_names, dataset.patients
    )
    write_predictions(run / "predictions.csv", predictions)
    train, test = (dataset.indices(split) for split in ("train", "test"))
    linear = {}
    if config.evaluation.floors:
        images = dataset.select(train).images, dataset.select(test).images
        linear = floors(images[0], dataset.y[train], images[1], dataset.num_classes, seed=config.seed)
    write_floors(run / "floors.csv", predictions.select("test"), linear)
    chart = {}
    if config.evaluation.tsne:
        points = config.evaluation.tsne_points
        chart["tsne"] = map_features(features, dataset.split, dataset.y, points, seed=config.seed)
    write_features(run.path, features, dataset.ids, dataset.split, dataset.y, **chart)
    evaluate_run(run.path, repeats=config.evaluation.bootstrap)
    write_report(run.path)


def predict_images(model, images, batch_size=50):
    """Probabilities `(n, K)` and features `(n, d)` of images, float32, in their order."""
    both = keras.Model(model.inputs, [model.outputs[0], model.get_layer("features").output])
    batches = UniformBatches(images, np.zeros(len(images), int), batch_size, shuffle=False)
    probabilities, features = both.predict(batches, verbose=0)
    if probabilities.shape[1] == 1:
        probabilities = np.concatenate([1 - probabilities, probabilities], axis=1)
    return probabilities.astype("float32"), features.astype("float32")


def predict(run, config, source):
    """Probabilities for images that have no labels: an image, a folder of images, or the arrays of an .npz.

    Args:
        run: the `RunFolder` whose model predicts.
        config: its `Config`.
        source: path of a PNG or JPEG, of a folder of them, or of an .npz with one array of images or a MedMNIST file.

    Returns:
        `(ids, probabilities, class_names)`.
    """
    model = run.load_chosen(config)
    *space, channels = model.input_shape[1:]
    ids, images = open_images(source, config.data.image_size, config.data.channels and channels, rank=len(space))
    if config.data.window is not None:
        images = Windows(images, config.data.window)
    if tuple(images.shape[1:]) != tuple(model.input_shape[1:]):
        raise InputError(
            f"{source} holds images of shape {tuple(images.shape[1:])}; the model of {run.path} takes "
            f"{tuple(model.input_shape[1:])}."
        )
    names = read_json(require(run.path, "training.json"))["class_names"]
    return ids, predict_images(model, images, config.training.batch_size)[0], names
