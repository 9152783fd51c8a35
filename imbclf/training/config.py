"""Reading a configuration: a YAML file, overrides from the command line, and errors that name the key."""

import difflib
from pathlib import Path

import yaml
from pydantic import ValidationError

from imbclf.errors import InputError
from imbclf.training.schema import TASKS, Config, Named, Section

__all__ = ["Config", "check_name", "check_options", "load_config"]


def load_config(path, overrides=()):
    """Read a configuration.

    Args:
        path: YAML file.
        overrides: strings `key=value`, the key dotted, the value YAML: `training.epochs=20`, `loss=CEPlusMCC`.

    Returns:
        A `ClassificationConfig` or, with `task: segmentation`, a `SegmentationConfig`.

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
    task = values.get("task", "classification")
    if not isinstance(task, str):
        raise InputError(f"task must be one of {', '.join(TASKS)}; received {task!r}.")
    schema = TASKS[check_name(task, TASKS, "task")]
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise InputError(_sentence(error, schema, path, overridden)) from None


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


def _sentence(error, schema, path, overridden):
    """The first problem that pydantic found, as one sentence."""
    problem = error.errors()[0]
    parents, siblings = _locate(problem["loc"], schema)
    key = ".".join(parents)
    touched = any(f"{key}.".startswith(f"{o}.") or f"{o}.".startswith(f"{key}.") for o in overridden)
    where = "the overrides" if touched else str(path)
    if problem["type"] == "extra_forbidden":
        return f"Unknown key {key} in {where}; {_nearest(parents, siblings, schema)}"
    expected = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{key} in {where}: {expected}; received {problem['input']!r}."


def _locate(location, schema):
    """The keys of a pydantic location without the names of types it adds, and the keys known beside the last."""
    section, keys, siblings = schema, [], list(schema.model_fields)
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


def _nearest(keys, siblings, schema):
    """Hint to the known key nearest to an unknown one: a sibling, or the same word elsewhere."""
    *parents, last = keys
    for task, other in TASKS.items():
        known = _known_keys(other)
        if other is not schema and any(f"{key}.".startswith(f"{'.'.join(keys)}.") for key in known):
            return f"it belongs to `task: {task}`."
    close = difflib.get_close_matches(last, siblings, n=1)
    if close:
        return f"did you mean {'.'.join([*parents, close[0]])}?"
    known = {key.rpartition(".")[2]: key for key in _known_keys(schema)}
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
