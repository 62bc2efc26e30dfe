"""Self-taught clustering from files to a table."""

import json
import re

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from zsltf.cli import main

NETWORK = ("--backbone", "mean_colour", "--weights", "random")


def start(data, out, *more, method=("method:co-clustering", "--method.restarts", "2")):
    options = ("--data", str(data), *NETWORK, "--out", str(out), "--seeds", "0", "1")
    return main(["run", "self_taught_clustering", *options, *more, *method])


def test_colours_are_found_beside_k_means_with_pictures_of_other_classes(drawn, tmp_path, capsys):
    assert start(drawn / "images", tmp_path / "out", "--target-classes", "6") == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["counts"] == {"target": 30, "auxiliary": 90}
    assert [row["method"] for row in report["means"]] == ["CoClustering", "k-means, raw features"]
    row = report["rows"][0]
    y = np.array([report["classes"].index(path.split("/")[0]) for path in report["images"]])
    assert row["rand_index"] == pytest.approx(adjusted_rand_score(y, row["assignment"]))
    assert row["accuracy"] > 0.25  # six classes of four colours
    assert (np.diff(row["objective"]) <= 1e-12).all()
    mean = report["means"][0]["accuracy"]
    assert mean["mean"] == pytest.approx(np.mean([row["accuracy"] for row in report["rows"][::2]]))
    assert mean["difference"] == pytest.approx(mean["mean"] - report["means"][1]["accuracy"]["mean"])
    said = " ".join(capsys.readouterr().out.split())
    assert "30 images of 6 classes, whose labels are for this table alone; 90 auxiliary ones" in said
    assert "above k-means" in said
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    sizes = np.bincount(row["assignment"])
    assert sorted(map(int, re.findall(r"<h3[^>]*>(\d+) images?,", page))) == sorted(sizes[sizes > 0])
    assert page.count("<img") == np.minimum(sizes, 6).sum()
    for own in (y[np.array(row["assignment"]) == cluster] for cluster in np.flatnonzero(sizes)):
        assert f", {np.bincount(own).max()} of " in page


def test_a_folder_without_labels_helps_all_classes(coloured, drawn, tmp_path):
    method = ("method:deep-clustering", "encoder:autoencoder", "--method.encoder.size", "2")
    assert start(coloured / "test", tmp_path / "out", "--unlabelled", str(drawn), method=method) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["counts"] == {"target": 12, "auxiliary": 120}
    assert report["classes"] == ["blue", "green", "red"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--target-classes", "24"), "--target-classes: expected 2 to 23 of the 24 classes, received 24. Give others"),
        (("--target-classes", "1"), "--target-classes: expected 2 to 23 of the 24 classes, received 1"),
    ],
)
def test_what_can_not_be_is_refused_before_images_are_read(drawn, tmp_path, capsys, monkeypatch, more, message):
    def extract(*_, **__):
        raise AssertionError

    monkeypatch.setattr("zsltf.evaluation.clustering.extract_features", extract)
    assert start(drawn / "images", tmp_path / "out", *more) == 1
    assert message in " ".join(capsys.readouterr().err.split())
