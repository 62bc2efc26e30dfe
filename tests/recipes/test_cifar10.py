"""Both networks under each seed: what is printed is what the run folder holds, and what the saved model reaches."""

import io
import re
import statistics
from contextlib import redirect_stdout

import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.evaluation.from_scratch import FromScratch
from zsltf.runs import Run

FAST = ("--backbone", "conv4", "--weights", "random", "--size", "32", "--padding", "4", "--batch-size", "8")
FAST = (*FAST, "--head-epochs", "1", "--epochs", "2", "--scratch.epochs", "1", "--scratch.batch-size", "12")


def start(data, out, *more):
    return main(["run", "cifar10", "--data", str(data), *FAST, "--out", str(out), *map(str, more)])


@pytest.fixture(scope="module")
def outcome(coloured, tmp_path_factory):
    """The run, and the numbers of the printed table: row -> small net, fine-tuned one."""
    out = tmp_path_factory.mktemp("cifar10") / "run"
    with redirect_stdout(io.StringIO()) as text:
        assert start(coloured, out, "--repeats", 2, "--seed", 5) == 0
    rows = re.findall(r"^ *(5|6|mean|sd) +([\d.]+) +([\d.]+) *$", text.getvalue(), re.MULTILINE)
    return Run(out), {name: (float(small), float(tuned)) for name, small, tuned in rows}


def test_the_table_has_each_seed_then_mean_and_deviation(outcome):
    _, table = outcome
    assert set(table) == {"5", "6", "mean", "sd"}
    for column in (0, 1):
        reached = [table[seed][column] for seed in ("5", "6")]
        assert table["mean"][column] == pytest.approx(statistics.mean(reached), abs=1e-3)
        assert table["sd"][column] == pytest.approx(statistics.stdev(reached), abs=1e-3)


def test_the_run_is_the_first_seeds_with_its_small_net_beside_it(outcome):
    run, table = outcome
    report = run.read_json("report.json")
    assert report["test"]["mean_class_accuracy"] == pytest.approx(table["5"][1], abs=5e-4)
    for name, accuracy in (("small net, from scratch", table["6"][0]), ("conv4, fine-tuned", table["6"][1])):
        (note,) = [note for note in report["notes"] if note.startswith(name)]
        assert f", {accuracy:.3f}, seeds 5, 6, mean" in note
    assert report["baseline"]["mean_class_accuracy"] == pytest.approx(table["5"][0], abs=5e-4)
    assert [row["phase"] for row in report["baseline"]["history"]] == ["all"]
    assert [row["phase"] for row in report["history"]] == ["head", "from block4", "all"]
    kept = run.read_json("config.json")["settings"]
    assert (kept["repeats"], kept["scratch"]["epochs"], kept["method"]["training"]["seed"]) == (2, 1, 5)


def test_nothing_is_held_out_and_nothing_is_watched(outcome):
    report = outcome[0].read_json("report.json")
    assert report["data"]["images"] == {"train": 24, "test": 12}
    assert not [key for row in report["history"] for key in row if key.startswith("val_")]


def test_the_saved_model_reaches_on_the_files_what_is_reported(coloured, outcome):
    run, table = outcome
    classifier, shares = run.classifier(), []
    for label, name in enumerate(classifier.names):
        files = sorted((coloured / "test" / name).iterdir())
        scores = classifier.score(np.stack([decode(path, 32) for path in files]))
        shares.append((scores.argmax(axis=1) == label).mean())
    assert np.mean(shares) == pytest.approx(table["5"][1], abs=5e-4)


def test_the_small_net_trains_as_it_was_described():
    method = FromScratch().method(0)
    (phase,) = method.phases(("conv1", "conv2", "dense1", "dense2", "head"))
    assert (phase.epochs, phase.schedule, phase.warmup) == (10, "constant", 0)
    assert set(phase.rates(("conv1", "conv2", "dense1", "dense2", "head")).values()) == {1e-3}
    assert (method.augmentation.padding, method.augmentation.flip, method.training.batch_size) == (4, True, 100)
    optimization = method.training.optimization
    assert (optimization.optimizer, optimization.momentum, optimization.weight_decay) == ("sgd", 0.9, 0)


def test_what_can_not_work_is_refused_before_training(coloured, outcome, tmp_path, capsys, monkeypatch):
    def trained(*_, **__):
        raise AssertionError("something was trained")

    monkeypatch.setattr("zsltf.evaluation.repeats.transfer", trained)
    assert start(coloured, tmp_path / "run", "--repeats", 0) == 1
    assert "repeats: expected a number > 0, received 0" in capsys.readouterr().err
    assert start(coloured, tmp_path / "run", "--weights", tmp_path / "none.h5") == 1
    assert "none.h5'. Check the path." in capsys.readouterr().err
    assert start(coloured, tmp_path / "run", "--backbone", "cifar_net", "--size", 64) == 1
    assert "cifar_net: expected images of a size that its layers take, received 64" in capsys.readouterr().err
    assert start(coloured, outcome[0].path) == 1
    assert "expected a path where nothing is yet" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_accuracy_of_seed_0_that_is_claimed(test_data, tmp_path):
    out = tmp_path / "run"
    assert main(["run", "cifar10", "--data", str(test_data / "cifar10"), "--repeats", "1", "--out", str(out)]) == 0
    report = Run(out).read_json("report.json")
    assert report["test"]["mean_class_accuracy"] == pytest.approx(0.749, abs=0.01)
    assert report["baseline"]["mean_class_accuracy"] == pytest.approx(0.308, abs=0.03)
