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
    assert sae[4:10] == ["30", "to", "50", "-20", "to", "0"]  # classes 0.3 and 0.5, against 0.3 and 0.3
    assert sae[10:] == ["60.0", "54.1", "2"]


def test_rows_of_other_seeds_are_added_and_of_the_same_one_replaced(tmp_path):
    table = BenchmarkTable(tmp_path / "out")
    for seed, accuracy in ((1, 0.5), (0, 0.25), (1, 0.75)):
        table.add(row("sae", seed, 0.3, [accuracy]))
    assert [(one["seed"], one["unseen_accuracy"]) for one in table.rows()] == [(0, 0.25), (1, 0.75)]
    wanted = {"set": "TOY", "split": "0123456789abcdef", "method": "sae", "asked": {"seed": 1}}
    assert table.has(wanted)
    assert not table.has({**wanted, "split": "another"})
    assert not table.has({**wanted, "data": "another"})
    lines = (tmp_path / "out" / "results.csv").read_text().splitlines()
    assert len(lines) == 3
    assert len(lines[0].split(",")) == len(set(lines[0].split(",")))


def test_no_rows_are_no_table():
    assert not any(line[:1] == ["method"] for line in printed([]))
    with pytest.raises(KeyError):
        printed([{"set": "TOY", "split": "", "method": "sae"}])


@pytest.mark.parametrize("content", ["[{", "3", '[{"set": "TOY"}]', '{"a": 1}', "[1]"])
def test_a_damaged_table_is_named_and_kept(tmp_path, content):
    file = tmp_path / "results.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"results\.json: expected rows as gbu wrote them, .* It is kept"):
        BenchmarkTable(tmp_path).check()
    assert file.read_text() == content


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ValueError, match=r"out: expected a folder that can be written, received Not a directory"):
        BenchmarkTable(tmp_path / "out").check()
    BenchmarkTable(tmp_path / "new").check()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
