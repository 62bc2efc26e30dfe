"""What is generated, and that classifiers of it open by no door."""

from dataclasses import replace

import numpy as np
import pytest

from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.solvers.ridge import solve_ridge
from zsltf.solvers.statistics import Statistics
from zsltf.training.descent import Descent
from zsltf.zeroshot.cada_vae import CADAVAE, _Autoencoders
from zsltf.zeroshot.gaussian_generation import GaussianGeneration


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    return features.select(classes.seen[features.y]), classes


def test_unseen_classes_are_drawn_around_their_regressed_means(problem, monkeypatch):
    train, classes = problem
    given = {}

    def record(model, x, y, weights):
        given.update(x=x, y=y, weights=weights)
        return np.zeros((16, x.shape[1])), np.zeros(16)

    monkeypatch.setattr("zsltf.zeroshot.gaussian_generation.softmax_regression", record)
    GaussianGeneration(drawn=4000, ridge=2.0, shrinkage=0.2).fit(train, classes)
    statistics = Statistics.of(train, classes)
    means = classes.semantics @ solve_ridge(classes.semantics, statistics.counts, statistics.sums, 2.0)
    within = statistics.within()
    expected = 0.8 * within + 0.2 * np.trace(within) / 32 * np.eye(32)
    for label in range(12, 16):
        drawn = given["x"][given["y"] == label]
        np.testing.assert_allclose(drawn.mean(axis=0), means[label], atol=5 * np.sqrt(within.max() / 4000))
        np.testing.assert_allclose(np.cov(drawn.T), expected, atol=0.15 * np.trace(expected) / 32)
    np.testing.assert_array_equal(given["x"][: len(train)], train.x)


def test_without_unseen_classes_nothing_is_drawn(problem):
    train, classes = problem
    fitted = GaussianGeneration().fit(train, classes.select(range(12)))
    assert fitted.score(train.x).shape == (len(train), 12)
    fitted = CADAVAE(descent=Descent(epochs=2)).fit(train, classes.select(range(12)))
    assert fitted.score(train.x).shape == (len(train), 12)


def test_cada_vae_needs_its_alignment(problem, toy_features, monkeypatch):
    train, classes = problem
    features, _ = toy_features
    aligned = CADAVAE().fit(train, classes).score(features.x)
    monkeypatch.setattr("zsltf.zeroshot.cada_vae._RISES", ((0.25, 0.0, 0.93), (0.0, 0.21, 0.75), (0.0, 0.06, 0.22)))
    apart = CADAVAE().fit(train, classes).score(features.x)
    aligned, apart = (unseen_accuracy(scores, features.y, classes.seen) for scores in (aligned, apart))
    assert aligned > 0.8
    assert apart < aligned


def test_a_seed_reproduces(problem):
    train, classes = problem
    short = CADAVAE(descent=Descent(epochs=3))
    np.testing.assert_array_equal(short.fit(train, classes).score(train.x), short.fit(train, classes).score(train.x))


@pytest.mark.parametrize("method", [GaussianGeneration(), CADAVAE(descent=Descent(epochs=1))])
def test_they_open_by_no_door_and_say_so(problem, method):
    train, classes = problem
    fitted = method.fit(train, classes)
    with pytest.raises(ValueError, match="no door: it has to be fitted again"):
        fitted.with_classes(classes)
    with pytest.raises(ValueError, match="no door: it has to be fitted again"):
        fitted.with_photos("new", train.x[:2])


def test_cada_vae_leaves_out_a_class_of_weight_zero_as_one_without_images(problem):
    train, classes = problem
    short = CADAVAE(descent=Descent(epochs=2))
    weights = (train.y != 3).astype(np.float32)
    weighted = short.fit(replace(train, sample_weight=weights), classes).score(train.x)
    np.testing.assert_allclose(weighted, short.fit(train.select(train.y != 3), classes).score(train.x), atol=1e-3)


def test_cada_vae_drops_its_rate_where_it_says(problem):
    train, classes = problem
    descents = Descent(epochs=2), Descent(epochs=2, drop_after=1), Descent(epochs=2, drop_after=2)
    plain, dropped, late = (CADAVAE(descent=d).fit(train, classes).score(train.x) for d in descents)
    np.testing.assert_array_equal(plain, late)
    assert np.abs(plain - dropped).max() > 1e-3


def test_cada_vaes_loss_is_the_papers(monkeypatch):
    """With zero noise, a code is its mean; every term in NumPy."""
    rng = np.random.default_rng(0)
    x, s = (rng.normal(size=(5, width)).astype(np.float32) for width in (6, 4))
    network = _Autoencoders(CADAVAE(latent=3, feature_hidden=8, semantic_hidden=7), 6, 4)
    monkeypatch.setattr("keras.random.normal", lambda shape, seed: np.zeros(shape, np.float32))
    codes = [np.asarray(encoder(rows)) for encoder, rows in zip(network.encoders, (x, s), strict=True)]
    (mean_x, log_x), (mean_s, log_s) = (np.split(code, 2, axis=1) for code in codes)

    def error(code_x, code_s):
        pairs = zip((x, s), network._decoders, (code_x, code_s), strict=True)
        return sum(np.abs(rows - np.asarray(decoder(code))).sum(axis=1) for rows, decoder, code in pairs)

    divergence = sum(
        0.5 * (np.exp(log) + mean**2 - 1 - log).sum(axis=1) for mean, log in ((mean_x, log_x), (mean_s, log_s))
    )
    gaps = ((mean_x - mean_s) ** 2).sum(axis=1) + ((np.exp(0.5 * log_x) - np.exp(0.5 * log_s)) ** 2).sum(axis=1)
    terms = divergence, error(mean_s, mean_x), np.sqrt(gaps)
    for weights in np.eye(3):
        network._rises.assign(weights)
        expected = error(mean_x, mean_s) + sum(w * term for w, term in zip(weights, terms, strict=True))
        np.testing.assert_allclose(network._losses((x, s)), expected, rtol=1e-4)


def test_cada_vaes_weights_rise_to_the_papers(problem, monkeypatch):
    train, classes = problem
    reached = []
    monkeypatch.setattr(_Autoencoders, "_epoch", lambda self, *_: None)
    network = _Autoencoders(CADAVAE(descent=Descent(epochs=100)), 32, 8)
    monkeypatch.setattr("zsltf.zeroshot.cada_vae.tf.function", lambda *_, **__: lambda *_: reached.append(rises()))

    def rises():
        return network._rises.numpy().tolist()

    network.train(train.x, classes.semantics[train.y], train.weights)
    reached = np.array(reached)
    np.testing.assert_allclose(reached[0], 0)
    np.testing.assert_allclose(reached[-1], [0.25, 2.37, 8.13], rtol=1e-5)
    np.testing.assert_allclose(reached[48], [0.25 * 48 / 93, 2.37 * 27 / 54, 8.13], rtol=1e-5)
    np.testing.assert_allclose(reached[14], [0.25 * 14 / 93, 0, 8.13 / 2], rtol=1e-5)


def test_the_penalty_is_against_the_mean_loss_of_an_image(problem, monkeypatch):
    """Repeating every image, real and drawn, changes nothing: the classifier's C is per total weight."""
    train, classes = problem
    given = []

    def record(model, x, y, weights):
        given.append((model.C, weights.sum()))
        return np.zeros((16, x.shape[1])), np.zeros(16)

    monkeypatch.setattr("zsltf.zeroshot.gaussian_generation.softmax_regression", record)
    weights = np.full(len(train), 3.0, np.float32)
    GaussianGeneration(penalty=1e-2, drawn=50).fit(train, classes)
    GaussianGeneration(penalty=1e-2, drawn=150).fit(replace(train, sample_weight=weights), classes)
    assert given == [(pytest.approx(100 / total), total) for total in (120 + 200, 360 + 600)]
