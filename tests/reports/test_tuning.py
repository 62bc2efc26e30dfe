"""The table of a tuning: every setting with its folds, the best one marked, and which figure was picked."""

import io
from types import SimpleNamespace

import numpy as np
from rich.console import Console

from zsltf.evaluation.classification import evaluate_classification
from zsltf.evaluation.tuning import Trial, Tuning
from zsltf.reports.tuning import print_trials
from zsltf.transfer.fine_tune import FineTune

TRIALS = tuple(
    Trial(values={"training.optimization.weight_decay": decay}, method=FineTune(), scores=scores)
    for decay, scores in ((0.0, (0.5, 0.7)), (0.01, (0.75, 0.65)), (0.1, (0.65, 0.75)))
)


def printed(trials, truth, *, activation="softmax", styled=False):
    """What is printed where the network takes 6 images for the classes 0, 1, 2, 0, 1 and 2."""
    scores = np.tile(np.eye(3), (2, 1))
    report = evaluate_classification(scores, truth, ("ant", "bee", "cat"), activation=activation)
    file = io.StringIO()
    tuning = Tuning(trials=trials, refit=SimpleNamespace(report=report))
    print_trials(
        tuning, Console(file=file, width=100, force_terminal=styled, color_system="standard" if styled else None)
    )
    return file.getvalue()


def test_each_setting_has_its_folds_and_the_first_of_the_best_is_bold():
    rows = [line.split() for line in printed(TRIALS, np.array([0, 1, 2, 0, 1, 2])).splitlines()]
    assert ["weight_decay=0.01", "0.700", "0.071", "0.750", "0.650"] in rows
    styled = printed(TRIALS, np.array([0, 1, 2, 0, 1, 2]), styled=True).splitlines()
    (bold,) = [line for line in styled if "weight_decay" in line and "\x1b[1m" in line]
    assert "weight_decay=0.01\x1b" in bold


def test_the_picked_figure_is_told_from_the_tested_one():
    told = " ".join(printed(TRIALS, np.array([0, 1, 2, 0, 0, 0])).split())
    assert "Chosen: weight_decay=0.01 (0.700: the highest mean of 3, of equal ones the first; picked, so opti" in told
    assert "it reaches 0.833 on the 6 test images, which no fold held: not optimistic (chance 0.333)." in told


def test_the_only_setting_was_not_picked():
    told = " ".join(printed(TRIALS[:1], np.array([0, 1, 2, 0, 1, 2])).split())
    assert "Chosen: weight_decay=0.0 (0.600: the only)." in told


def test_with_several_labels_the_figure_is_mean_average_precision():
    assert "mAP, by cross-validation" in printed(TRIALS, np.tile(np.eye(3), (2, 1)), activation="sigmoid")
