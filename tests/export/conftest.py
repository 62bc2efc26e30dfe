"""A run on drawn pictures whose classes can be added by attributes and by photos, with its export."""

import shutil
from pathlib import Path

import pytest

from zsltf.cli import main

FILES = ("model.onnx", "model.tflite", "saved_model")


@pytest.fixture(scope="session")
def finished(drawn, tmp_path_factory) -> Path:
    """The run folder; don't change it."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    photos = ("--images", str(drawn / "images"), "--classes", str(drawn / "attributes.csv"))
    network = ("--backbone", "conv4", "--weights", "random", "--shuffles", "0")
    assert main(["run", "zero_shot", *network, *photos, "--out", str(folder), "method:any-shot"]) == 0
    assert main(["export", str(folder)]) == 0
    return folder


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A private copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "run"))
