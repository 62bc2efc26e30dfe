"""Domain generalisation from files to a run folder: what is refused before slow work, what is told, what ships."""

import shutil

import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.domain_folders import read_domains
from zsltf.data.toy_domains import draw_domains
from zsltf.runs import Run

NETWORK = ("--backbone", "conv4", "--weights", "random", "--size", "16", "--hidden", "4")
QUICK = ("--seeds", "0", "--learning-rates", "0.01", "--penalties", "1e-5", "--epochs", "2")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Three domains of nine classes with four pictures each; one file is broken."""
    root = draw_domains(tmp_path_factory.mktemp("domains") / "drawn", images=4, size=16)
    shutil.rmtree(root / "noisy")
    (root / "pale" / "red_ring" / "x.png").write_bytes(b"not a picture")
    (root / "pale" / "red_ring" / "notes.txt").write_text("no image")
    return root


def start(data, out, *more, method="method:erm"):
    return main(
        ["run", "domain_generalisation", "--domains", str(data), *NETWORK, *QUICK, "--out", str(out), *more, method]
    )


@pytest.fixture(scope="module")
def finished(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    assert start(pictures, out, method="method:group-dro") == 0
    return Run(out)


def test_each_domain_is_new_in_turn_and_the_method_stands_beside_erm(finished):
    report = finished.read_json("report.json")
    assert report["domains"] == {"coarse": 36, "pale": 36, "plain": 36}
    rows = [(row["selection"], row["name"]) for row in report["rows"]]
    assert rows == [(selection, name) for selection in ("training domains", "oracle") for name in ("GroupDRO", "ERM")]
    for row in report["rows"]:
        assert row["mean"] == pytest.approx(np.mean(row["domains"]))
        assert (row["difference"] is None) == (row["name"] == "ERM")
    main_row, reference = report["rows"][:2]
    assert main_row["difference"] == pytest.approx(main_row["mean"] - reference["mean"])
    assert report["hardest"] == list(report["domains"])[int(np.argmin(main_row["domains"]))]
    assert {path.split("/")[-1] for path in report["data"]["skipped"]} == {"x.png"}
    assert len(report["choices"]) == 2 * 3
    assert report["choices"][0]["learning_rate"] == 0.01
    assert set(report["setting"]) == {"rate", "learning_rate", "penalty"}


def test_the_page_has_maps_before_and_after_and_says_what_the_figures_are(finished):
    page = (finished.path / "report.html").read_text("utf-8")
    for words in ("principal components, before", "t-SNE, after", "GroupDRO", "nobody can where"):
        assert words in page
    assert page.count("<svg") == 4
    notes = " ".join(finished.read_json("report.json")["notes"])
    assert "1 seed say" in notes
    assert "GroupDRO" in notes


def test_what_ships_knows_all_classes_and_exports(finished, pictures):
    images = read_domains(pictures)
    classifier = finished.classifier()
    assert classifier.names == images.names
    assert np.isfinite(classifier.score(np.stack([images.images.load(row, 16) for row in (0, 40)]))).all()
    assert main(["export", str(finished.path), "--format", "tflite"]) == 0
    assert "✓ holds" in (finished.path / "report.html").read_text("utf-8")


def test_what_can_not_be_is_refused_before_features_are_extracted(pictures, tmp_path, capsys, monkeypatch):
    def extract(*_, **__):
        raise AssertionError

    monkeypatch.setattr("zsltf.evaluation.generalisation_photos.extract_features", extract)
    few = shutil.copytree(pictures, tmp_path / "few")
    shutil.rmtree(few / "pale")
    assert start(few, tmp_path / "run") == 1
    assert "domains: expected three or more: one is new, two are sources" in " ".join(capsys.readouterr().err.split())
    assert start(pictures, tmp_path / "run", "--hidden", "-1") == 1
    assert "hidden: expected a number >= 0" in " ".join(capsys.readouterr().err.split())
    assert start(pictures, pictures / "run") == 1
    assert "expected a folder outside --domains" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()
