"""Cross-validation of settings from files to a run folder: what is chosen, tested, told and refused."""

import csv

import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.evaluation import tuning
from zsltf.runs import Run


def start(data, out, *more):
    network = ("--backbone", "mean_colour", "--weights", "random", "--batch-size", "4", "--head-epochs", "8")
    options = ("--folds", "2", *network, "--out", out, *more)
    return main(["run", "cross_validate", "--data", str(data), *map(str, options)])


@pytest.fixture(scope="module")
def done(coloured, tmp_path_factory):
    """The run folder of two rates, of which one does nothing, and two batch sizes."""
    out = tmp_path_factory.mktemp("cross_validate") / "run"
    assert start(coloured, out, "--vary", "learning_rate=1e-9,0.3", "batch_size=4,6") == 0
    return out


def test_every_setting_has_a_row_and_the_best_of_them_ships(done):
    with (done / "cross_validation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    varied = [(float(row["learning_rate"]), int(row["training.batch_size"])) for row in rows]
    assert varied == [(1e-9, 4), (1e-9, 6), (0.3, 4), (0.3, 6)]
    for row in rows:
        folds = [float(row["fold 0"]), float(row["fold 1"])]
        assert (float(row["mean"]), float(row["sd"])) == pytest.approx((np.mean(folds), np.std(folds, ddof=1)))
    means = [float(row["mean"]) for row in rows]
    chosen = varied[means.index(max(means))]
    assert chosen[0] == 0.3
    method = Run(done).read_json("config.json")["settings"]["method"]
    assert (method["learning_rate"], method["training"]["batch_size"]) == chosen


def test_it_was_trained_on_all_folds_and_tested_on_what_is_in_none(coloured, done):
    run = Run(done)
    report, classifier = run.read_json("report.json"), run.classifier()
    assert report["data"]["images"] == {"train": 24, "test": 12}
    shares = []
    for label, name in enumerate(classifier.names):
        scores = classifier.score(np.stack([decode(path, 32) for path in sorted((coloured / "test" / name).iterdir())]))
        shares.append((scores.argmax(axis=1) == label).mean())
    assert report["test"]["mean_class_accuracy"] == pytest.approx(np.mean(shares))


def test_the_output_says_which_figure_was_picked_and_which_was_not(coloured, tmp_path, capsys):
    assert start(coloured, tmp_path / "run", "--vary", "learning_rate=1e-9,0.3") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "setting 2 of 2 (learning_rate=0.3), fold 1" in told
    assert "Chosen: learning_rate=0.3 (" in told
    assert "the highest mean of 2, of equal ones the first; picked, so optimistic" in told
    assert "on the 12 test images, which no fold held: not optimistic (chance 0.333)" in told


@pytest.mark.parametrize("more", [(), ("--no-stratified",)])
def test_a_group_is_in_one_fold(coloured, tmp_path, monkeypatch, more):
    data, groups = tmp_path / "table.csv", {}
    with data.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient"])
        for number, path in enumerate(sorted((coloured / "train").glob("*/*.png"))):
            groups[str(path)] = number % 8 // 2
            writer.writerow([path, path.parent.name, number % 8 // 2])
    seen = []

    def spy(method, backbone, labelled):
        seen.append([{groups[name] for name in part.names} for part in (labelled.train, labelled.test)])
        return transfer(method, backbone, labelled)

    transfer = tuning.transfer
    monkeypatch.setattr(tuning, "transfer", spy)
    arguments = ("--group-column", "patient", "--test", "0.25", "--vary", "learning_rate=0.3", *more)
    assert start(data, tmp_path / "run", *arguments) == 0
    assert len(seen) == 3
    assert not any(train & test for train, test in seen)
    (first, second), (_, held) = (seen[0][1], seen[1][1]), seen[2]
    assert first | second | held == {0, 1, 2, 3}
    assert not (first & second) | (held & (first | second))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--vary", "learning_rat=1"), "--vary: expected one of"),
        (("--vary", "learning_rate=fast"), "--vary learning_rate: expected FLOAT, received 'fast'"),
        (("--vary", "learning_rate=1e-3,0"), "learning_rate: expected a number > 0, received 0"),
        (("--vary", "seed=0,1"), "--vary: expected settings, received the seed"),
        (("--vary", "batch_size=4,13"), "batch_size: expected at most the 12 training images"),
        (("--folds", "0"), "folds: expected 2 or more, received 0"),
        (("--fold", "1"), "--fold: expected 0, since every fold is tested in turn"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_training(coloured, tmp_path, capsys, monkeypatch, more, message):
    monkeypatch.setattr(tuning, "transfer", None)
    assert start(coloured, tmp_path / "run", *more) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_images_without_a_test_part_are_refused(coloured, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tuning, "transfer", None)
    assert start(coloured / "train", tmp_path / "run", "--test", "0") == 1
    assert "expected images for the test, in no fold, received none. Give --test a share" in capsys.readouterr().err


def test_a_tuning_that_fails_leaves_nothing(coloured, tmp_path, monkeypatch):
    def broken(*_):
        raise ValueError("loss: expected a finite number, received nan. Lower the rate.")

    monkeypatch.setattr(tuning, "transfer", broken)
    assert start(coloured, tmp_path / "run") == 1
    assert not list(tmp_path.iterdir())
