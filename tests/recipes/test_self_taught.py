"""Self-taught learning from files to a run folder: what is refused before slow work, what is told, what ships."""

import shutil
from contextlib import suppress

import keras
import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.runs import Run

QUICK = ("--seeds", "0", "--steps", "2", "--shares", "0.1", "1.0", "--validation", "0", "--test", "0.4")
PIXELS = ("--small-size", "16", "--filters", "8")
FEATURES = ("--start", "features", "--backbone", "conv4", "--weights", "random", "--size", "16", "--hidden", "4")
METHOD = ("method:simclr", "--method.descent.epochs", "2", "--method.units", "16", "8")


def start(data, out, *more, network=PIXELS, method=METHOD):
    return main(["run", "self_taught", "--data", str(data), *network, *QUICK, "--out", str(out), *more, *method])


@pytest.fixture(scope="module")
def finished(coloured, drawn, tmp_path_factory):
    """Three classes of eight pictures to learn from; 120 others without labels, of which one is broken."""
    others = shutil.copytree(drawn, tmp_path_factory.mktemp("others") / "drawn")
    (others / "x.png").write_bytes(b"not a picture")
    shutil.copy(next((coloured / "test" / "blue").glob("*.png")), others / "shared.png")
    out = tmp_path_factory.mktemp("runs") / "run"
    assert start(coloured, out, "--unlabelled", str(others)) == 0
    return Run(out)


def test_each_use_of_the_labels_stands_beside_both_references(finished):
    report = finished.read_json("report.json")
    ways = [(row["method"], row["use"]) for row in report["means"]]
    assert ways == [
        (method, use)
        for method, use in (
            ("raw features", "linear probe"),
            ("from scratch", "fine-tuning"),
            ("SimCLR", "linear probe"),
            ("SimCLR", "fine-tuning"),
        )
        for _ in range(2)
    ]
    assert {row["labels"] for row in report["means"]} == {3, 24}
    assert report["data"]["images"] == {"to learn from": 24, "to test on": 12, "unlabelled": 121}
    assert {name.split("/")[-1] for name in report["data"]["skipped"]} == {"x.png"}
    assert report["chance"] == pytest.approx(1 / 3)
    notes = " ".join(report["notes"])
    assert "1 of the unlabelled images are test images" in notes
    assert "1 seed say little" in notes
    assert "SimCLR, linear probe, against from scratch: " in notes


def test_the_page_has_the_curve_and_maps_before_and_after(finished):
    page = (finished.path / "report.html").read_text("utf-8")
    for words in (
        "principal components, before",
        "t-SNE, after",
        "to scratch",
        "SimCLR",
        "Accuracy over the number of",
    ):
        assert words in page
    assert page.count("<svg") == 5


def test_what_ships_is_a_classifier_that_exports_and_the_encoder_beside_it(finished, coloured):
    classifier = finished.classifier()
    assert classifier.names == ("blue", "green", "red")
    pictures = np.stack([decode(coloured / "test" / name / "0.png", 16) for name in classifier.names])
    assert np.isfinite(classifier.score(pictures)).all()
    encoder = keras.saving.load_model(finished.path / "encoder.keras", safe_mode=True)
    assert encoder.input_shape == (None, 16, 16, 3)
    assert main(["export", str(finished.path), "--format", "tflite"]) == 0
    assert "✓ holds" in (finished.path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    "method",
    [
        ("method:sparse-coding", "--method.atoms", "6", "--method.iterations", "3", "--method.epochs", "1"),
        ("method:autoencoder", "--method.size", "4", "--method.hidden", "6", "--method.descent.epochs", "2"),
    ],
)
def test_features_of_a_backbone_are_pretrained_on_and_what_ships_exports(coloured, tmp_path, method):
    assert start(coloured, tmp_path / "run", network=FEATURES, method=method) == 0
    report = Run(tmp_path / "run").read_json("report.json")
    assert report["backbone"]["name"] == "conv4"
    assert report["data"]["images"]["unlabelled"] == 24
    assert "without their labels" in " ".join(report["notes"])
    assert main(["export", str(tmp_path / "run"), "--format", "all"]) == 0
    assert "✗ differs" not in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_sparse_codes_of_patches_export(coloured, tmp_path):
    method = ("method:sparse-coding", "--method.atoms", "6", "--method.iterations", "3", "--method.epochs", "1")
    assert start(coloured, tmp_path / "run", method=method) == 0
    assert main(["export", str(tmp_path / "run"), "--format", "all"]) == 0
    assert "✗ differs" not in (tmp_path / "run" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--unlabelled", "no_such_folder"), "no_such_folder: expected a folder of images, received no folder"),
        (("--shares", "0"), "shares: expected numbers in (0, 1]"),
        (("--small-size", "8"), "small_size: expected a number > 0"),
    ],
)
def test_what_can_not_be_is_refused_before_images_are_read(coloured, tmp_path, capsys, monkeypatch, more, message):
    def extract(*_, **__):
        raise AssertionError

    monkeypatch.setattr("zsltf.evaluation.self_taught_photos.extract_features", extract)
    with suppress(SystemExit):
        assert start(coloured, tmp_path / "run", *more) == 1
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_nothing_to_test_on_is_refused(drawn, tmp_path, capsys):
    assert start(drawn / "images", tmp_path / "run", "--test", "0") == 1
    assert "expected images to test on, received none. Set --test" in " ".join(capsys.readouterr().err.split())
