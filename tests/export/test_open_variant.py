"""The ONNX file whose caller gives the class table: proved, listed, verified and used beside its twin."""

import json

import numpy as np
import onnx
import pytest

from zsltf.cli import main
from zsltf.prediction import open_artifact


@pytest.fixture(scope="module")
def export(finished, tmp_path_factory):
    """An export of the file and its open variant."""
    out = tmp_path_factory.mktemp("open") / "export"
    assert main(["export", str(finished), "--format", "onnx", "--open-variant", "--out", str(out)]) == 0
    return out


def test_it_is_proved_and_listed_as_a_file_of_its_own(export):
    entries = json.loads((export / "manifest.json").read_text("utf-8"))["artifacts"]
    assert [entry["file"] for entry in entries] == ["model.onnx", "model.open.onnx"]
    for one, other in zip(entries[0]["proofs"], entries[1]["proofs"], strict=True):
        assert (one["classes"], one["batch"], one["difference"]) == (
            other["classes"],
            other["batch"],
            other["difference"],
        )


def test_it_is_verified_by_itself_and_with_the_others(export, capsys):
    assert main(["verify", str(export / "model.open.onnx")]) == 0
    told = capsys.readouterr().out
    assert "model.open.onnx       replay, batch 7: " in told
    assert "labels" not in told
    assert main(["verify", str(export)]) == 0


def test_it_says_what_its_twin_says_and_follows_its_edits(export, drawn, tmp_path, capsys):
    for file in export.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    first = open_artifact(tmp_path / "model.onnx").card.names[0]
    assert main(["classes", str(tmp_path / "model.onnx"), "remove", first]) == 0
    twin, variant = (open_artifact(tmp_path / name) for name in ("model.onnx", "model.open.onnx"))
    assert variant.card.names == twin.card.names
    assert first not in variant.card.names
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(variant(images)["scores"], twin(images)["scores"])
    np.testing.assert_array_equal(variant.embed(images), twin.embed(images))
    assert main(["verify", str(tmp_path)]) == 0
    photo = min((drawn / "images").rglob("*.png"))
    capsys.readouterr()
    for name in ("model.onnx", "model.open.onnx"):
        assert main(["predict", str(tmp_path / name), str(photo)]) == 0
    one, other = capsys.readouterr().out.splitlines()
    assert one == other


def test_it_names_no_classes_of_its_own(export):
    keys = {entry.key for entry in onnx.load(export / "model.open.onnx").metadata_props}
    assert keys == {"preprocessing", "versions"}


def test_its_table_is_edited_in_its_twin(export, capsys):
    before = (export / "model.open.onnx").read_bytes()
    first = open_artifact(export / "model.onnx").card.names[0]
    assert main(["classes", str(export / "model.open.onnx"), "remove", first]) == 1
    assert "received one that its caller gives it. Edit model.onnx: both use it." in capsys.readouterr().err
    assert (export / "model.open.onnx").read_bytes() == before


def test_without_its_twin_it_says_so(export, drawn, tmp_path, capsys):
    (tmp_path / "model.open.onnx").write_bytes((export / "model.open.onnx").read_bytes())
    assert main(["predict", str(tmp_path / "model.open.onnx"), str(drawn / "images")]) == 1
    assert "model.onnx: expected the ONNX file with the class table, received none." in capsys.readouterr().err
