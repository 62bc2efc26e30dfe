"""The benchmark's table: order, seeds, and what is told of intervals."""

import io

import numpy as np
import pytest
from rich.console import Console

from zsltf.reports.benchmark import BenchmarkTable, print_benchmark


def row(method, seed, validation, per_class, best_epoch=None):
    figures = dict.fromkeys(("seen", "unseen", "harmonic_mean"), 0.25)
    return {
        "set": "TOY",
        "split": "0123456789abcdef",
        "method": method,
        "seed": seed,
        "validation": validation,
        "unseen_accuracy": float(np.mean(per_class)),
        "interval": [0.1, 0.9],
        "per_class": per_class,
        "best_epoch": best_epoch and {"unseen_accuracy": best_epoch},
        "uncalibrated": figures,
        "calibrated": figures,
        "oracle": figures,
        "area": 0.125,
        "shuffled": None,
        "gamma": 0.0,
        "seconds": 2.0,
        "settings": {"ridge": 1.0},
        "preparation": {"centre": True},
        "published": {"unseen": 54.1 if method == "sae" else None, "generalized": [1.1, 82.2, 2.2]},
        "asked": {"seed": seed},
    }


def printed(rows):
    console = Console(file=io.StringIO(), width=100)
    print_benchmark(rows, console)
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_several_seeds_are_averaged_and_the_best_on_validation_classes_comes_first():
    rows = [
        row("sae", 0, 0.30, [0.2, 0.4], best_epoch=0.5),
        row("sae", 1, 0.40, [0.4, 0.6], best_epoch=0.7),
        row("ridge", 0, 0.50, [0.3, 0.3]),
    ]
    lines = printed(rows)
    ridge, sae = (next(line for line in lines if line[:1] == [name]) for name in ("ridge", "sae"))
    assert lines.index(ridge) < lines.index(sae)
    assert ridge == ["ridge", "50.0", "30.0", "30", "to", "30", "2"]  # one seed, classes alike, nothing to be below
    spread = 100 * np.std([0.3, 0.5], ddof=1)
    assert sae[:4] == ["sae", "35.0", "40.0", f"{spread:.1f}"]
    assert sae[4:10] == ["0", "to", "100", "-100", "to", "100"]  # of two classes nothing can be said
    assert sae[10:] == ["60.0", "54.1", "2"]


def test_rows_of_other_seeds_are_added_and_of_the_same_one_replaced(tmp_path):
    table = BenchmarkTable(tmp_path / "out")
    for seed, accuracy in ((1, 0.5), (0, 0.25), (1, 0.75)):
        table.add(row("sae", seed, 0.3, [accuracy]))
    assert [(one["seed"], one["unseen_accuracy"]) for one in table.rows()] == [(0, 0.25), (1, 0.75)]
    assert table.has("TOY", "0123456789abcdef", "sae", {"seed": 1})
    assert not table.has("TOY", "another", "sae", {"seed": 1})
    lines = (tmp_path / "out" / "results.csv").read_text().splitlines()
    assert len(lines) == 3
    assert len(lines[0].split(",")) == len(set(lines[0].split(",")))


def test_no_rows_are_no_table():
    assert not any(line[:1] == ["method"] for line in printed([]))
    with pytest.raises(KeyError):
        printed([{"set": "TOY", "split": "", "method": "sae"}])
