"""`zsltf run multitask`: a run folder a head, the figures of both, and classes that had no photo."""

import csv

import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.metrics.zero_shot import harmonic_mean
from zsltf.runs import RUN_FILES, Run

SMALL = ("--backbone", "conv4", "--weights", "random", "--size", "32", "--batch-size", "12")
SHORT = ("--schedule", "head_only", "--head-epochs", "3", "--learning-rate", "1e-2", "--alone")


def start(drawn, out, *more):
    photos = ("--data", str(drawn / "images"), "--classes", str(drawn / "attributes.csv"))
    return main(["run", "multitask", *photos, *SMALL, *SHORT, "--out", str(out), *more])


@pytest.fixture(scope="module")
def run(drawn, tmp_path_factory):
    out = tmp_path_factory.mktemp("multitask") / "run"
    assert start(drawn, out, "--uncertainty") == 0
    return out


@pytest.fixture(scope="module")
def figures(run):
    """Training and head -> figures."""
    return {(row["training"], row["head"]): row for row in Run(run).read_json("report.json")["rows"]}


def test_there_is_a_run_folder_a_head(run):
    assert {path.name for path in run.iterdir()} == {"report.json", "class", "attributes"}
    for head in ("class", "attributes"):
        assert {path.name for path in (run / head).iterdir()} <= set(RUN_FILES)
        report = Run(run / head).read_json("report.json")
        assert report["recipe"] == "multitask"
        assert report["baseline"]["name"] == f"{head} alone"
        assert f"{head} alone" in (run / head / "report.html").read_text("utf-8")
    assert [path.name for path in run.parent.iterdir()] == ["run"]


def test_the_figures_are_those_of_what_ships(run, figures, drawn):
    """Scored from files again: the unseen classes' images are all of them, none was trained on."""
    table, classifier = ClassTable.from_csv(drawn / "attributes.csv"), Run(run / "attributes").classifier()
    assert set(classifier.names) == set(table.names)
    unseen = [name for name, seen in zip(table.names, table.seen, strict=True) if not seen]
    paths = [path for name in unseen for path in sorted((drawn / "images" / name).iterdir())]
    scores = classifier.score(np.stack([decode(path, 32) for path in paths]))
    columns, y = [classifier.names.index(name) for name in unseen], np.repeat(np.arange(len(unseen)), 5)
    told = figures["together", "attributes"]
    assert told["unseen_accuracy"] == pytest.approx(mean_class_accuracy(y, scores[:, columns].argmax(axis=1)))
    everywhere = mean_class_accuracy(np.array(columns)[y], scores.argmax(axis=1))
    assert told["unseen"] == pytest.approx(everywhere)
    assert told["harmonic_mean"] == pytest.approx(float(harmonic_mean(told["seen"], told["unseen"])))
    assert told["unseen_chance"] == pytest.approx(1 / len(unseen))


def test_each_head_stands_beside_itself_alone(run, figures):
    assert len(figures) == 4
    for head in ("class", "attributes"):
        report = Run(run / head).read_json("report.json")
        assert figures["together", head]["accuracy"] == report["test"]["mean_class_accuracy"]
        assert figures[f"{head} alone", head]["accuracy"] == report["baseline"]["mean_class_accuracy"]
        assert figures["together", head]["chance"] == pytest.approx(1 / 18)
    assert "unseen_accuracy" not in figures["together", "class"]
    assert len(Run(run / "class").classifier().names) == 18


@pytest.mark.parametrize("head", ["class", "attributes"])
def test_each_head_exports(run, head, tmp_path):
    assert main(["export", str(run / head), "--format", "onnx", "--out", str(tmp_path / "export")]) == 0
    assert (tmp_path / "export" / "model.onnx").is_file()


def test_a_table_needs_attributes(drawn, tmp_path, capsys):
    given = ("--data", str(drawn / "images"), *SMALL)
    assert main(["run", "multitask", *given, "--out", str(tmp_path / "run")]) == 1
    assert "expected attributes for an attribute head, received none" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ours_is_not_overwritten(drawn, tmp_path, capsys):
    for head in ("class", "attributes"):
        (tmp_path / "run" / head).mkdir(parents=True)
        (tmp_path / "run" / head / "report.json").touch()
    (tmp_path / "run" / "report.json").touch()
    (tmp_path / "run" / "attributes" / "thesis.txt").touch()
    assert start(drawn, tmp_path / "run", "--overwrite") == 1
    assert "zsltf's own files to overwrite, received also thesis.txt" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "run" / "attributes" / "thesis.txt").is_file()


def test_without_unseen_classes_there_are_no_figures_of_them(drawn, tmp_path, capsys):
    with (drawn / "attributes.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    with (tmp_path / "seen.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *([row[0], "seen", *row[2:]] for row in rows)])
    given = ("--data", str(drawn / "images"), "--classes", str(tmp_path / "seen.csv"), *SMALL, *SHORT[:4])
    assert main(["run", "multitask", *given, "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "accuracy, trained classes" in printed
    assert "unseen classes" not in printed
    assert len(Run(tmp_path / "run" / "attributes").classifier().names) == 24


@pytest.mark.slow
def test_the_accuracies_that_are_claimed(tmp_path):
    assert main(["run", "multitask", "--out", str(tmp_path / "run")]) == 0
    classes, attributes = Run(tmp_path / "run").read_json("report.json")["rows"]
    assert classes["accuracy"] == pytest.approx(0.948, abs=0.02)
    assert attributes["accuracy"] == pytest.approx(0.969, abs=0.02)
    assert attributes["unseen_accuracy"] == pytest.approx(0.919, abs=0.05)
    assert attributes["harmonic_mean"] == pytest.approx(0.241, abs=0.1)
