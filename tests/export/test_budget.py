"""The search for an integer file: what it tries, keeps and reports, on photos that don't overlap."""

import json
import re
from dataclasses import replace

import keras
import numpy as np
import pytest

from zsltf.budget import Budget, points
from zsltf.classifier import Classifier
from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.data.fitted_photos import FittedPhotos
from zsltf.exporters.tflite import TFLite
from zsltf.layers.preprocess import Preprocess
from zsltf.prediction import open_artifact

COLOURS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [180, 180, 60]])


@pytest.fixture(scope="module")
def photos():
    """Twenty noisy pictures of each of four colours."""
    rng, y = np.random.default_rng(0), np.repeat(np.arange(4), 20)
    noise = rng.normal(0, 40, (80, 24, 24, 3)) + rng.normal(0, 40, (80, 1, 1, 3))
    return FittedPhotos(images=np.clip(COLOURS[y][:, None, None] + noise, 0, 255).astype(np.uint8), y=y)


@pytest.fixture(scope="module")
def classifier():
    """Mean colour through a convolution that keeps it, against the colours."""
    images = keras.Input((24, 24, 3))
    convolution = keras.layers.Conv2D(6, 1, activation="relu", name="convolution")
    embed = keras.Model(images, keras.layers.GlobalAveragePooling2D()(convolution(images)))
    convolution.set_weights([np.concatenate([np.eye(3), -np.eye(3)], axis=1)[None, None], np.zeros(6)])
    centred = (COLOURS - 127.0) / 128
    vectors = np.concatenate([np.maximum(centred, 0), np.maximum(-centred, 0)], axis=1).astype(np.float32)
    table = ClassTable(names=("red", "green", "blue", "ochre"), semantics=vectors, seen=np.ones(4, bool))
    return Classifier(embed, table, preprocess=Preprocess(24, mean=(127.0,) * 3, scale=(128.0,) * 3))


@pytest.mark.parametrize(("text", "expected"), [("0.5pt", 0.5), ("1", 1.0), (" 2.5 pt ", 2.5), (".25pt", 0.25)])
def test_points(text, expected):
    assert points(text) == expected


@pytest.mark.parametrize("text", ["", "pt", "half", "-1pt", "1%"])
def test_what_are_no_points(text):
    with pytest.raises(ValueError, match=rf"budget: expected percentage points .* received {re.escape(repr(text))}"):
        points(text)


def test_the_smallest_within_the_budget_is_kept_and_measured_on_other_photos(classifier, photos):
    found = Budget(points=5.0).search(classifier, photos)
    assert [step.precision for step in found.steps] == ["dynamic", "int8"]
    assert found.chosen.megabytes == min(step.megabytes for step in found.steps if step.within)
    assert found.photos == (16, 32, 32)
    assert found.interval[0] <= found.accuracy - found.float_accuracy <= found.interval[1]
    assert found.accuracy > 0.7
    assert json.loads(json.dumps(found.described()))["chosen"]["precision"] == found.exporter.precision


def test_the_three_sets_are_apart_and_each_has_all_classes(classifier, photos, monkeypatch):
    seen = []
    monkeypatch.setattr(
        FittedPhotos,
        "select",
        lambda self, rows: seen.append(rows) or replace(self, images=self.images[rows], y=self.y[rows]),
    )
    Budget(points=5.0).search(classifier, photos)
    assert sorted(np.concatenate(seen)) == list(range(80))
    assert [np.bincount(photos.y[rows]).tolist() for rows in seen] == [[4] * 4, [8] * 4, [8] * 4]


def test_more_bits_and_float_layers_are_tried_where_int8_costs_too_much(classifier, photos, monkeypatch):
    """Files whose integers don't do until the worst operators are of float32."""
    monkeypatch.setattr(TFLite, "worst_layers", lambda self, model: [f"operator {i}" for i in range(7)])
    tried = []

    def read(self, path):
        tried.append((self.precision, len(self.float_layers)))
        artifact = real_read(path)
        wrong = {"built_in": lambda images: {"scores": np.eye(4)[[0] * len(images)]}}
        return artifact if len(self.float_layers) == 6 else replace(artifact, **wrong)

    real_read, write = TFLite.read, TFLite.write
    monkeypatch.setattr(TFLite, "read", read)
    plain = lambda self, model, path: write(replace(self, float_layers=()), model, path)  # noqa: E731
    monkeypatch.setattr(TFLite, "write", plain)
    found = Budget(points=5.0).search(classifier, photos)
    assert tried[:-1] == [("dynamic", 0), ("int8", 0), ("int16x8", 0), ("int8", 3), ("int8", 6)]
    assert (found.chosen.precision, found.chosen.float_layers) == ("int8", 6)
    assert [step.within for step in found.steps] == [False] * 4 + [True]
    tried.clear()
    with pytest.raises(
        ValueError, match=r"int8: expected a file within 0\.5 points, received at best 0\.250 against 0\."
    ):
        Budget(integer_only=True).search(classifier, photos)
    assert tried == [("int8", 0), ("int16x8", 0)]


def test_from_the_command_line(run, drawn, tmp_path, capsys):
    out = tmp_path / "export"
    given = ("--format", "tflite", "--int8", "--budget", "60pt", "--calibrate", str(drawn / "images"), "--integer-only")
    assert main(["export", str(run), *given, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"int8 +0 +\d\.\d\d +0\.\d{3} +\d+\.\d% +yes +chosen", printed)
    assert "photos that neither calibrated nor chose: accuracy 0." in printed
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert [artifact["file"] for artifact in manifest["artifacts"]] == ["model.tflite", "model.int8.tflite"]
    assert manifest["quantisation"]["chosen"]["precision"] == "int8"
    assert manifest["quantisation"]["points"] == 60.0
    card = open_artifact(out / "model.int8.tflite").card
    assert (card.precision, card.editable, card.any_size) == ("int8", True, False)
    assert main(["verify", str(out)]) == 0
    assert "model.int8.tflite: its network is of integers; class vectors, bias and scores are float32" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ("--int8",),
            "--int8: expected labelled photos to calibrate, choose and test on, received none. Give --calibra",
        ),
        (("--int8", "--calibrate", "PHOTOS", "--budget", "some"), "budget: expected percentage points such as 0.5pt"),
        (("--precision", "int8"), ".calibration: expected photos to measure ranges on, received int8 without any."),
        (("--precision", "int8", "--calibrate", "EMPTY"), "empty: expected folders of classes ("),
        (("--int8", "--calibrate", "FEW"), "few: expected 5 photos or more of every class, received fewer of "),
        (("--format", "onnx", "--precision", "int16x8"), "precision: expected one of float16, float32, int8, received"),
        (
            ("--precision",),
            "--precision: expected one or more of float32, float16, dynamic, int8, int16x8, received none.",
        ),
        (("--format", "onnx", "--built-in-only"), "--built-in-only: expected a format that knows it, received onnx."),
        (
            ("--format", "tflite", "--opset", "17"),
            "--opset: expected a format that knows it, received tflite. Leave it",
        ),
        (("--budget", "1pt"), "--budget and --integer-only: expected --int8, whose search they are for, received none"),
        (
            ("--calibrate", "PHOTOS"),
            "--calibrate: expected --int8, or a --precision of integers, received neither. Add",
        ),
        (
            ("--format", "mobil"),
            "--format: expected one of all, mobile, onnx, saved_model, serving, tflite, web, received ",
        ),
        (("--format", "onnx,web"), "--format: expected web by itself, received onnx,web. Export once for each."),
        (("--opset", "22"), "Onnx.opset: expected 15 to 18, received 22."),
        (
            ("--format", "onnx", "--memory", "0.5"),
            "the conversion to ONNX: expected about 1.5 GB of memory, received 0.",
        ),
    ],
)
def test_what_can_not_be_exported_leaves_nothing(finished, drawn, tmp_path, capsys, given, message):
    (tmp_path / "empty").mkdir()
    first = min((drawn / "images").iterdir())
    few = tmp_path / "few" / first.name
    few.mkdir(parents=True)
    (few / "1.png").write_bytes(min(first.iterdir()).read_bytes())
    places = {"PHOTOS": drawn / "images", "EMPTY": tmp_path / "empty", "FEW": tmp_path / "few"}
    out = tmp_path / "export"
    arguments = [str(places.get(argument, argument)) for argument in given]
    assert main(["export", str(finished), *arguments, "--out", str(out)]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()
