"""The table of exported files on labelled photos, and the gate that it is."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from zsltf.artifacts.manifest import read_manifest, write_manifest
from zsltf.benchmarking import litert_milliseconds
from zsltf.cli import main
from zsltf.exporters.onnx import Onnx
from zsltf.runs import Run


@pytest.fixture
def labelled(drawn, tmp_path):
    """Two pictures of each of four classes."""
    for folder in sorted((drawn / "images").iterdir())[:4]:
        for photo in sorted(folder.iterdir())[:2]:
            target = tmp_path / "labelled" / folder.name / photo.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, target)
    return tmp_path / "labelled"


def test_every_file_is_measured_and_the_report_shows_it(run, labelled, capsys):
    assert main(["benchmark", str(run), "--images", str(labelled)]) == 0
    content = json.loads((run / "benchmark.json").read_text("utf-8"))
    assert content["photos"] == 8
    rows = {row["file"]: row for row in content["files"]}
    assert set(rows) == {"model.onnx", "model.tflite", "saved_model"}
    accuracies = [row["accuracy"] for row in rows.values()]
    assert max(accuracies) == min(accuracies)  # the same classifier
    for row in rows.values():
        assert row["status"] == "passed"
        assert row["difference"] < 2e-4
        assert 0 < row["p50"] <= row["p95"]
        assert row["images_per_second"] > 0
        assert row["peak_megabytes"] > row["megabytes"] > 0
    assert rows["model.tflite"]["litert_milliseconds"] > 0
    assert rows["model.onnx"]["litert_milliseconds"] is None
    assert rows["saved_model"]["peak_megabytes"] > rows["model.tflite"]["peak_megabytes"]  # TensorFlow is in it
    page = (run / "report.html").read_text("utf-8")
    assert "8 labelled photos" in page
    assert "ms p50" in page
    assert "litert-benchmark" in page
    assert capsys.readouterr().err == ""


def test_litert_s_own_tool_may_be_missing_or_fail(run, monkeypatch):
    path = run / "export" / "model.tflite"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert litert_milliseconds(path) is None
    monkeypatch.undo()
    path.write_bytes(b"no model")
    assert litert_milliseconds(path) is None


def test_a_floor_makes_it_a_gate(run, labelled, capsys):
    assert main(["benchmark", str(run / "export"), "--images", str(labelled), "--least-accuracy", "1"]) == 1
    error = capsys.readouterr().err
    assert "model.onnx: accuracy 0." in error
    assert "is below 1\n" in error
    assert not (run / "benchmark.json").exists()


@pytest.mark.parametrize("floor", ["nan", "-0.1", "90"])
def test_a_floor_is_a_share(run, labelled, capsys, floor):
    assert main(["benchmark", str(run), "--images", str(labelled), "--least-accuracy", floor]) == 1
    assert "--least-accuracy: expected a share from 0 to 1, received " in capsys.readouterr().err


def test_edited_files_are_measured_on_the_classes_that_they_have(run, labelled, capsys):
    export, (first, second, *_) = run / "export", sorted(folder.name for folder in labelled.iterdir())
    assert main(["classes", str(export / "model.onnx"), "rename", f"{first}={second}", f"{second}={first}"]) == 0
    assert main(["classes", str(export / "model.tflite"), "remove", first]) == 0
    capsys.readouterr()
    assert main(["benchmark", str(run), "--images", str(labelled)]) == 1
    error = capsys.readouterr().err
    assert "labelled: expected folders of classes (" in error  # one of the files has lost the first
    assert f"received {first}. Give other photos." in error
    shutil.rmtree(labelled / first)
    assert main(["benchmark", str(run), "--images", str(labelled)]) == 0
    rows = {row["file"]: row for row in json.loads((run / "benchmark.json").read_text("utf-8"))["files"]}
    assert all(row["status"] == "passed" for row in rows.values())
    assert rows["model.onnx"]["accuracy"] < rows["model.tflite"]["accuracy"]  # its second class is the old first


def test_a_tampered_golden_batch_does_not_pass(run, labelled, capsys):
    golden = run / "export" / "golden.npz"
    golden.write_bytes(golden.read_bytes() + b"\0")
    assert main(["benchmark", str(run), "--images", str(labelled)]) == 1
    assert "model.onnx: failed: " in capsys.readouterr().err


def test_a_file_that_says_something_else_and_one_that_is_broken_don_t_pass(run, labelled, capsys):
    export = run / "export"
    Onnx().write(Run(run).classifier().calibrate(gamma=5.0), export / "model.onnx")
    (export / "model.tflite").write_bytes(b"nothing")
    write_manifest(export, read_manifest(export))
    assert main(["benchmark", str(export), "--images", str(labelled)]) == 1
    error = capsys.readouterr().err
    assert "model.onnx: exported but fails validation: golden scores differ by " in error
    assert "model.tflite: failed: " in error
    assert "LiteRT opens" in error


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("nowhere", "nowhere: expected a folder with one folder a class, received no folder. Check the path."),
        ("unknown", "unknown: expected folders of classes ("),
        ("empty", "empty: expected folders of classes ("),
        ("broken", "broken: expected 1 photos or more of every class, received fewer of "),
    ],
)
def test_photos_that_don_t_do_are_refused(run, tmp_path, capsys, folder, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "unknown" / "unicorn").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "unknown" / "unicorn" / "1.png")
    first = read_manifest(run / "export")["classes"][0]
    (tmp_path / "broken" / first).mkdir(parents=True)
    (tmp_path / "broken" / first / "1.png").write_bytes(b"no picture")
    assert main(["benchmark", str(run), "--images", str(tmp_path / folder)]) == 1
    assert message in capsys.readouterr().err
