import numpy as np
import pytest
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.solvers.discriminant import discriminant
from zsltf.solvers.statistics import Statistics
from zsltf.transfer.linear_discriminant import LinearDiscriminant


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = 5 + rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)) + rng.normal(size=(3, 4))[y]
    classes = ClassTable(names=("a", "b", "c"), semantics=np.eye(3), seen=np.ones(3, bool))
    return Features(x=x.astype(np.float32), y=y), classes


def test_it_is_scikit_learns_with_equal_priors(problem):
    train, classes = problem
    shrinkage = 0.3
    x = train.x.astype(float)
    # scikit-learn shrinks each class's covariance after scaling the features; without shrinkage both are the same
    model = LinearDiscriminantAnalysis(solver="lsqr", priors=np.ones(3) / 3).fit(x, train.y)
    fitted = LinearDiscriminant(shrinkage=1e-9).fit(train, classes)
    np.testing.assert_allclose(softmax(fitted.score(train.x), axis=1), model.predict_proba(x), atol=1e-3)
    within = Statistics.of(train, classes).within()
    shrunk = (1 - shrinkage) * within + shrinkage * np.trace(within) / 4 * np.eye(4)
    means = np.stack([x[train.y == c].mean(axis=0) for c in range(3)])
    gaps = x[:, None] - means
    expected = -0.5 * np.einsum("ncd,de,nce->nc", gaps, np.linalg.inv(shrunk), gaps)
    received = LinearDiscriminant(shrinkage=shrinkage).fit(train, classes).score(train.x)
    np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-3)


def test_the_solver_gives_the_same_posterior(problem):
    train, classes = problem
    statistics = Statistics.of(train, classes)
    kernel, bias = discriminant(statistics, 0.3)
    scores = LinearDiscriminant(shrinkage=0.3).solve(statistics, classes).score(train.x)
    np.testing.assert_allclose(softmax(train.x @ kernel.T + bias, axis=1), softmax(scores, axis=1), atol=1e-4)
    np.testing.assert_allclose(kernel.sum(axis=0), 0, atol=1e-9)


def test_a_class_that_comes_by_photos_is_the_one_that_training_would_have_given(problem):
    train, classes = problem
    some = train.select(train.y < 2)
    opened = LinearDiscriminant().fit(some, classes.select([0, 1])).with_photos("c", train.x[train.y == 2], np.zeros(3))
    predicted = opened.score(train.x).argmax(axis=1)
    assert (predicted == LinearDiscriminant().fit(train, classes).score(train.x).argmax(axis=1)).mean() > 0.9


def test_a_share_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"LinearDiscriminant\.shrinkage: expected a share in \(0, 1\], received 0"):
        LinearDiscriminant(shrinkage=0.0)


def test_what_the_table_marks_unseen_is_learned_as_any_other_class(problem):
    train, classes = problem
    marked = classes.with_seen(np.array([True, True, False]))
    expected = LinearDiscriminant().fit(train, classes).score(train.x)
    np.testing.assert_array_equal(LinearDiscriminant().fit(train, marked).score(train.x), expected)
