"""Which models to serve, from what a command line gives."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from zsltf.checks import fail

__all__ = ["CONFIG", "config_of", "models_of"]

CONFIG = "models.config"
"""The file's name in a folder for TensorFlow Serving."""
_IN_CONTAINER = "/models/"


def config_of(given: Sequence[str]) -> model_server_config_pb2.ModelServerConfig:
    """One config of all that is given: NAME=PATH or PATH of a model, a folder with models.config, or such a file.

    Each call reads the files again: that is how a server follows them.

    Raises:
        ValueError: if a path doesn't exist or isn't local, a file is damaged, or two models have one name.
    """
    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.SetInParent()
    models = config.model_config_list.config
    for text in given:
        name, path = _parted(text)
        file = path / CONFIG if (path / CONFIG).is_file() else path
        if file.suffix == ".config":
            if name:
                fail(text, "a model after NAME=", f"{file.name}, which has names", "Leave NAME= out.")
            models.extend(_local(file))
        else:
            models.add(name=name or _named(path), base_path=str(path), model_platform="tensorflow")
    names = [model.name for model in models]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        fail("models", "a name each", f"{repeated[0]} twice", "Write NAME=PATH.")
    return config


def models_of(file: Path) -> list[model_server_config_pb2.ModelConfig]:
    """Those that a models.config lists.

    Raises:
        ValueError: if it lists none, as a damaged one does.
    """
    try:
        config = text_format.Parse(file.read_text("utf-8"), model_server_config_pb2.ModelServerConfig())
    except (text_format.ParseError, UnicodeDecodeError, OSError) as error:
        fail(str(file), "a ModelServerConfig as text", str(error), "Mend the file.")
    models = list(config.model_config_list.config)
    if not models:
        fail(str(file), "a model_config_list with models", "none", "Mend the file.")
    return models


def _parted(text: str) -> tuple[str, Path]:
    """Name, or nothing, and path; `=` may be part of a path that exists."""
    name, separator, rest = text.partition("=")
    if not separator or Path(text).exists():
        name, rest = "", text
    elif not name:
        fail(text, "NAME=PATH", "no name", "Write a name before =, or the path alone.")
    _check_local(rest)
    path = Path(os.path.abspath(rest))  # noqa: PTH100 (a link keeps its name)
    if not path.exists():
        fail(text, "a model, or a folder of models", "none", "Check the path.")
    return name, path


def _local(file: Path) -> list[model_server_config_pb2.ModelConfig]:
    """Of a config file; paths in the container are those beside the file."""
    models = models_of(file)
    for model in models:
        beside = file.parent / "models" / model.base_path.removeprefix(_IN_CONTAINER)
        if model.base_path.startswith(_IN_CONTAINER) and beside.is_dir():
            model.base_path = str(beside)
        _check_local(model.base_path)
    return models


def _check_local(path: str) -> None:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path):
        fail(path, "a path on this machine", "a remote one", "Copy it to this machine, or mount it.")


def _named(path: Path) -> str:
    """By the folder or file; those of an export by their run."""
    if path.parent.name == "export":
        return path.parent.parent.name
    return path.name if path.is_dir() else path.stem
