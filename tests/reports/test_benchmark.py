"""The benchmark's table: order, seeds, and what is told of intervals."""

import csv
import io

import numpy as np
import pytest
from rich.console import Console

from zsltf.discovery import names
from zsltf.reports.benchmark import BenchmarkTable, print_benchmark
from zsltf.reports.benchmark_summary import summarise


def row(method, seed, validation, per_class, best_epoch=None):
    figures = dict.fromkeys(("seen", "unseen", "harmonic_mean"), 0.25)
    return {
        "set": "TOY",
        "matrix": "att",
        "split": "0123456789abcdef",
        "data": "fedcba9876543210",
        "method": method,
        "seed": seed,
        "validation": validation,
        "unseen_accuracy": float(np.mean(per_class)),
        "interval": [0.1, 0.9],
        "per_class": per_class,
        "best_epoch": best_epoch and {"unseen_accuracy": best_epoch, "harmonic_mean": 0.35},
        "uncalibrated": figures,
        "calibrated": figures,
        "oracle": figures,
        "area": 0.125,
        "shuffled": 0.125,
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
    assert ridge == ["ridge", "50.0", "30.0", "30", "to", "30", "12.5"]  # one seed, classes alike, nothing to be below
    spread = 100 * np.std([0.3, 0.5], ddof=1)
    assert sae[:4] == ["sae", "35.0", "40.0", f"{spread:.1f}"]
    assert sae[4:10] == ["0", "to", "100", "-100", "to", "100"]  # of two classes nothing can be said
    assert sae[10:] == ["12.5", "60.0", "54.1"]
    among_all = [line for line in lines if line[:1] == ["sae"]][1]
    assert among_all == ["sae", "25.0", "25.0", "25.0", "2.2", "25.0", "25.0", "35.0", "12.5", "2"]


def test_rows_under_other_options_are_not_averaged_with_these():
    rows = [row("sae", 0, 0.5, [0.8, 0.6]), row("sae", 1, 0.3, [0.2, 0.4]), row("sae", 2, 0.3, [0.4, 0.6])]
    for number, (one, repeats) in enumerate(zip(rows, (1, 3, 3), strict=True)):
        one["asked"] = {"seed": number, "repeats": repeats}
    (one,) = summarise(rows)
    averaged = [(method["runs"], method["unseen_accuracy"]) for method in one["methods"]]
    assert averaged == [(1, pytest.approx(0.7)), (2, pytest.approx(0.4))]


def test_seeds_with_more_shuffles_than_others_are_one_method():
    rows = [row("sae", 0, 0.5, [0.8, 0.6]), row("sae", 1, 0.3, [0.2, 0.4])]
    for one, shuffles, shuffled in zip(rows, (5, 1), (0.1, 0.3), strict=True):
        one |= {"asked": {"seed": one["seed"], "shuffles": shuffles}, "shuffled": shuffled}
    ((method,),) = (one["methods"] for one in summarise(rows))
    assert (method["runs"], method["shuffled"]) == (2, pytest.approx(0.2))


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


def test_rows_of_another_matrix_stay_and_have_a_table_of_their_own(tmp_path):
    table = BenchmarkTable(tmp_path / "out")
    for matrix in ("att", "sentences", "att"):
        table.add({**row("sae", 0, 0.3, [0.5]), "matrix": matrix})
    assert [one["matrix"] for one in table.rows()] == ["att", "sentences"]
    titles = [" ".join(line) for line in printed(table.rows()) if line[:1] == ["TOY,"]]
    assert titles == ["TOY, att", "TOY, sentences"]
    with (tmp_path / "out" / "results.csv").open() as file:
        assert [(line["matrix"], line["seed"]) for line in csv.DictReader(file)] == [("att", "0"), ("sentences", "0")]


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


@pytest.mark.parametrize("width", [80, 30])
def test_nothing_is_cut_at_any_width(width):
    console = Console(file=io.StringIO(), width=width)
    wide = [row(name, seed, 0.999, [0.0, 1.0], best_epoch=1.0) for name in names("zeroshot") for seed in (0, 1)]
    narrow = [{**one, "per_class": [1.0, 0.0] if one["method"] == "ale" else one["per_class"]} for one in wide]
    print_benchmark(narrow, console)
    text = console.file.getvalue()
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    tables = text[: text.index("val: on")].splitlines()
    assert max(map(len, tables)) <= 80
    for name in names("zeroshot"):
        assert len([line for line in tables if line.split()[:1] == [name]]) == 2


def test_a_figure_that_was_recalled_is_marked_and_rows_of_other_data_are_apart():
    one = row("sae", 0, 0.3, [0.2, 0.4])
    recalled = {**one, "published": {"unseen": 54.1, "generalized": None, "recalled": True}, "data": "another"}
    lines = [line for line in printed([one, recalled]) if line[:1] == ["sae"]]
    assert [line[-1] for line in lines[::2]] == ["54.1", "~54.1"]
