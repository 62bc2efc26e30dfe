"""The linear probe against the gradient of its own objective."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from zsltf.training.folds import image_folds
from zsltf.training.preparation import Preparation
from zsltf.training.selection import select
from zsltf.transfer.linear_probe import LinearProbe


@pytest.fixture(params=[2, 5])
def problem(request, toy_features):
    features, classes = toy_features
    known = classes.select(np.arange(request.param)).with_seen(np.ones(request.param, bool))
    return features.select(features.y < request.param), known


def kernel_and_bias(score, size):
    bias = score(np.zeros((1, size), "float32"))
    return (score(np.eye(size, dtype="float32")) - bias).astype(np.float64), bias.astype(np.float64)


def objective(method, train, kernel, bias):
    """Penalised loss in nats, a mean over examples."""
    losses = -log_softmax(train.x @ kernel + bias, axis=1)[np.arange(len(train)), train.y]
    penalty = _scale(kernel) * (kernel**2).sum() / (2 * method.inverse_penalty * train.weights.sum())
    return np.average(losses, weights=train.weights) + penalty


def _scale(kernel):
    """Of two classes scikit-learn penalises the difference of the columns."""
    return 2 if kernel.shape[1] == 2 else 1


def test_the_gradient_is_zero_at_the_solution(problem):
    train, classes = problem
    kernel, bias = kernel_and_bias(LinearProbe(inverse_penalty=0.1).fit(train, classes).score, train.x.shape[1])
    error = softmax(train.x @ kernel + bias, axis=1) - np.eye(len(classes))[train.y]
    np.testing.assert_allclose(_scale(kernel) * kernel + 0.1 * train.x.T @ error, 0, atol=1e-3)
    np.testing.assert_allclose(error.sum(axis=0), 0, atol=1e-3)


def test_a_penalty_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"LinearProbe\.inverse_penalty: expected a number > 0, received -1"):
        LinearProbe(inverse_penalty=-1)


def test_the_grid_comes_close_to_fitting_each_setting(problem):
    train, classes = problem
    weights = np.random.default_rng(0).uniform(0.1, 3, len(train)).astype(np.float32)
    weighted, size = replace(train, sample_weight=weights), train.x.shape[1]
    x = np.concatenate([np.eye(size), np.zeros((1, size))])
    tried = []
    for setting, scores in LinearProbe().fit_grid(weighted, classes, x):
        fitted = objective(setting, weighted, *kernel_and_bias(setting.fit(weighted, classes).score, size))
        assert objective(setting, weighted, scores[:-1] - scores[-1], scores[-1]) == pytest.approx(fitted, abs=1e-5)
        tried.append(setting.inverse_penalty)
    assert tried == list(LinearProbe.SEARCH["inverse_penalty"])


def test_selection_goes_through_the_grid(problem):
    train, classes = problem
    choices = select(LinearProbe(), image_folds(train, classes, num_folds=3), (Preparation(),))
    assert sorted(choice.method.inverse_penalty for choice in choices) == list(LinearProbe.SEARCH["inverse_penalty"])


def test_unseen_classes_and_missing_ones_are_refused(problem):
    train, classes = problem
    for call in (LinearProbe().fit, lambda *data: next(LinearProbe().fit_grid(*data, train.x))):
        with pytest.raises(ValueError, match=r"LinearProbe: expected seen classes, received also class 1, an unseen"):
            call(train, classes.with_seen(np.arange(len(classes)) != 1))
        with pytest.raises(ValueError, match=r"expected an example of every class, received none of class 1\."):
            call(train.select(train.y != 1), classes)
