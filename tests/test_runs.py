import json
from pathlib import Path

import keras
import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.embeds import linear
from zsltf.layers.preprocess import Preprocess
from zsltf.runs import Run

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 9, 7, 3), np.uint8)


def image_classifier():
    """Mean colour against four class vectors."""
    rng = np.random.default_rng(0)
    images = keras.Input((4, 4, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(images)
    embed = keras.Model(images, linear(rng.normal(size=(3, 3)))(pooled), name="embed")
    classes = ClassTable(
        names=("a", "ü", 'c "c"', "d, e"),
        semantics=rng.normal(size=(4, 3)),
        seen=np.array([True, True, True, False]),
        columns=("x", "y", "z"),
    )
    return Classifier(embed, classes, preprocess=Preprocess(4, scale=(255.0,) * 3), gamma=0.25)


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path)
    run.write(image_classifier(), config={"out": Path("x"), "ridge": 1.5}, report={"title": "Ü"}, golden=IMAGES)
    return run


def test_a_run_is_these_files(run):
    names = sorted(path.name for path in run.path.iterdir())
    assert names == ["classes.json", "config.json", "golden.npz", "model.keras", "report.json"]


def test_the_classifier_comes_back_bit_equal(run):
    original, loaded = image_classifier(), run.classifier()
    np.testing.assert_array_equal(loaded.score(IMAGES), original.score(IMAGES))
    assert loaded.names == original.names
    assert loaded.gamma == 0.25


def test_the_golden_batch_is_what_the_classifier_said(run):
    golden = run.golden()
    np.testing.assert_array_equal(golden.images, IMAGES)
    np.testing.assert_array_equal(golden.scores, image_classifier().score(IMAGES))


def test_json_files_are_readable_by_others(run):
    classes, expected = json.loads((run.path / "classes.json").read_text("utf-8")), image_classifier().classes
    assert classes["names"] == list(expected.names)
    assert classes["seen"] == [True, True, True, False]
    assert classes["columns"] == ["x", "y", "z"]
    np.testing.assert_array_equal(np.float32(classes["semantics"]), expected.semantics)
    config = run.read_json("config.json")
    assert config["settings"] == {"out": "x", "ridge": 1.5}
    assert {"python", "zsltf", "tensorflow", "keras", "numpy"} <= set(config["versions"])
    assert config["versions"]["keras"] == keras.__version__
    assert run.read_json("report.json") == {"title": "Ü"}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("model.keras", Run.classifier),
        ("golden.npz", Run.golden),
        ("report.json", lambda run: run.read_json("report.json")),
    ],
)
def test_a_missing_or_damaged_file_is_named(run, name, read):
    (run.path / name).write_bytes(b"\x80 damaged")
    with pytest.raises(
        ValueError, match=rf"{name}: expected a file as zsltf run wrote it, received a damaged one \(.+\)\. "
    ):
        read(run)
    (run.path / name).unlink()
    with pytest.raises(
        ValueError, match=rf"expected a run folder with {name}, received none\. Give the folder that zslt"
    ):
        read(run)


def test_a_model_that_is_no_classifier_is_refused(run):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(run.path / "model.keras")
    with pytest.raises(ValueError, match=r"model.keras: .*expected a saved Classifier, received Sequential"):
        run.classifier()


def test_a_golden_batch_of_objects_is_not_unpickled(run):
    np.savez(run.path / "golden.npz", images=np.array([{}], object), scores=np.zeros(1), allow_pickle=True)
    with pytest.raises(ValueError, match=r"golden.npz: .* a damaged one"):
        run.golden()
