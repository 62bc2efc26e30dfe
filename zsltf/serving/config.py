"""Which models to serve, from what a command line gives."""

from collections.abc import Sequence
from pathlib import Path

from tensorflow_serving.config import model_server_config_pb2

from zsltf.checks import fail
from zsltf.serving.kit import CONFIG
from zsltf.serving.models import read_config

__all__ = ["config_of"]

_IN_CONTAINER = "/models/"


def config_of(given: Sequence[str]) -> model_server_config_pb2.ModelServerConfig:
    """One config of all that is given: NAME=PATH or PATH of a model, a folder with models.config, or such a file.

    Raises:
        ValueError: if a path doesn't exist, or two models have one name.
    """
    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.SetInParent()
    models = config.model_config_list.config
    for text in given:
        name, separator, rest = text.partition("=")
        path = Path(rest if separator else text).absolute()
        if not path.exists():
            fail(str(path), "a model, or a folder of models", "none", "Check the path.")
        file = path / CONFIG if (path / CONFIG).is_file() else path
        if file.suffix == ".config":
            models.extend(_local(file))
            continue
        models.add(name=name if separator else _named(path), base_path=str(path), model_platform="tensorflow")
    names = [model.name for model in models]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        fail("models", "a name each", f"{repeated[0]} twice", "Write NAME=PATH.")
    return config


def _local(file: Path) -> list[model_server_config_pb2.ModelConfig]:
    """Of a config file; paths in the container are those beside the file."""
    models = list(read_config(file).model_config_list.config)
    for model in models:
        beside = file.parent / "models" / model.base_path.removeprefix(_IN_CONTAINER)
        if model.base_path.startswith(_IN_CONTAINER) and beside.is_dir():
            model.base_path = str(beside)
    return models


def _named(path: Path) -> str:
    """By the folder or file; those of an export by their run."""
    if path.parent.name == "export":
        return path.parent.parent.name
    return path.stem
