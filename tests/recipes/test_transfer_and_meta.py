"""Transfer and meta-learning in one table, on a few drawn pictures."""

import json

from zsltf.cli import main

NETWORK = ("--backbone", "conv4", "--weights", "random", "--size", "16", "--small-size", "16", "--filters", "8")
SHORT = (
    "--ways",
    "3",
    "--shots",
    "1",
    "--queries",
    "2",
    "--episodes",
    "5",
    "--epochs",
    "1",
    "--steps",
    "2",
    "--seeds",
    "0",
)


def run(drawn, out, *options):
    return main(
        ["run", "transfer_and_meta", "--data", str(drawn / "images"), *NETWORK, *SHORT, "--out", str(out), *options]
    )


def test_writes_a_row_for_each_start_and_training(drawn, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("zsltf.evaluation.transfer_and_meta.TRAINING_QUERIES", 2)
    assert run(drawn, tmp_path / "out", "--base", "10", "--validation", "4") == 0
    assert "above neither" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [(row["start"], row["training"]) for row in report["means"]] == [
        (start, training)
        for start in ("from scratch, 16 px", "conv4's features")
        for training in ("neither", "pretraining", "meta-learning", "both")
    ]
    assert run(drawn, tmp_path / "out", "--base", "10", "--validation", "4") == 1
    assert "expected a path where nothing is yet" in capsys.readouterr().err


def test_no_validation_classes_are_refused(drawn, tmp_path, capsys):
    assert run(drawn, tmp_path / "out", "--validation", "0") == 1
    assert "expected base and validation classes, received none" in capsys.readouterr().err
