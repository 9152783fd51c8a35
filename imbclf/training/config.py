"""The typed configuration of a run: a YAML file, overrides from the command line, and errors that name the key."""

import difflib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from imbclf.errors import InputError


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


class Data(Section):
    """What is read, and how it is divided."""

    root: str | None = Field(None, description="folder of the data, or the .npz or .csv file itself")
    index: str | dict[str, str] | None = Field(
        None, description=".npz or .csv in root, or one .csv per split; none for a folder per class"
    )
    format: Literal["auto", "npz", "csv", "folder", "digits"] = Field("auto", description="auto goes by the index")
    image_size: int | tuple[int, int] | None = Field(None, description="resize image files to (height, width)")
    channels: Literal[1, 3] | None = Field(None, description="read image files as grey (1) or colour (3)")
    class_names: list[str] | None = Field(None, description="the classes in order; sorted names without it")
    validation: float = Field(0.15, gt=0, lt=1, description="share of the training images where no split names any")
    test: float = Field(0.2, gt=0, lt=1, description="share of all images where no split names any")
    split_seed: int = Field(0, ge=0, description="of the division; kept apart from the seed of the training")
    allow_patient_overlap: bool = Field(False, description="accept a patient in two splits")
    allow_duplicate_images: bool = Field(False, description="accept an identical image in two splits")


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


class Config(Section):
    """One run. `imbclf train --print-config` shows it with every default."""

    name: str = Field("run", min_length=1, description="of the run, for reports")
    output: str = Field("runs/{name}-seed{seed}", description="run folder; {name} and {seed} are filled in")
    seed: int = Field(0, ge=0, description="of weights, batches and augmentation")
    data: Data = Data()
    model: Model = Model()
    loss: OneNamed = Named(name="CEPlusF1")
    sampling: Sampling = Sampling()
    augment: list[OneNamed] = Field([], description="layers of imbclf.augment, in order")
    training: Training = Training()
    evaluation: Evaluation = Evaluation()

    @property
    def run_dir(self):
        """The run folder, with name and seed filled in."""
        return Path(self.output.replace("{name}", self.name).replace("{seed}", str(self.seed)))

    def to_yaml(self):
        """The configuration with every default, as YAML that `load_config` reads back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def load_config(path, overrides=()):
    """Read a configuration.

    Args:
        path: YAML file.
        overrides: strings `key=value`, the key dotted, the value YAML: `training.epochs=20`, `loss=CEPlusMCC`.

    Returns:
        A `Config`.

    Raises:
        InputError: file, key or value that cannot be used, with the nearest known key.

    Example:

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.yaml"
    >>> _ = path.write_text("name: tiny")
    >>> load_config(path, ["training.epochs=2"]).training.epochs
    2
    >>> load_config(path, ["training.epoch=2"])
    Traceback (most recent call last):
    ...
    imbclf.errors.InputError: Unknown key training.epoch in the overrides; did you mean training.epochs?
    """
    path = Path(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no configuration file {path}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}.") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold keys and values, but it holds a {type(values).__name__}.")
    overridden = set()
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise InputError(f"Expected key=value, received {override!r}.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise InputError(f"The value of {key} is not YAML: {text!r}.") from None
        _assign(values, key.split("."), value)
        overridden.add(key)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise InputError(_sentence(error, path, overridden)) from None


def _assign(values, keys, value):
    *parents, last = keys
    for parent in parents:
        inner = values.get(parent)
        if parent in ("loss",) and isinstance(inner, str):
            inner = {"name": inner}
        if not isinstance(inner, dict):
            inner = {}
        values[parent] = inner
        values = inner
    values[last] = value


def _sentence(error, path, overridden):
    """The first problem that pydantic found, as one sentence."""
    problem = error.errors()[0]
    parents, siblings = _locate(problem["loc"])
    key = ".".join(parents)
    touched = any(f"{key}.".startswith(f"{o}.") or f"{o}.".startswith(f"{key}.") for o in overridden)
    where = "the overrides" if touched else str(path)
    if problem["type"] == "extra_forbidden":
        return f"Unknown key {key} in {where}; {_nearest(parents, siblings)}"
    expected = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{key} in {where}: {expected}; received {problem['input']!r}."


def _locate(location):
    """The keys of a pydantic location without the names of types it adds, and the keys known beside the last."""
    section, keys, siblings = Config, [], list(Config.model_fields)
    for part in location:
        keys.append(str(part))
        if section is None or part not in section.model_fields:
            break
        siblings = list(section.model_fields)
        annotation = section.model_fields[part].annotation
        section = annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None
        if section is not None:
            siblings = list(section.model_fields)
        elif isinstance(annotation, type) or not isinstance(location[-1], int):
            break
    return keys, siblings


def _nearest(keys, siblings):
    """Hint to the known key nearest to an unknown one: a sibling, or the same word elsewhere."""
    *parents, last = keys
    close = difflib.get_close_matches(last, siblings, n=1)
    if close:
        return f"did you mean {'.'.join([*parents, close[0]])}?"
    known = {key.rpartition(".")[2]: key for key in _known_keys(Config)}
    close = difflib.get_close_matches(last, list(known), n=1)
    if close:
        return f"did you mean {known[close[0]]}?"
    return f"known here are {', '.join(siblings)}."


def _known_keys(section, prefix=""):
    keys = []
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section) and not issubclass(inner, Named):
            keys += _known_keys(inner, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys


def check_name(name, known, key):
    """`name` if it is one of `known`; else `InputError` that suggests the nearest."""
    if name in known:
        return name
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
    raise InputError(f"Unknown {key} {name!r}; {hint}")


def check_options(options, known, key):
    """`InputError` that suggests the nearest known option if one is unknown."""
    for option in options:
        if option not in known:
            close = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {key}.{close[0]}?" if close else f"known are {', '.join(known)}."
            raise InputError(f"Unknown key {key}.{option}; {hint}")
    return options
