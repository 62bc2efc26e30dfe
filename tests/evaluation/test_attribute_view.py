import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.evaluation.attribute_view import contributions, named_columns, read_attributes, reasons
from zsltf.training.preparation import Preparation
from zsltf.training.selection import fit_prepared
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.gaussian_generation import GaussianGeneration
from zsltf.zeroshot.kernel_ridge import KernelRidge


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    return features, classes, features.select(classes.seen[features.y])


@pytest.mark.parametrize("method", [ESZSL(), KernelRidge()])
def test_contributions_add_up_to_the_difference_of_two_scores(problem, method):
    features, classes, train = problem
    fitted = fit_prepared(method, Preparation(centre=True, unit_norm=True, semantics="centred"), train, classes)
    x, labels = features.x[::9], features.y[::9]
    against = (labels + 1) % len(classes)
    added = contributions(fitted, x, labels, against, steps=400)
    scores, rows = fitted.score(x), np.arange(len(x))
    expected = scores[rows, labels] - scores[rows, against]
    assert not added[classes.semantics[labels] == classes.semantics[against]].any()
    np.testing.assert_allclose(added.sum(axis=1), expected, atol=0.02 * np.abs(expected).max())


def test_of_a_bilinear_score_each_attribute_adds_its_own_term(problem):
    features, classes, train = problem
    fitted = ESZSL().fit(train, classes)
    against = np.roll(features.y, 13)
    added = contributions(fitted, features.x, features.y, against)
    predicted = np.asarray(fitted.embedding(features.x))
    difference = classes.semantics[features.y] - classes.semantics[against]
    np.testing.assert_allclose(added, predicted * difference, rtol=1e-3, atol=1e-4)


def test_the_reading_finds_attributes_of_classes_that_it_never_saw(problem):
    features, classes, train = problem
    test = features.select(~classes.seen[features.y])
    view = read_attributes(train, test, classes, ridge=0.01)
    assert 0 <= view.shown.min() <= view.shown.max() <= 1
    truth = classes.semantics[test.y] > 0
    assert view.shown[truth].mean() > view.shown[~truth].mean() + 0.3
    np.testing.assert_array_equal(view.given, classes.semantics)  # zeros and ones already
    maps = [part.with_x(np.repeat(part.x[:, None, None], 2, axis=1)) for part in (train, test)]
    np.testing.assert_allclose(read_attributes(*maps, classes, ridge=0.01).shown, view.shown, atol=1e-6)


def test_reasons_are_what_adds_most_with_no_before_what_the_class_lacks(problem):
    features, classes, train = problem
    named = ClassTable(
        names=classes.names,
        semantics=classes.semantics,
        seen=classes.seen,
        columns=("round", "square", "long", "flat", "red", "green", "blue", "s7"),
    )
    fitted = ESZSL().fit(train, named)
    scores, shown = fitted.score(features.x), np.random.default_rng(0).random((len(features), 8))
    labels, against = np.argsort(-scores, axis=1)[:, :2].T
    added = contributions(fitted, features.x, labels, against)
    for row, why in enumerate(reasons(fitted, features.x, shown, scores, count=2)):
        order = [i for i in np.argsort(-added[row]) if i != 7 and added[row, i] > 0][:2]
        assert [name.removeprefix("no ") for name, _, _ in why] == [named.columns[i] for i in order]
        for (name, seen, share), i in zip(why, order, strict=True):
            assert name.startswith("no ") == (named.semantics[labels[row], i] < named.semantics[against[row], i])
            assert seen == shown[row, i]
            assert share == pytest.approx(added[row, i] / np.abs(added[row]).sum(), rel=1e-4)
    assert reasons(ESZSL().fit(train, classes), features.x[:2], shown[:2], scores[:2]) == [[], []]  # s0 to s7


def test_numbered_columns_are_no_names():
    columns = ("stripes", "s3", "e17", "text0", "sentence1_20", "v0s1=a", "speed2")
    table = ClassTable(names=("a",), semantics=np.ones((1, 7)), seen=[True], columns=columns)
    assert [columns[i] for i in named_columns(table)] == ["stripes", "v0s1=a", "speed2"]


def test_a_closed_door_explains_nothing(problem):
    features, classes, train = problem
    fitted = GaussianGeneration().fit(train, classes)
    with pytest.raises(ValueError, match="opens by semantics"):
        contributions(fitted, features.x[:2], features.y[:2], features.y[2:4])
