"""The table of heads trained together and alone."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from zsltf.reports.multitask import check_heads_writable, print_tasks, task_rows


def outcome(accuracy, zero_shot=None):
    report = SimpleNamespace(mean_class_accuracy=accuracy, chance=0.125)
    return SimpleNamespace(report=report, zero_shot=zero_shot, seconds=9.0)


FOUND = SimpleNamespace(unseen_accuracy=0.61, chance=0.25, seen=0.5, unseen=0.125, harmonic_mean=0.2)
OUTCOMES = {
    "together": {"class": outcome(0.72), "attributes": outcome(0.53, FOUND)},
    "class alone": {"class": outcome(0.74)},
}


def printed(rows):
    console = Console(width=160, record=True, file=io.StringIO())
    print_tasks(rows, console)
    return console.export_text()


def test_a_row_a_training_and_head():
    rows = task_rows(OUTCOMES)
    assert [(row["training"], row["head"]) for row in rows] == [
        ("together", "class"),
        ("together", "attributes"),
        ("class alone", "class"),
    ]
    assert rows[1] == {
        "training": "together",
        "head": "attributes",
        "accuracy": 0.53,
        "chance": 0.125,
        "unseen_accuracy": 0.61,
        "unseen_chance": 0.25,
        "seen": 0.5,
        "unseen": 0.125,
        "harmonic_mean": 0.2,
        "seconds": 9.0,
    }
    assert "unseen" not in rows[0]


def test_the_table_leaves_empty_what_a_head_cannot_answer():
    text = printed(task_rows(OUTCOMES))
    lines = [line.split() for line in text.splitlines()]
    assert ["together", "attributes", "0.530", "0.610", "0.500", "0.125", "0.200"] in lines
    assert ["together", "class", "0.720"] in lines
    assert ["class", "alone", "class", "0.740"] in lines
    assert "Chance: 0.125, unseen classes among themselves 0.250." in text


def test_without_unseen_classes_there_is_no_word_of_them():
    text = printed(task_rows({"together": {"class": outcome(0.72), "attributes": outcome(0.53)}}))
    assert "unseen" not in text
    assert "Chance: 0.125." in text


def test_a_head_s_folder_with_other_files_is_kept(tmp_path):
    place = tmp_path / "run"
    (place / "class").mkdir(parents=True)
    for path in (place / "report.json", place / "class" / "report.json"):
        path.touch()
    check_heads_writable(place, ["class", "attributes"], overwrite=True)
    with pytest.raises(ValueError, match="expected a path where nothing is yet"):
        check_heads_writable(place, ["class", "attributes"], overwrite=False)
    (place / "class" / "thesis.txt").touch()
    with pytest.raises(ValueError, match=r"zsltf's own files to overwrite, received also thesis\.txt"):
        check_heads_writable(place, ["class", "attributes"], overwrite=True)
