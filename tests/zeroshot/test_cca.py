import numpy as np
import pytest
from scipy.linalg import eigh

from zsltf.data.classes import ClassTable
from zsltf.solvers.cca import canonical_directions
from zsltf.solvers.whitening import shrunk, whitening
from zsltf.zeroshot.cca import CCA


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    return features.select(classes.seen[features.y]), classes


def test_directions_solve_the_eigenproblem_of_canonical_correlation():
    rng = np.random.default_rng(0)
    x, s = rng.normal(size=(200, 6)), rng.normal(size=(200, 4))
    s[:, :2] += x[:, :2]
    cxx, css, cxs = x.T @ x, s.T @ s, x.T @ s
    u, v, correlations = canonical_directions(whitening(cxx, 1e-9), whitening(css, 1e-9), cxs)
    squared = eigh(cxs @ np.linalg.solve(css, cxs.T), cxx, eigvals_only=True)[::-1][:4]
    np.testing.assert_allclose(correlations**2, squared, atol=1e-6)
    pairs = np.einsum("nk,nk->k", x @ u, s @ v) / np.linalg.norm(x @ u, axis=0) / np.linalg.norm(s @ v, axis=0)
    np.testing.assert_allclose(pairs, correlations, atol=1e-6)
    np.testing.assert_allclose(u.T @ shrunk(cxx, 1e-9) @ u, np.eye(4), atol=1e-8)


def test_with_whole_shrinkage_directions_are_those_of_the_covariance(problem):
    train, classes = problem
    fitted = CCA(feature_shrinkage=1 - 1e-9, semantic_shrinkage=1 - 1e-9, power=0.0).fit(train, classes)
    x, t = train.x - train.x.mean(axis=0), classes.semantics[train.y] - classes.semantics[train.y].mean(axis=0)
    u = np.linalg.svd(x.T @ t, full_matrices=False)[0][:, :6]  # two factors of four values have six free directions
    kernel = fitted.embed.get_weights()[0]
    assert kernel.shape == (32, 6)
    cosines = np.abs((u * kernel).sum(axis=0)) / np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(cosines, 1, atol=1e-3)


def test_rotating_features_changes_nothing(problem):
    train, classes = problem
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(32, 32)))[0].astype(np.float32)
    expected = CCA().fit(train, classes).score(train.x)
    turned = train.with_x(train.x @ rotation + 5)
    np.testing.assert_allclose(CCA().fit(turned, classes).score(turned.x), expected, atol=1e-3)


def test_refuses_shares_outside_0_and_1():
    for wrong in ({"feature_shrinkage": 0.0}, {"semantic_shrinkage": 1.0}, {"power": -1.0}):
        with pytest.raises(ValueError, match=rf"CCA\.{next(iter(wrong))}"):
            CCA(**wrong)


def test_what_does_not_vary_has_no_direction_whatever_the_power(problem):
    train, classes = problem
    constant = np.concatenate([classes.semantics, np.ones((16, 5), np.float32)], axis=1)
    wider = ClassTable(names=classes.names, semantics=constant, seen=classes.seen)
    expected = CCA(power=0.0).fit(train, classes)
    ratio = 0.1 / 0.9 * 13 / 8  # the mean variance is over more columns
    fitted = CCA(power=0.0, semantic_shrinkage=ratio / (1 + ratio)).fit(train, wider)
    np.testing.assert_allclose(fitted.score(train.x), expected.score(train.x), atol=1e-4)


def test_both_towers_are_weighted_by_the_correlations(problem):
    train, classes = problem
    plain, weighted = (CCA(power=power).fit(train, classes) for power in (0.0, 2.0))
    scales = [
        np.linalg.norm(w.get_weights()[0], axis=0) / np.linalg.norm(p.get_weights()[0], axis=0)
        for w, p in ((weighted.embed, plain.embed), (weighted.project, plain.project))
    ]
    np.testing.assert_allclose(*scales, rtol=1e-4)
    assert np.ptp(scales[0]) > 0.1
