from types import SimpleNamespace

import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.training.calibration import calibrated
from zsltf.training.folds import Fold


@pytest.fixture
def fold():
    """Rows are scores of two seen and two unseen classes; every gamma from 1 to 5 is best, with thresholds between."""
    right = {0: [5, 0, 0, -1], 1: [0, 5, 0, -1], 2: [1, 0, 0, -1], 3: [1, 0, -1, 0]}
    never_right = [[0, gamma, 0, -1] for gamma in (2, 3, 4)]  # of class 0
    x = np.array([*right.values(), *never_right, [0, 0, 0, 0]], np.float32)  # the last one is for training
    table = ClassTable(names=tuple("abcd"), semantics=np.eye(4), seen=np.array([True, True, False, False]))
    return Fold(data=Features(x=x, y=np.array([*right, 0, 0, 0, 1])), tested=np.arange(len(x)) < 7, classes=table)


def test_of_gammas_that_are_equally_good_it_takes_the_middle_one(fold, monkeypatch):
    monkeypatch.setattr("zsltf.training.calibration.fit_prepared", lambda *_: SimpleNamespace(score=lambda x: x))
    given = {}

    def calibrate(**options):
        given.update(options)
        return SimpleNamespace(rejecting=lambda threshold: threshold)

    calibrated(SimpleNamespace(calibrate=calibrate), SimpleNamespace(method=None, preparation=None), [fold])
    assert given["gamma"] == pytest.approx(3.5)  # of 1.5, 2.5, 3.5 and 4.5
