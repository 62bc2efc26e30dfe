"""Cross-validation against scikit-learn's, and what must not reach the fold that is tested."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_limits

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.k_folds import k_folds
from zsltf.evaluation import cross_validation
from zsltf.evaluation.cross_validation import cross_validate
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.training.folds import image_folds
from zsltf.training.preparation import Preparation
from zsltf.training.selection import fit_prepared, select
from zsltf.transfer.linear_probe import LinearProbe

METHOD = LinearProbe(inverse_penalty=0.05)


@pytest.fixture(scope="module")
def problem():
    """4 classes that overlap, 30 examples of each."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 30)
    x = rng.normal(size=(4, 10))[y] + 1.5 * rng.normal(size=(120, 10))
    classes = ClassTable(names=tuple("abcd"), semantics=np.zeros((4, 0), np.float32), seen=np.ones(4, bool))
    return Features(x=x.astype(np.float32), y=y), classes, k_folds(y, classes.names, num_folds=5)


def test_each_image_is_scored_as_scikit_learn_does(problem):
    features, classes, folds = problem
    found = cross_validate(METHOD, features, classes, folds, search=False)
    parts = [(np.setdiff1d(np.arange(120), fold), fold) for fold in folds]
    model = LogisticRegression(C=0.05, tol=1e-8, max_iter=10_000)
    expected = cross_val_predict(model, features.x, features.y, cv=parts, method="decision_function")
    np.testing.assert_allclose(found.scores, expected, atol=1e-3)
    accuracies = [balanced_accuracy_score(features.y[fold], expected[fold].argmax(axis=1)) for fold in folds]
    assert found.accuracies == pytest.approx(accuracies)
    assert 0.4 < np.mean(accuracies) < 0.95
    told = found.summary()
    assert (told["mean"], told["sd"]) == pytest.approx((np.mean(accuracies), np.std(accuracies, ddof=1)))
    assert (told["min"], told["max"]) == (min(accuracies), max(accuracies))
    on_all = model.fit(features.x, features.y).decision_function(features.x)
    np.testing.assert_allclose(found.classifier.score(features.x), on_all, atol=1e-3)
    assert found.choice.method == METHOD


@threadpool_limits.wrap(limits=1, user_api="blas")  # as cross_validate itself: ten times faster
def test_settings_are_chosen_on_the_other_folds(problem):
    features, classes, folds = problem
    found = cross_validate(LinearProbe(), features, classes, folds)
    for fold, choice in zip(folds[:2], found.choices[:2], strict=True):
        rest = features.select(np.setdiff1d(np.arange(120), fold))
        inner = image_folds(rest, classes, num_folds=3)
        best, *_ = select(LinearProbe(), inner, (Preparation(), Preparation(unit_norm=True)))
        assert (choice.method, choice.preparation) == (best.method, best.preparation)
        scores = fit_prepared(best.method, best.preparation, rest, classes).score(features.x[fold])
        np.testing.assert_allclose(found.scores[fold], scores, atol=1e-3)


def test_labels_of_the_tested_fold_change_none_of_its_scores(problem):
    features, classes, folds = problem
    found = cross_validate(NearestClassMean(), features, classes, folds)
    for fold in folds[:2]:
        y = features.y.copy()
        y[fold] = (y[fold] + 1) % 4
        again = cross_validate(NearestClassMean(), features.with_y(y), classes, folds)
        np.testing.assert_array_equal(again.scores[fold], found.scores[fold])
        assert not np.allclose(again.scores, found.scores)


def test_labels_without_meaning_are_met_by_chance(problem):
    features, classes, folds = problem
    shuffled = features.with_y(np.random.default_rng(0).permutation(features.y))
    found = cross_validate(LinearProbe(), shuffled, classes, folds)
    assert np.mean(found.accuracies) == pytest.approx(0.25, abs=0.16)  # 120 answers: 4 standard deviations


def test_an_example_of_weight_0_is_tested_but_not_learned_from(problem):
    features, classes, folds = problem
    weight = (np.arange(120) % 3 > 0).astype(np.float32)
    found = cross_validate(METHOD, replace(features, sample_weight=weight), classes, folds, search=False)
    for fold in folds:
        rest = np.setdiff1d(np.flatnonzero(weight), fold)
        scores = METHOD.fit(features.select(rest), classes).score(features.x[fold])
        np.testing.assert_allclose(found.scores[fold], scores, atol=1e-3)


def test_groups_are_whole_in_inner_folds_too(problem, monkeypatch):
    features, classes, _ = problem
    group = np.random.default_rng(3).permutation(120) % 30
    folds = k_folds(features.y, classes.names, num_folds=5, group=group)
    marked, seen = features.with_x(np.c_[features.x, group].astype(np.float32)), []

    def spy(method, inner, preparations):
        seen.extend(inner)
        return select(method, inner, preparations)

    monkeypatch.setattr(cross_validation, "select", spy)
    cross_validate(NearestClassMean(), marked, classes, folds, group=group)
    assert len(seen) == (5 + 1) * 3
    for fold in seen:
        assert not set(fold.train.x[:, -1]) & set(fold.validation.x[:, -1])


@pytest.mark.parametrize(
    "spoil",
    [lambda folds: folds[:1], lambda folds: folds[1:], lambda folds: [*folds, folds[0]]],
    ids=["one", "a row in none", "a row in two"],
)
def test_folds_that_do_not_cover_each_row_once_are_refused(problem, spoil):
    features, classes, folds = problem
    with pytest.raises(ValueError, match=r"folds: expected two or more, each of 120 rows in one, received others"):
        cross_validate(METHOD, features, classes, spoil(folds))
