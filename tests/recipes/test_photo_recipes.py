"""Any-shot, text, two towers and make_splits on drawn pictures."""

import json

import numpy as np
import pytest

from zsltf.artifacts.manifest import check_hashes
from zsltf.classifier import Classifier
from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.data.word_vectors import name_vectors
from zsltf.data.xlsa17 import read_xlsa17
from zsltf.prediction import open_artifact
from zsltf.runs import Run
from zsltf.zeroshot.any_shot import AnyShot


@pytest.fixture
def photos(drawn):
    network = ("--backbone", "conv4", "--weights", "random")
    return ("--images", str(drawn / "images"), "--classes", str(drawn / "attributes.csv"), *network)


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A SavedModel from strings to vectors: counts of letters."""
    tf = pytest.importorskip("tensorflow")

    class Letters(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, strings):
            letters = tf.strings.bytes_split(strings).to_tensor(default_value="")
            alphabet = tf.constant(list("abcdefghijklmnopqrstuvwxyz"))
            return tf.reduce_sum(tf.cast(letters[:, :, None] == alphabet, tf.float32), axis=1)

    folder = tmp_path_factory.mktemp("letters")
    tf.saved_model.save(Letters(), str(folder))
    return str(folder)


def test_any_shot_prints_what_each_photo_adds(photos, tmp_path, capsys):
    out = tmp_path / "any.keras"
    assert main(["run", "any_shot", *photos, "--shots", "0", "2", "--draws", "3", "--out", str(out)]) == 0
    assert "attributes count as" in capsys.readouterr().out
    classifier = Classifier.load(out)
    assert set(classifier.opens_by) == {"semantics", "photos"}
    assert classifier.preprocess is not None
    assert main(["export", str(out), "--format", "onnx"]) == 0
    folder = tmp_path / "any" / "export"
    check_hashes(folder)
    assert open_artifact(folder / "model.onnx").card.prior_photos > 0
    assert "None came with the Classifier" in (folder / "MODEL_CARD.md").read_text("utf-8")
    assert main(["export", str(out), "--format", "onnx", "--out", str(tmp_path / "elsewhere")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["any", "any.keras", "elsewhere"]


def test_what_is_no_classifier_from_images_is_not_exported(toy_features, tmp_path, capsys):
    path = tmp_path / "mine.keras"
    assert main(["export", str(path)]) == 1
    assert "mine.keras: expected a run folder or a saved Classifier, received none" in capsys.readouterr().err
    path.write_bytes(b"PK")
    assert main(["export", str(path)]) == 1
    assert "mine.keras: expected a file as zsltf run wrote it, received a damaged one" in capsys.readouterr().err
    AnyShot().fit(*toy_features).save(path)
    assert main(["export", str(path)]) == 1
    assert "mine.keras: expected a Classifier from images, received one from features" in capsys.readouterr().err


@pytest.mark.parametrize("describe", ["names", "attributes", "sentences"])
def test_text_tells_of_classes(drawn, photos, model, describe, tmp_path):
    table = ClassTable.from_csv(drawn / "attributes.csv")
    sentences = tmp_path / "said.csv"
    sentences.write_text("class,sentence\n" + "".join(f"{name},It is {name}.\n" for name in table.names), "utf-8")
    given = ("--sentences", str(sentences)) if describe == "sentences" else ()
    method = "method:description-attention" if describe == "attributes" else "method:ridge"
    options = ("--describe", describe, *given, "--repeats", "1", "--shuffles", "1", "--out", str(tmp_path / "run"))
    arguments = ["run", "text_zero_shot", *photos, *options, "encoder:hub", "--encoder.model", model, method]
    assert main(arguments) == 0
    report = Run(tmp_path / "run").read_json("report.json")
    assert report["partitions"][0]["unseen_accuracy"] >= 0
    assert report["main"]["semantics"]["columns"] == []  # numbers of a text vector say nothing to people
    assert (tmp_path / "run" / "report.html").is_file()


def test_word_vectors_tell_of_classes_and_of_new_ones(drawn, photos, tmp_path, capsys):
    names = ClassTable.from_csv(drawn / "attributes.csv").names
    words, rng = sorted({word for name in (*names, "zebra") for word in name.split("_")}), np.random.default_rng(0)
    lines = [f"{word} {' '.join(f'{number:.4f}' for number in rng.normal(size=12))}" for word in words]
    vectors, out = tmp_path / "vectors.txt", tmp_path / "run"
    vectors.write_text("\n".join(lines), "utf-8")
    options = ("--repeats", "1", "--shuffles", "0", "--out", str(out))
    encoder = ("encoder:word-vectors", "--encoder.path", str(vectors))
    assert main(["run", "text_zero_shot", *photos, *options, *encoder, "method:ridge"]) == 0
    expected = name_vectors(vectors, names)
    semantics = Run(out).classifier().classes.semantics
    np.testing.assert_allclose(semantics, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert main(["export", str(out), "--format", "onnx"]) == 0
    add = ["classes", str(out / "export" / "model.onnx"), "add-text"]
    assert main([*add, "zebra", "encoder:word-vectors", "--path", str(vectors)]) == 0
    assert "added zebra" in capsys.readouterr().out
    assert main([*add, "okapi", "encoder:word-vectors", "--path", str(vectors)]) == 1
    assert "none for okapi. Rename the classes, or use a sentence encoder" in capsys.readouterr().err


def test_two_towers_find_photos_by_sentences(photos, model, tmp_path, capsys):
    options = ("--say", "a red circle", "something blue", "--shuffles", "0", "--out", str(tmp_path / "run"))
    assert main(["run", "two_tower", *photos, *options, "encoder:hub", "--encoder.model", model]) == 0
    printed = capsys.readouterr().out
    for sentence in ("a red circle", "something blue"):
        (line,) = [line for line in printed.splitlines() if line.startswith(f"{sentence}: ")]
        assert line.count(".png") == 3 or line.count(".jpg") == 3


def test_splits_are_made_for_each_partition(photos, tmp_path, capsys):
    out = tmp_path / "sets"
    assert main(["run", "make_splits", *photos, "--random-partitions", "1", "--out", str(out)]) == 0
    assert "unseen classes" in capsys.readouterr().out
    sets = {folder.name: read_xlsa17(folder) for folder in out.iterdir()}
    assert set(sets) == {"split", "random 0"}
    assert sets["split"].digest != sets["random 0"].digest
    rows = main(
        ["run", "gbu", "--root", str(out), "--methods", "ridge", "--shuffles", "0", "--out", str(tmp_path / "g")]
    )
    assert rows == 0
    assert len(json.loads((tmp_path / "g" / "results.json").read_text("utf-8"))) == 2
    assert np.isfinite(sets["split"].features.x).all()


def test_splits_with_text_are_what_gbu_reads(photos, model, tmp_path):
    out = str(tmp_path / "sets" / "MINE")
    assert main(["run", "make_splits", *photos, "--out", out, "encoder:hub", "--encoder.model", model]) == 0
    options = ("--matrix", "sentences", "--methods", "ridge", "--shuffles", "0", "--out", str(tmp_path / "g"))
    assert main(["run", "gbu", "--root", str(tmp_path / "sets"), *options]) == 0
    (row,) = json.loads((tmp_path / "g" / "results.json").read_text("utf-8"))
    assert (row["set"], row["matrix"]) == ("MINE", "sentences")


@pytest.mark.parametrize("recipe", ["text_zero_shot", "two_tower", "make_splits"])
def test_nothing_is_written_among_the_photos(drawn, photos, model, recipe, capsys):
    inside = drawn / "images" / "inside"
    encoder = () if recipe == "make_splits" else ("encoder:hub", "--encoder.model", model)
    assert main(["run", recipe, *photos, "--out", str(inside), *encoder]) == 1
    assert "expected a folder outside --images" in capsys.readouterr().err
    assert not inside.exists()
