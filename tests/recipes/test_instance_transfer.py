"""Instance transfer from files to a run folder: what stands beside what, weights on the page, what ships."""

import pytest

from zsltf.cli import main
from zsltf.data.domain_folders import read_domains
from zsltf.data.toy_sizes import draw_sizes
from zsltf.runs import Run

NETWORK = ("--backbone", "mean_colour", "--weights", "random")
QUICK = ("--seeds", "0", "1", "--shots", "1", "--components", "3")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Both domains with eight pictures of each class; one file is broken."""
    root = draw_sizes(tmp_path_factory.mktemp("sizes") / "drawn", images=8, size=16)
    (root / "large" / "red_ring" / "x.png").write_bytes(b"not a picture")
    return root


def start(data, out, *more, method="method:classifier-ratio"):
    where = ("--domains", str(data), "--out", str(out))
    return main(["run", "instance_transfer", *where, *NETWORK, *QUICK, *more, method])


def test_the_weighted_source_stands_beside_what_it_has_to_beat(pictures, tmp_path, capsys):
    assert start(pictures, tmp_path / "run") == 0
    run = Run(tmp_path / "run")
    report = run.read_json("report.json")
    names = [row["name"] for row in report["rows"]]
    assert names == ["source", "source, ClassifierRatio", "target alone", "both", "both, TrAdaBoost"]
    means = {row["name"]: row["mean"] for row in report["rows"]}
    assert report["rows"][1]["difference"] == pytest.approx(means["source, ClassifierRatio"] - means["source"])
    assert report["rows"][0]["difference"] is None
    assert report["images"] == [72, 72]
    assert len(report["sizes"]) == 2
    assert 0 < report["sizes"][0] <= 72
    assert [one["title"] for one in report["maps"]] == ["principal components", "t-SNE"]
    assert len(report["maps"][0]["weights"]) == 72
    weights = [sample["weight"] for sample in report["samples"]]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == pytest.approx(report["heaviest"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "the 72 source examples are worth" in printed
    page = (run.path / "report.html").read_text("utf-8")
    assert page.count("<svg") == 2
    assert "area = weight" in page
    assert "x.png" in page
    images = read_domains(pictures)
    assert run.classifier().names == images.names


def test_boosting_stands_beside_both_and_exports(pictures, tmp_path):
    assert start(pictures, tmp_path / "run", method="method:tradaboost") == 0
    run = Run(tmp_path / "run")
    report = run.read_json("report.json")
    assert [row["name"] for row in report["rows"]] == ["source", "target alone", "both", "both, TrAdaBoost"]
    assert report["main"] == "both, TrAdaBoost"
    assert any("both, TrAdaBoost" in note and " both" in note for note in report["notes"])
    assert main(["export", str(run.path), "--format", "tflite"]) == 0
    assert "✓ holds" in (run.path / "report.html").read_text("utf-8")


def test_what_can_not_be_is_refused_before_features_are_extracted(pictures, tmp_path, capsys, monkeypatch):
    def extract(*_, **__):
        raise AssertionError

    monkeypatch.setattr("zsltf.evaluation.instance_photos.extract_features", extract)
    assert start(pictures, tmp_path / "run", "--shots", "5") == 1
    assert "shots: expected at most the 4 of each class" in " ".join(capsys.readouterr().err.split())
    assert start(pictures, tmp_path / "run", "--target", "huge") == 1
    assert "domain: expected one of large, mostly_small, received 'huge'" in " ".join(capsys.readouterr().err.split())
    assert start(pictures, pictures / "run") == 1
    assert "expected a folder outside" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()
