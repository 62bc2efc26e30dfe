"""The benchmark's page: what stands beside what, and what is left out where nothing is known."""

import numpy as np
import pytest
from scipy import stats

from zsltf.evaluation.published import published
from zsltf.reports.benchmark_page import write_benchmark_page

NOTHING = "\N{EN DASH}"


def figures(unseen, seen, harmonic_mean):
    return {"unseen": unseen, "seen": seen, "harmonic_mean": harmonic_mean}


def row(method, seed, reached, **changes):
    paper = published(method, "CUB")
    return {
        "set": "data/CUB",
        "matrix": "att",
        "split": "0123456789abcdef",
        "data": "fedcba9876543210",
        "method": method,
        "seed": seed,
        "validation": 0.5,
        "unseen_accuracy": reached,
        "per_class": [reached - 0.1, reached + 0.1],
        "known_to_backbone": None,
        "new_to_backbone": None,
        "best_epoch": None,
        "uncalibrated": figures(0.01, 0.02, 0.03),
        "calibrated": figures(0.11, 0.12, 0.13),
        "oracle": figures(0.21, 0.22, 0.23),
        "area": 0.31,
        "shuffled": 0.32,
        "seconds": 33.0,
        "published": {"unseen": paper.unseen, "generalized": paper.generalized, "recalled": paper.recalled},
        **changes,
    }


@pytest.fixture
def page(tmp_path, read_page):
    return lambda rows: read_page(write_benchmark_page(tmp_path, rows))


def test_every_figure_stands_beside_the_published_one(page):
    best = {"unseen_accuracy": 0.61, "last_unseen_accuracy": 0.6, "harmonic_mean": 0.41}
    found = page([row("ale", 0, 0.49, best_epoch=best), row("ale", 1, 0.51, best_epoch=best), row("dap", 0, 0.3)])
    found.check_stands_alone()
    found.check_announced()
    half = stats.t.ppf(0.975, 1) * np.std([0.49, 0.51], ddof=1) / np.sqrt(2)
    seeds = f"{100 * (0.5 - half):.1f}% to {100 * (0.5 + half):.1f}%"
    (ale, *_), (dap, *_) = ([cells for cells in found.rows() if cells[0] == name] for name in ("ale", "dap"))
    common = ["32.0%", "61.0%", "60.0%", "54.9%", "33"]
    wide = "0.0% to 100.0%"  # of two classes nothing can be said
    assert ale == ["ale", "2", "50.0%", "50.0%", "1.4%", wide, seeds, NOTHING, *common]
    below = "20.0% to 20.0%"
    assert dap == [
        "dap",
        "1",
        "50.0%",
        "30.0%",
        NOTHING,
        wide,
        NOTHING,
        below,
        "32.0%",
        NOTHING,
        NOTHING,
        "~40.0%",
        "33",
    ]
    (_, ale), (_, dap) = ([cells for cells in found.rows() if cells[0] == name] for name in ("ale", "dap"))
    ours = [f"{number}.0%" for number in (1, 2, 3, 11, 12, 13, 21, 22, 23)]
    assert ale == ["ale", *ours, "23.7%", "62.8%", "34.4%", "31.0%", "41.0%"]
    assert dap == ["dap", *ours, "~1.7%", "~67.9%", "~3.3%", "31.0%", NOTHING]


def test_classes_of_the_backbones_pretraining_have_a_table_where_they_are_known(page):
    assert "backbone" not in page([row("sae", 0, 0.4)]).text
    assert "none of the unseen classes" in page([row("sae", 0, 0.4, known_to_backbone=[])]).text
    found = page([row("sae", 0, 0.4, known_to_backbone=["<wren>"], new_to_backbone=0.25)])
    assert "trained on: <wren>." in " ".join(found.text.split())
    assert found.rows()[-1] == ["sae", "40.0%", "25.0%"]


def test_each_matrix_has_a_section_that_names_it(page):
    found = page([row("ale", 0, 0.5), row("ale", 0, 0.4, matrix="sentences", data="0" * 16)])
    assert ["".join(title.text.split()) for title in found.find("h2")[:2]] == ["data/CUB,att", "data/CUB,sentences"]
    assert "0" * 16 in found.text


def test_users_names_stand_there_literally_and_no_rows_are_no_section(page, nasty):
    found = page([{**row("sae", 0, 0.4), "set": name} for name in nasty])
    found.check_stands_alone()
    found.check_announced()
    assert len(found.find("section")) == len(nasty)
    assert not page([]).find("section")
