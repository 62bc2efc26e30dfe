"""What a file's runtime says of images that the file doesn't take reaches the caller."""

import zipfile
from dataclasses import replace

import numpy as np
import onnx
import pytest
from PIL import Image

from zsltf.cli import main
from zsltf.exporters._tflite_card import append_card, read_card
from zsltf.exporters.tflite import TFLite
from zsltf.prediction import open_artifact
from zsltf.runs import Run


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path)
    return path


@pytest.fixture
def onnx_of_one_size(finished, tmp_path):
    """As tools for accelerators rewrite a file: the same graph for 48 x 48 only."""
    model = onnx.load(finished / "export" / "model.onnx")
    for axis in (1, 2):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = 48
    path = tmp_path / "fixed.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture
def tflite_of_one_size(finished, tmp_path):
    """One whose card says that it takes any size."""
    path = tmp_path / "fixed.tflite"
    TFLite(built_in_only=True).write(Run(finished).classifier(), path)
    card = read_card(path)
    with zipfile.ZipFile(path) as archive:
        end = min(entry.header_offset for entry in archive.infolist())
    path.write_bytes(path.read_bytes()[:end])
    append_card(path, replace(card, any_size=True))
    return path


def assert_told(path, photo, words, capsys):
    assert main(["predict", str(path), str(photo)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("zsltf predict: images: expected what the file takes, received shape (1, 20, 30, 3), of ")
    assert words in told
    assert told.endswith("Give others, or export the file again.\n")


def test_by_onnxruntime(onnx_of_one_size, photo, capsys):
    assert_told(onnx_of_one_size, photo, "index: 1 Got: 20 Expected: 48", capsys)


def test_by_litert(tflite_of_one_size, photo, capsys):
    assert_told(tflite_of_one_size, photo, "failed to prepare", capsys)


def test_by_tensorflow(finished):
    artifact = open_artifact(finished / "export" / "saved_model")
    table = artifact.class_vectors[:, :-1], artifact.class_bias
    with pytest.raises(ValueError, match=r"of which its runtime says: .*Matrix size-incompatible"):
        replace(artifact, built_in=lambda images: artifact.open_vocabulary(images, *table))(
            np.zeros((1, 48, 48, 3), np.uint8)
        )


def test_embedding_too(onnx_of_one_size):
    with pytest.raises(ValueError, match=r"of which its runtime says: .*Got: 20 Expected: 48"):
        open_artifact(onnx_of_one_size).embed(np.zeros((1, 20, 30, 3), np.uint8))


def test_too_little_memory_is_told_as_such(finished):
    def built_in(images):
        raise MemoryError("2 GB")

    artifact = replace(open_artifact(finished / "export" / "model.onnx"), built_in=built_in)
    with pytest.raises(MemoryError, match="2 GB"):
        artifact(np.zeros((1, 48, 48, 3), np.uint8))
