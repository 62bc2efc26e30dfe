import numpy as np
import pytest

from zsltf.evaluation.best_epoch import best_epoch
from zsltf.evaluation.zero_shot_report import read_zero_shot
from zsltf.training.descent import Descent
from zsltf.training.preparation import Preparation
from zsltf.training.selection import Choice, fit_prepared
from zsltf.zeroshot.ale import ALE
from zsltf.zeroshot.eszsl import ESZSL


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    noisy = features.with_x(features.x + 2 * np.random.default_rng(1).normal(size=features.x.shape).astype(np.float32))
    rows = np.arange(160)
    held = (rows % 5 == 0) & (features.y < 12)
    return noisy.select(~held & (features.y < 12)), noisy.select(held | (features.y >= 12)), classes


def test_the_best_epoch_is_at_least_the_last_which_is_the_methods_own(problem):
    train, test, classes = problem
    method, preparation = ALE(descent=Descent(learning_rate=0.1, epochs=8)), Preparation(unit_norm=True, semantics="l2")
    found = best_epoch(Choice(method=method, preparation=preparation, accuracy=0.0), train, test, classes)
    fitted = fit_prepared(method, preparation, train, classes)
    report = read_zero_shot(fitted.score(test.x), test.y, classes)
    assert found.epochs == 8
    assert found.last_unseen_accuracy == pytest.approx(report.unseen_accuracy, abs=0.03)
    assert found.last_harmonic_mean == pytest.approx(report.uncalibrated[2], abs=0.03)
    assert found.unseen_accuracy >= found.last_unseen_accuracy
    assert found.harmonic_mean >= found.last_harmonic_mean
    assert found.unseen_accuracy > found.last_unseen_accuracy or found.harmonic_mean > found.last_harmonic_mean


def test_a_closed_form_has_no_epochs(problem):
    train, test, classes = problem
    with pytest.raises(ValueError, match=r"best_epoch: expected a method that is trained in epochs, received ESZSL"):
        best_epoch(Choice(method=ESZSL(), preparation=Preparation(), accuracy=0.0), train, test, classes)
