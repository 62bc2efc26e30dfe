"""A copy of the finished run, to be changed."""

import shutil
from pathlib import Path

import pytest

FILES = ("model.onnx", "model.tflite", "saved_model")


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A private copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "run"))
