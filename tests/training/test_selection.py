from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from scipy.special import log_softmax

from zsltf.classifier import Classifier
from zsltf.data.features import Features
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_zero_shot
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.metrics.zero_shot import harmonic_mean
from zsltf.training.calibration import calibrated
from zsltf.training.folds import Fold, class_disjoint_folds, image_folds
from zsltf.training.preparation import Preparation
from zsltf.training.selection import PREPARATIONS, Choice, fit_prepared, select
from zsltf.zeroshot.eszsl import ESZSL

RIDGES = {"feature_ridge": (0.1, 1e3), "attribute_ridge": (1.0, 1e5)}
TWO = (Preparation(), Preparation(centre=True, components=8, unit_norm=True))


@dataclass(frozen=True, kw_only=True)
class Grid(ESZSL):
    """ESZSL with a short search range."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = RIDGES


@dataclass(frozen=True, kw_only=True)
class OneByOne:
    """The same without fit_grid."""

    feature_ridge: float = 1.0
    attribute_ridge: float = 1.0

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = RIDGES

    def fit(self, train, classes):
        return ESZSL(feature_ridge=self.feature_ridge, attribute_ridge=self.attribute_ridge).fit(train, classes)


@pytest.fixture(scope="module")
def problem(toy_features):
    """Noisy training examples of the seen classes, and 3 folds of them."""
    features, classes = toy_features
    rng = np.random.default_rng(1)
    noisy = features.with_x((features.x + 2 * rng.normal(size=features.x.shape)).astype(np.float32))
    train = noisy.select(classes.seen[noisy.y])
    return train, classes, list(class_disjoint_folds(train, classes, num_folds=3))


def mean_accuracy(predicted, y, labels):
    return np.mean([np.mean(predicted[y == label] == label) for label in labels])


def fold_accuracy(method, preparation, fold):
    """Among pretended unseen classes, by a fitted Classifier."""
    hidden = np.flatnonzero(~fold.classes.seen)
    rows = np.isin(fold.validation.y, hidden)
    scores = fit_prepared(method, preparation, fold.train, fold.classes).score(fold.validation.x[rows])
    return mean_accuracy(hidden[scores[:, hidden].argmax(axis=1)], fold.validation.y[rows], hidden)


def test_every_setting_under_every_preparation_is_tried_and_the_best_is_first(problem):
    _, _, folds = problem
    choices = select(Grid(), folds, TWO)
    tried = {(c.method.feature_ridge, c.method.attribute_ridge, c.preparation) for c in choices}
    assert len(choices) == len(tried) == 8
    accuracies = [choice.accuracy for choice in choices]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] > accuracies[-1]
    for choice in choices:
        expected = np.mean([fold_accuracy(choice.method, choice.preparation, fold) for fold in folds])
        assert choice.accuracy == pytest.approx(expected)


def test_a_grid_scores_as_fitting_each_setting(problem):
    _, _, folds = problem
    grid = {(c.method.feature_ridge, c.method.attribute_ridge, c.preparation): c for c in select(Grid(), folds, TWO)}
    single = select(OneByOne(), folds, TWO)
    assert len(single) == len(grid)
    for choice in single:
        key = (choice.method.feature_ridge, choice.method.attribute_ridge, choice.preparation)
        assert isinstance(choice.method, OneByOne)
        assert choice.accuracy == pytest.approx(grid[key].accuracy)
    train, classes, _ = problem
    x = train.x[:7]
    for setting, scores in Grid().fit_grid(train, classes, x):
        expected = setting.fit(train, classes).score(x)
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_without_search_the_settings_stay_as_given(problem):
    _, _, folds = problem
    method = Grid(feature_ridge=7.0, attribute_ridge=3.0)
    choices = select(method, folds, TWO, search=False)
    assert [choice.method for choice in choices] == [method, method]
    assert {choice.preparation for choice in choices} == set(TWO)


def test_the_middle_one_of_those_tied_is_chosen(problem):
    _, _, folds = problem
    twins = (Preparation(unit_norm=True), Preparation(unit_norm=True, components=None, centre=False))
    assert twins[0] == twins[1]  # equal preparations are one choice
    assert len(select(Grid(), folds, twins, search=False)) == 1
    train = folds[0].train
    everything = folds[0].classes.with_seen(np.ones(len(folds[0].classes), bool))
    easy = Fold(data=train, tested=np.arange(len(train)) == 0, classes=everything)  # one example: right or wrong
    choices = select(Grid(), [easy], (Preparation(),))
    assert len({choice.accuracy for choice in choices}) < 4  # there are ties
    order = [(f, a) for f in RIDGES["feature_ridge"] for a in RIDGES["attribute_ridge"]]
    best = [(c.method.feature_ridge, c.method.attribute_ridge) for c in choices if c.accuracy == choices[0].accuracy]
    tried = [setting for setting in order if setting in best]
    middle = tried.pop(len(tried) // 2)
    assert best == [middle, *tried]


def test_methods_that_know_all_classes_are_chosen_by_accuracy_among_all(problem):
    train, classes, _ = problem
    seen = np.flatnonzero(classes.seen)
    known = classes.select(seen)
    folds = list(image_folds(train.with_y(np.searchsorted(seen, train.y)), known, num_folds=2))
    (choice,) = select(NearestClassMean(), folds, (Preparation(),))
    expected = []
    for fold in folds:
        means = np.array([fold.train.x[fold.train.y == i].mean(axis=0) for i in range(len(known))])
        nearest = ((fold.validation.x[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
        expected.append(mean_accuracy(nearest, fold.validation.y, range(len(known))))
    assert choice.accuracy == pytest.approx(np.mean(expected))


def test_preparations_are_in_the_order_from_least_to_most():
    assert PREPARATIONS[0] == Preparation()
    assert len(set(PREPARATIONS)) == len(PREPARATIONS)


def test_fit_prepared_takes_raw_features_and_raw_semantics(problem):
    train, classes, _ = problem
    preparation = TWO[1]
    fitted, prepared = fit_prepared(ESZSL(), preparation, train, classes), preparation.fit(train, classes)
    inner = ESZSL().fit(prepared.apply(train), prepared.apply_classes(classes))
    np.testing.assert_allclose(fitted.score(train.x), inner.score(prepared.apply(train).x), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(fitted.classes.semantics, classes.semantics)


@pytest.fixture(scope="module")
def calibration(problem):
    """The calibrated Classifier, the one before, and each fold's scores."""
    train, classes, folds = problem
    choice = Choice(method=ESZSL(), preparation=TWO[1], accuracy=0.0)
    before = fit_prepared(choice.method, choice.preparation, train, classes)
    scored = [
        (fit_prepared(choice.method, choice.preparation, f.train, f.classes).score(f.validation.x), f) for f in folds
    ]
    return calibrated(before, choice, folds), before, scored


def test_gamma_has_the_best_mean_harmonic_mean_of_all_gammas(calibration):
    after, before, scored = calibration

    def reached(gamma):
        values = []
        for scores, fold in scored:
            seen, y = fold.classes.seen, fold.validation.y
            predicted = (scores - gamma * seen).argmax(axis=1)
            sides = [mean_accuracy(predicted, y, np.flatnonzero(side)) for side in (seen, ~seen)]
            values.append(float(harmonic_mean(*sides)))
        return np.mean(values)

    scale = after.similarity.scale / before.similarity.scale
    flips = [
        np.subtract.outer(s[n, f.classes.seen], s[n, ~f.classes.seen]).ravel() for s, f in scored for n in range(len(s))
    ]
    levels = np.unique(np.concatenate(flips))
    grid = np.concatenate([np.linspace(levels[0] - 1, levels[-1] + 1, 101), ((levels[1:] + levels[:-1]) / 2)[::37]])
    best = max(reached(gamma) for gamma in grid)
    assert reached(after.gamma / scale) >= best - 1e-9
    assert reached(after.gamma / scale) > reached(0.0)  # here calibration matters
    assert reached(after.gamma / scale) > 0.2


def test_the_scale_has_the_best_likelihood_of_all_scales(calibration):
    after, before, scored = calibration
    scale = after.similarity.scale / before.similarity.scale
    gamma = after.gamma / scale

    def loss(scale):
        rows = [(scale * (s - gamma * f.classes.seen), f.validation.y) for s, f in scored]
        return -np.mean([log_softmax(logits, axis=1)[np.arange(len(y)), y].mean() for logits, y in rows])

    best = min(loss(s) for s in np.exp(np.linspace(-7, 12, 400)))
    assert loss(scale) <= best + 1e-6
    assert loss(scale) < loss(1.0) - 1e-3


def test_calibration_changes_gamma_and_scale_alone(calibration, problem):
    train, classes, _ = problem
    after, before, _ = calibration
    scale = after.similarity.scale / before.similarity.scale
    expected = scale * before.score(train.x) - after.gamma * classes.seen
    np.testing.assert_allclose(after.score(train.x), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_array_equal(after.class_vectors, before.class_vectors)
    assert isinstance(after, Classifier)


def test_scores_that_never_differ_are_calibrated_too(problem):
    train, classes, folds = problem
    folds = [replace(f, data=f.data.with_x(np.where(f.tested[:, None], np.float32(0), f.data.x))) for f in folds]
    choice = Choice(method=ESZSL(), preparation=Preparation(), accuracy=0.0)
    after = calibrated(fit_prepared(choice.method, choice.preparation, train, classes), choice, folds)
    assert np.isfinite(after.gamma)


def test_unseen_classes_are_never_looked_at_before_the_test(toy_features):
    """Poison their images and attributes: settings, preparation, weights, gamma and scale stay the same to the bit."""
    features, classes = toy_features
    unseen = ~classes.seen[features.y]
    poison = Features(x=np.where(unseen[:, None], np.float32(1e6), features.x), y=features.y)
    poisoned = classes.with_semantics(np.where(classes.seen[:, None], classes.semantics, np.float32(-1e5)))
    protocol = ZeroShotProtocol(shuffles=0)
    clean = run_zero_shot(Grid(), features, classes, protocol)
    other = run_zero_shot(Grid(), poison, poisoned, protocol)
    assert other.choice == clean.choice
    assert other.runners_up == clean.runners_up
    assert other.classifier.gamma == clean.classifier.gamma
    assert other.classifier.similarity.scale == clean.classifier.similarity.scale
    for part in ("embed", "project"):
        ours, theirs = (getattr(o.classifier, part).get_weights() for o in (clean, other))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    rows = np.flatnonzero(classes.seen)
    np.testing.assert_array_equal(
        np.asarray(other.classifier.class_vectors)[rows], np.asarray(clean.classifier.class_vectors)[rows]
    )
    assert other.report.unseen_accuracy < clean.report.unseen_accuracy  # the poison did reach the test
