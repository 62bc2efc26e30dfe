"""The gate: what is broken is caught, with a reason, by the export and by whoever has the files."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest

from zsltf.artifacts.manifest import read_manifest, write_manifest
from zsltf.classifier import Classifier
from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.delivery import deliver
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.saved_model import SavedModel
from zsltf.exporters.tflite import TFLite
from zsltf.layers.preprocess import Preprocess
from zsltf.proof import prove
from zsltf.runs import Golden, Run

SCRIPT = Path(__file__).parents[2] / "export" / "verify_artifact.py"
EXPORTERS = {"model.onnx": Onnx(), "model.tflite": TFLite(), "saved_model": SavedModel()}
ALONE = f"""
import runpy, sys
sys.modules["zsltf"] = None  # as on a machine that doesn't have it
sys.argv = ["verify_artifact.py", sys.argv[1]]
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""


def alone(path):
    """The script as one file, without zsltf: its status and lines."""
    done = subprocess.run([sys.executable, "-c", ALONE, str(path)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines() + done.stderr.splitlines()


def failures(lines):
    return [line.split(maxsplit=1)[1] for line in lines if line.startswith("FAILED")]


def listed_anew(folder):
    """Whoever changes a file may write its hash as well: the other checks have to see it."""
    write_manifest(folder, read_manifest(folder))


def test_an_export_verifies_anywhere(run):
    status, lines = alone(run / "export")
    assert (status, failures(lines)) == (0, [])
    for file in EXPORTERS:
        assert sum(f"{file} " in line and "replay, batch" in line for line in lines) == (1 if "tflite" in file else 2)
        assert any(f"{file} " in line and "labels: 24 as in the manifest" in line for line in lines)
    assert sum("a row alone is the row in its batch" in line for line in lines) == 2
    status, lines = alone(run / "export" / "model.onnx")
    assert status == 0
    assert not any("tflite" in line for line in lines)


def test_beside_the_run_it_says_the_same(run, capsys):
    assert main(["verify", str(run / "export")]) == 0
    assert not failures(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("file", ["model.onnx", "model.tflite", "saved_model/saved_model.pb", "golden.npz"])
def test_a_tampered_file_is_seen_by_its_hash(run, file):
    path = run / "export" / file
    path.write_bytes(path.read_bytes() + b"\0")
    status, lines = alone(run / "export")
    assert status == 1
    assert any(line.startswith(f"{file} ") and " hash: " in line for line in failures(lines))


def test_files_that_were_added_or_lost_are_seen(run):
    (run / "export" / "extra.bin").write_bytes(b"1")
    (run / "export" / "MODEL_CARD.md").unlink()
    status, lines = alone(run / "export")
    assert status == 1
    assert [line.split() for line in failures(lines)] == [
        ["MODEL_CARD.md", "hash:", "missing"],
        ["extra.bin", "hash:", "not", "in", "the", "manifest"],
    ]


def test_what_is_damaged_fails_without_a_traceback(run):
    export = run / "export"
    golden = (export / "golden.npz").read_bytes()
    (export / "golden.npz").write_bytes(b"cut")
    (export / "model.onnx").write_bytes(b"")
    (export / "saved_model" / "saved_model.pb").write_bytes(b"")
    listed_anew(export)
    status, lines = alone(export)
    assert status == 1
    assert [line.split()[:2] for line in failures(lines)] == [["golden.npz", "reads:"]]
    (export / "golden.npz").write_bytes(golden)
    listed_anew(export)
    status, lines = alone(export)
    assert status == 1
    assert {tuple(line.split()[:2]) for line in failures(lines)} == {("model.onnx", "runs:"), ("saved_model", "runs:")}


def test_a_damaged_manifest_fails(run):
    manifest = run / "export" / "manifest.json"
    for text in ("{", "[]", '{"files": {}, "artifacts": 3}', '{"files": {}, "artifacts": [{"file": []}]}', "[" * 10**5):
        manifest.write_text(text, "utf-8")
        status, lines = alone(run / "export")
        assert status == 1
        assert failures(lines)[-1].startswith("manifest.json ")


def test_an_artifact_without_a_hash_is_not_run(run, tmp_path, capsys):
    manifest = run / "export" / "manifest.json"
    (tmp_path / "evil.onnx").write_bytes((run / "export" / "model.onnx").read_bytes())
    for file in ("../evil.onnx", str(tmp_path / "evil.onnx"), "unlisted.onnx"):
        content = json.loads(manifest.read_text("utf-8"))
        content["artifacts"][0]["file"] = file
        manifest.write_text(json.dumps(content), "utf-8")
        status, lines = alone(run / "export")
        assert status == 1
        assert failures(lines)[-1].split(maxsplit=1)[1].startswith("lists its artifacts: no hash of ")
        assert main(["benchmark", str(run), "--images", str(tmp_path)]) == 1
        assert "a damaged one (no hash of the artifact" in capsys.readouterr().err


def test_what_the_manifest_does_not_list_fails(run):
    status, lines = alone(run / "export" / "model.int8.tflite")
    assert status == 1
    assert failures(lines)[-1].split(maxsplit=1) == [
        "model.int8.tflite",
        "is listed: the manifest has no such artifact",
    ]


def swapped_channels(classifier):
    """What a converter makes that takes RGB for BGR."""
    given = classifier.preprocess
    other = "bgr" if given.channels == "rgb" else "rgb"
    preprocess = Preprocess(given.size, mean=given.mean, scale=given.scale, resize=given.resize_policy, channels=other)
    return classifier.on_images(preprocess)


@pytest.mark.parametrize("file", EXPORTERS)
def test_a_swapped_channel_order_is_caught(run, file, capsys):
    path, exporter = run / "export" / file, EXPORTERS[file]
    wrong = swapped_channels(Run(run).classifier())
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    exporter.write(wrong, path)
    listed_anew(run / "export")
    status, lines = alone(run / "export")
    assert status == 1
    assert {line.split()[0] for line in failures(lines)} == {file}
    assert any("replay, batch 1" in line for line in failures(lines))
    assert main(["verify", str(path)]) == 1
    told = capsys.readouterr().out
    assert f"{file}: every layer converts well: this is not the file that the run exports" in told


def test_the_export_refuses_a_swapped_channel_order(run, monkeypatch, tmp_path):
    write = Onnx.write
    monkeypatch.setattr(Onnx, "write", lambda self, model, path: write(self, swapped_channels(model), path))
    with pytest.raises(ValueError, match=r"model\.onnx: expected scores within 5e-05 of Keras, received .* \(same top"):
        deliver(Run(run), tmp_path / "new", formats="onnx")
    assert not (tmp_path / "new").exists()


@keras.saving.register_keras_serializable("tests")
class LeftInTraining(keras.layers.BatchNormalization):
    """Its author forgot the switch."""

    def call(self, inputs, **_):
        return super().call(inputs, training=True)


def in_training_mode():
    """A network whose second BatchNorm was left in training mode: a row depends on the others of its batch."""
    images = keras.Input((24, 24, 3))
    x = keras.layers.BatchNormalization(name="frozen")(keras.layers.Conv2D(8, 3, strides=2, name="first")(images))
    x = keras.layers.Conv2D(8, 3, name="second")(keras.layers.ReLU(name="relu")(x))
    x = LeftInTraining(name="left_in_training")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pooled")(x)
    table = ClassTable(
        names=tuple("abcde"), semantics=np.random.default_rng(0).normal(size=(5, 8)), seen=np.ones(5, bool)
    )
    return Classifier(keras.Model(images, x), table, preprocess=Preprocess(24, mean=(127.0,) * 3, scale=(128.0,) * 3))


def test_batch_norm_left_in_training_mode_is_caught_and_named(tmp_path):
    run, images = Run(tmp_path / "run"), np.random.default_rng(1).integers(0, 256, (7, 31, 45, 3), dtype=np.uint8)
    run.path.mkdir()
    run.write(in_training_mode(), config={}, report={}, golden=images)
    for format_ in ("onnx", "tflite", "saved_model"):
        with pytest.raises(
            ValueError, match=r"scores that don't depend .* from the layer 'left_in_training' on\. Batch"
        ):
            deliver(run, tmp_path / "export", formats=format_)
    assert not (tmp_path / "export").exists()


def test_a_file_whose_rows_depend_on_their_batch_is_caught(run):
    """Somebody's own export beside ours, under our manifest."""
    images = np.random.default_rng(1).integers(0, 256, (7, 31, 45, 3), dtype=np.uint8)
    model, export = in_training_mode(), run / "export"
    manifest = read_manifest(export)
    Onnx().write(model, export / "model.onnx")
    scores = model.score(images)
    golden = {"images": images, "scores": scores, "labels": np.array(model.names)[scores.argmax(axis=1)]}
    np.savez(export / "golden.npz", **golden)
    artifacts = [artifact for artifact in manifest["artifacts"] if artifact["file"] == "model.onnx"]
    write_manifest(export, {**manifest, "classes": list(model.names), "artifacts": artifacts})
    status, lines = alone(export)
    assert status == 1
    assert any("a row alone is the row in its batch" in line for line in failures(lines))
    assert not any("replay, batch 7" in line for line in failures(lines))


def test_a_wrong_label_file_is_caught(run):
    def exchanged(names):
        return [names[1], names[0], *names[2:]]

    export = run / "export"
    names = read_manifest(export)["classes"]
    labels = export / "saved_model" / "assets" / "labels.txt"
    labels.write_text("\n".join(exchanged(names)), "utf-8")
    model = onnx.load(export / "model.onnx")
    for entry in model.metadata_props:
        if entry.key == "zsltf":
            card = json.loads(entry.value)
            entry.value = json.dumps({**card, "names": exchanged(card["names"])})
    onnx.save(model, export / "model.onnx")
    _with_labels(export / "model.tflite", "\n".join(exchanged(names)))
    listed_anew(export)
    status, lines = alone(export)
    assert status == 1
    assert {(line.split()[0], line.split()[1]) for line in failures(lines)} == {(f, "labels:") for f in EXPORTERS}


def _with_labels(path, text):
    """The same file with another labels.txt in its archive."""
    with zipfile.ZipFile(path) as archive:
        start = min(entry.header_offset for entry in archive.infolist())
        card = archive.read("zsltf.json")
    path.write_bytes(path.read_bytes()[:start])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("zsltf.json", card)
        archive.writestr("labels.txt", text)


def test_a_folder_without_a_manifest_is_no_export(tmp_path):
    status, lines = alone(tmp_path)
    assert status == 1
    assert "expected an export with manifest.json, received none. Give the folder of zsltf export." in lines[-1]


def test_a_manifest_that_points_outside_is_not_followed(run):
    manifest = run / "export" / "manifest.json"
    content = json.loads(manifest.read_text("utf-8"))
    content["files"]["../report.json"] = {"sha256": "0" * 64, "bytes": 1}
    manifest.write_text(json.dumps(content), "utf-8")
    status, lines = alone(run / "export")
    assert status == 1
    assert any("../report.json" in line and "outside the folder" in line for line in failures(lines))
    with pytest.raises(ValueError, match=r"manifest.json: expected files inside its folder, received some outside"):
        read_manifest(run / "export")


class Odd(keras.layers.Layer):
    """An operation that only TensorFlow has."""

    def call(self, inputs):
        return keras.ops.erfinv(0.9 * keras.ops.tanh(inputs))


@pytest.mark.parametrize("exporter", [Onnx(), TFLite()], ids=["onnx", "tflite"])
def test_a_layer_that_a_format_can_not_express_is_named(exporter, tmp_path):
    images = keras.Input((24, 24, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3, strides=2)(images))
    x = keras.layers.Dense(5, name="after")(Odd(name="odd")(keras.layers.Dense(5, name="before")(x)))
    table = ClassTable(names=tuple("abc"), semantics=np.eye(3, 5), seen=np.ones(3, bool))
    classifier = Classifier(keras.Model(images, x), table, preprocess=Preprocess(24))
    pixels = np.random.default_rng(3).integers(0, 256, (2, 31, 45, 3), dtype=np.uint8)
    golden = Golden(images=pixels, scores=classifier.score(pixels))
    message = rf"expected layers that {type(exporter).__name__} can express, received 'odd' with Erfinv\. Compute it by"
    with pytest.raises(ValueError, match=message):
        list(prove(exporter, classifier, golden, tmp_path))
    assert all(proof.holds for proof in prove(SavedModel(), classifier, golden, tmp_path))
