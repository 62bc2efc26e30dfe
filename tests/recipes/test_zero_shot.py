import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.runs import Run

ROOT = Path(__file__).parents[2]


def start(drawn, out, *more):
    photos = ("--images", str(drawn / "images"), "--classes", str(drawn / "attributes.csv"))
    network = ("--backbone", "conv4", "--weights", "random")
    protocol = ("--shuffles", "3", "--random-partitions", "2")
    method = () if any(option.startswith("method:") for option in more) else ("method:eszsl",)
    return main(["run", "zero_shot", *photos, *network, *protocol, "--out", str(out), *more, *method])


def names_in(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def run(drawn, tmp_path_factory):
    out = tmp_path_factory.mktemp("recipes") / "new" / "run"
    assert start(drawn, out) == 0
    return Run(out)


@pytest.fixture(scope="module")
def report(run):
    return run.read_json("report.json")


def test_the_run_folder_is_complete(run, report):
    files = {"model.keras", "classes.json", "config.json", "report.json", "golden.npz", "report.html", "samples"}
    assert names_in(run.path) == files
    assert names_in(run.path / "samples") == {f"{i:02d}.jpg" for i in range(16)}
    assert names_in(run.path.parent) == {"run"}
    assert report["backbone"] == {
        "name": "conv4",
        "weights": "random",
        "sha256": "",
        "licence": "",
        "feature_size": 64,
        "input_size": 84,
        "resize": "stretch",
    }
    assert (report["features"]["images"], report["features"]["size"]) == (24 * 5, 64)
    assert report["seconds"] > 0
    page = (run.path / "report.html").read_text("utf-8")
    assert "conv4" in page
    assert f"{100 * report['partitions'][0]['unseen_accuracy']:.1f}" in page


def test_the_settings_are_kept(run):
    settings = run.read_json("config.json")["settings"]
    assert settings["network"]["backbone"] == "conv4"
    assert settings["photos"]["random_partitions"] == 2
    assert settings["protocol"]["shuffles"] == 3
    assert settings["method"]["feature_ridge"] == 1.0


def test_every_partition_has_a_row_and_the_random_ones_a_spread(report):
    assert [row["partition"] for row in report["partitions"]] == ["split", "random 0", "random 1"]
    for row in report["partitions"]:
        assert len(row["unseen_classes"]) == 6
        assert row["chance"] == pytest.approx(1 / 6)
        for figure in ("unseen_accuracy", "shuffled", "mean_colour", "seen", "unseen", "harmonic_mean", "area"):
            assert 0 <= row[figure] <= 1
    assert list(report["spread"]) == ["random"]
    accuracies = [row["unseen_accuracy"] for row in report["partitions"][1:]]
    assert report["spread"]["random"]["unseen_accuracy"]["mean"] == pytest.approx(np.mean(accuracies))


def test_what_ships_is_what_was_tested(drawn, run, report):
    """The saved model, from image files, reaches the unseen accuracy that was measured on cached features."""
    classifier, shares = run.classifier(), []
    unseen = np.flatnonzero(~classifier.classes.seen)
    for label in unseen:
        paths = sorted((drawn / "images" / classifier.names[label]).iterdir())
        scores = classifier.score(np.stack([decode(path, 84) for path in paths]))
        shares.append((unseen[scores[:, unseen].argmax(axis=1)] == label).mean())
    assert report["partitions"][0]["unseen_accuracy"] == pytest.approx(np.mean(shares))


def test_samples_are_test_photos_with_what_the_saved_model_says_of_them(drawn, run, report):
    classifier, samples = run.classifier(), report["samples"]
    assert [sample["truth"] for sample in samples] == [Path(sample["source"]).parent.name for sample in samples]
    assert len({sample["truth"] for sample in samples}) == 16
    seen = dict(zip(classifier.names, classifier.classes.seen, strict=True))
    assert [sample["seen"] for sample in samples] == [False] * 6 + [True] * 10
    for sample in samples:
        assert sample["seen"] == seen[sample["truth"]]
        picture = decode(drawn / "images" / sample["source"], 84)
        probabilities = np.asarray(classifier.probabilities(classifier.score(picture[None])[0]))
        best = np.argsort(-probabilities)[:3]
        np.testing.assert_allclose([p for _, p in sample["ranking"]], probabilities[best], atol=1e-4)
        assert (
            sample["ranking"][0][0] == classifier.names[best[0]]
            or probabilities[best[0]] - probabilities[best[1]] < 1e-3
        )
        with Image.open(io.BytesIO((run.path / sample["file"]).read_bytes())) as thumbnail:
            assert thumbnail.format == "JPEG"
            assert max(thumbnail.size) <= 160


def test_a_second_run_decodes_nothing_for_its_features_and_says_the_same(drawn, run, report, monkeypatch):
    def decoded(*_):
        raise AssertionError("features came from images, not from the cache")

    monkeypatch.setattr("zsltf.data.images.decode", decoded)
    out = run.path.parents[1] / "again"
    assert start(drawn, out) == 0
    again = Run(out).read_json("report.json")
    assert {**again, "seconds": 0} == {**report, "seconds": 0}
    np.testing.assert_array_equal(Run(out).golden().scores, run.golden().scores)
    np.testing.assert_array_equal(Run(out).golden().images, run.golden().images)


def test_pictures_are_drawn_where_no_photos_are_given(tmp_path, monkeypatch, capsys):
    from zsltf.data.toy import draw_folder

    def small(folder, seed):
        return draw_folder(folder, seed=seed, num_classes=24, images_per_class=4, size=32)

    monkeypatch.setattr("zsltf.data.photo_set.draw_folder", small)
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path / "cache"))
    arguments = ("--drawn", "1", "2", "--backbone", "mean_colour", "--weights", "random", "--shuffles", "0")
    assert main(["run", "zero_shot", *arguments, "--out", str(tmp_path / "run")]) == 0
    report = Run(tmp_path / "run").read_json("report.json")
    printed = capsys.readouterr().out  # of what auto chose
    assert "Chosen for drawn 1" in printed
    assert {choice["method"] for choice in report["main"]["tried"]} <= {*printed.split(), "Ensemble"}
    assert [row["partition"] for row in report["partitions"]] == ["drawn 1", "drawn 2"]
    assert report["spread"]["drawn"]["unseen_accuracy"]["mean"] == report["spread"]["drawn"]["mean_colour"]["mean"]


@pytest.mark.parametrize("script", ["recipes/zero_shot.py", "export/export_model.py"])
def test_is_a_script_too(script):
    command = [sys.executable, str(ROOT / script), "--help"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "--overwrite" in finished.stdout


def test_photos_that_are_nearly_the_same_are_listed(run, report):
    pairs = report["features"]["duplicates"]
    assert [pair["distance"] for pair in pairs] == [8, 8]  # the drawn shapes are few
    page = (run.path / "report.html").read_text("utf-8")
    assert "Nearly the same photo in two classes, or in training and test (2)" in page
