"""The schema of a configuration: every key, its type, its default, and what it means."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from imbclf.published_chains import PUBLISHED_CHAINS, published_layers


class Section(BaseModel):
    """Base of all sections: an unknown key is an error, a number is not taken for a string."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Named(Section):
    """A class of the package by name, with its options: `CEPlusF1`, or `{name: Focal, gamma: 3}`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def options(self):
        """The options, to be passed to the class."""
        return dict(self.model_extra)


def _named(value):
    return {"name": value} if isinstance(value, str) else value


OneNamed = Annotated[Named, BeforeValidator(_named)]


def _layers_of_chain(value):
    if not isinstance(value, str):
        return value
    if value not in PUBLISHED_CHAINS:
        known = ", ".join(PUBLISHED_CHAINS)
        raise PydanticCustomError("chain", f"input should be a list of layers or a published chain ({known})")
    return published_layers(value)


Chain = Annotated[list[OneNamed], BeforeValidator(_layers_of_chain)]


class Division(Section):
    """How data are divided where they do not say it themselves."""

    root: str | None = Field(None, description="folder of the data, or the file itself")
    class_names: list[str] | None = Field(None, description="the classes in order; see the readers for the default")
    validation: float = Field(0.15, gt=0, lt=1, description="share of the training images where no split names any")
    test: float = Field(0.2, gt=0, lt=1, description="share of all images where no split names any")
    split_seed: int = Field(0, ge=0, description="of the division; kept apart from the seed of the training")
    split: str | None = Field(None, description="a split.csv to follow instead of dividing")
    test_site: str | list[str] | None = Field(None, description="site or sites that become the test split")
    folds: int | None = Field(None, ge=2, description="divide into this many folds, one of which is the test split")
    fold: int = Field(0, ge=0, description="the fold to test on, from 0")
    repeat: int = Field(0, ge=0, description="which of the repeated divisions into folds, from 0")
    inner_folds: int | None = Field(None, ge=2, description="folds of the other samples, one of which is validation")
    inner_fold: int = Field(0, ge=0, description="the inner fold to validate on, from 0")
    allow_patient_overlap: bool = Field(False, description="accept a patient in two splits")
    allow_duplicate_images: bool = Field(False, description="accept an identical image in two splits")


class Data(Division):
    """What is read, and how it is divided."""

    index: str | dict[str, str] | None = Field(
        None, description=".npz or .csv in root, or one .csv per split; none for a folder per class"
    )
    format: Literal["auto", "npz", "csv", "folder", "digits"] = Field("auto", description="auto goes by the index")
    image_size: int | tuple[int, int] | None = Field(None, description="resize image files to (height, width)")
    channels: Literal[1, 3] | None = Field(None, description="read image files as grey (1) or colour (3)")
    window: int | list[int] | None = Field(
        None, description="window read of each image: at random in training, centred otherwise"
    )


class Model(Section):
    """The network."""

    name: Literal["ResNet34"] = Field("ResNet34", description="2D or 3D goes by the images")
    width: int = Field(64, ge=1, description="channels of the first stage; the features have 8 times as many")
    stem: Literal["auto", "small", "medium", "large"] = Field("auto", description="see imbclf.models.ResNet34")
    dropout: float = Field(0.0, ge=0, lt=1, description="rate between features and head")
    momentum: float = Field(0.9, gt=0, lt=1, description="of the moving batch statistics")


class Sampling(Section):
    """Which image goes in which batch, and what it weighs."""

    batches: Literal["uniform", "balanced"] = Field("uniform", description="balanced: equal portions for each class")
    class_weight: Literal["none", "inverse", "idf", "sqrt", "effective"] = Field(
        "none", description="weight of each sample by its class"
    )


class Training(Section):
    """How it is trained."""

    epochs: int = Field(250, ge=1, description="passes over the data")
    batch_size: int = Field(50, ge=1, description="images per step")
    learning_rate: float = Field(1e-3, gt=0, description="of Adam at the start; a cosine takes it to 0")
    warmup_epochs: int = Field(0, ge=0, description="epochs of linear rise before the cosine")
    weight_decay: float | None = Field(None, ge=0, description="decoupled weight decay; none by default")
    select: Literal["best", "last"] = Field(
        "best", description="best: the epoch of greatest validation balanced accuracy"
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32", description="of the network; losses and sums stay in float32"
    )
    deterministic: bool = Field(True, description="only operations that give the same bits every time")
    workers: int = Field(1, ge=1, description="threads that read images")


class Evaluation(Section):
    """What is computed after training."""

    bootstrap: int = Field(1000, ge=0, description="resamples behind each interval")
    floors: bool = Field(True, description="majority class, and PCA with logistic regression, on the same split")
    tsne: bool = Field(True, description="feature map of training and test images")
    tsne_points: int = Field(2000, ge=10, description="images in the map at most, drawn by class")


class Thin(Section):
    """A class made rarer, for a study."""

    name: str = Field(description="of the class")
    share: float = Field(gt=0, le=1, description="of the training cases that keep it; it is ignored in the others")
    seed: int = Field(0, ge=0, description="of the choice of cases")


class SegmentationData(Division):
    """What is read, and how it is divided."""

    index: str | None = Field(None, description=".csv in root with path,mask; none for images/ and labels/")
    format: Literal["auto", "folder", "csv", "shapes"] = Field("auto", description="auto goes by the index")
    normalize: Literal["zscore", "minmax", "none"] = Field("zscore", description="of each image and channel")
    ignore_class: int | None = Field(None, description="label that does not count")
    thin: Thin | None = Field(None, description="keep the labels of a class in a share of the training cases only")


class SegmentationModel(Section):
    """The network."""

    name: Literal["UNet34"] = Field("UNet34", description="2D or 3D goes by the images")
    width: int = Field(32, ge=1, description="channels of the first stage")
    stem: Literal["auto", "small", "medium", "large"] = Field("auto", description="see imbclf.models.UNet34")
    dropout: float = Field(0.0, ge=0, lt=1, description="rate on the deepest features")
    momentum: float = Field(0.9, gt=0, lt=1, description="of the moving batch statistics")
    deep_supervision: int = Field(0, ge=0, description="further outputs at lower resolution while training")


class Patches(Section):
    """Which windows of the cases are trained on."""

    size: int | list[int] = Field(64, description="voxels along every axis, or along each")
    per_epoch: int | None = Field(None, ge=1, description="windows in an epoch; one per case without it")
    foreground: float = Field(0.5, ge=0, le=1, description="share centred on a voxel of a foreground class")
    flips: list[int] = Field([], description="axes along which windows are mirrored at random")


class SegmentationTraining(Training):
    """How it is trained."""

    batch_size: int = Field(2, ge=1, description="windows per step")
    select: Literal["best", "last"] = Field("best", description="best: the epoch of greatest validation Dice")


class SegmentationEvaluation(Section):
    """What is computed after training."""

    bootstrap: int = Field(1000, ge=0, description="resamples of the cases behind each interval")
    overlap: float = Field(0.5, ge=0, lt=1, description="of neighbouring windows, as a share of their sides")
    weighting: Literal["gaussian", "constant"] = Field(
        "gaussian", description="of a window's voxels where they overlap"
    )
    tolerance: float = Field(1.0, ge=0, description="of the normalized surface distance, in mm")
    save_predictions: bool = Field(True, description="write the predicted masks of the test cases")


class Config(Section):
    """One run of any task. `imbclf train --print-config` shows it with every default."""

    name: str = Field("run", min_length=1, description="of the run, for reports")
    task: str = Field("classification", description="classification or segmentation")
    output: str = Field("runs/{name}-seed{seed}", description="run folder; {name} and {seed} are filled in")
    seed: int = Field(0, ge=0, description="of weights, batches and augmentation")
    data: Section
    model: Section
    loss: OneNamed
    augment: Chain = Field([], description="layers of imbclf.augment in order, or glaucoma or glioma as published")
    training: Training = Training()
    evaluation: Section

    @property
    def run_dir(self):
        """The run folder, with name and seed filled in."""
        return Path(self.output.replace("{name}", self.name).replace("{seed}", str(self.seed)))

    def to_yaml(self):
        """The configuration with every default, as YAML that `load_config` reads back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


class ClassificationConfig(Config):
    """A run that trains a classifier."""

    task: Literal["classification"] = "classification"
    data: Data = Data()
    model: Model = Model()
    loss: OneNamed = Named(name="CEPlusF1")
    sampling: Sampling = Sampling()
    evaluation: Evaluation = Evaluation()


class SegmentationConfig(Config):
    """A run that trains a network for a class of every voxel."""

    task: Literal["segmentation"] = "segmentation"
    data: SegmentationData = SegmentationData()
    model: SegmentationModel = SegmentationModel()
    loss: OneNamed = Named(name="CEPlusDice")
    patches: Patches = Patches()
    training: SegmentationTraining = SegmentationTraining()
    evaluation: SegmentationEvaluation = SegmentationEvaluation()


TASKS = {"classification": ClassificationConfig, "segmentation": SegmentationConfig}
