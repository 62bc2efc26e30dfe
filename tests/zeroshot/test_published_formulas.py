"""The closed forms against the papers' formulas, written down here once more in the plainest way, on the same files.

Each is carried through to accuracies under the benchmark's split, as other people's scripts do it.
"""

import numpy as np
import pytest
import tensorflow as tf
from scipy.io import loadmat
from scipy.linalg import solve_sylvester
from scipy.optimize import approx_fprime
from scipy.special import logsumexp

from zsltf.data.make_splits import make_splits
from zsltf.data.xlsa17 import read_xlsa17
from zsltf.evaluation.zero_shot_report import evaluate_zero_shot
from zsltf.losses.ranking import MaxHinge, RankedHinge, SumHinge
from zsltf.zeroshot.class_normalized_mlp import ClassNormalizedMLP
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.ridge import Ridge
from zsltf.zeroshot.sae import SAE


@pytest.fixture(scope="module")
def folder(toy_features, tmp_path_factory):
    """A hard set: noise, and fewer images of some classes."""
    features, classes = toy_features
    rng = np.random.default_rng(11)
    kept = np.flatnonzero(rng.random(len(features)) < 0.4 + 0.6 * ((features.y % 3) == 0))
    noisy = features.with_x((features.x + 2.5 * rng.normal(size=features.x.shape)).astype(np.float32))
    folder = tmp_path_factory.mktemp("sets") / "HARD"
    folder.mkdir()
    make_splits(folder, noisy.select(kept), classes)
    return folder


@pytest.fixture(scope="module")
def matlab(folder):
    """The files' arrays as MATLAB users have them: columns are images and classes, counting from 1."""
    images, splits = loadmat(folder / "res101.mat"), loadmat(folder / "att_splits.mat")
    places = {key: splits[f"{key}_loc"].ravel().astype(int) - 1 for key in ("trainval", "test_seen", "test_unseen")}
    return images["features"], images["labels"].ravel().astype(int) - 1, splits["att"], places


def reached(scores, labels, places, part, among):
    """Mean over classes of the share of images whose best class among these is theirs."""
    rows = places[part]
    predicted = among[scores[rows][:, among].argmax(axis=1)]
    return np.mean([(predicted[labels[rows] == c] == c).mean() for c in np.unique(labels[rows])])


def check(method, folder, matlab, scores):
    """The same accuracies, to the last digit."""
    _, labels, att, places = matlab
    data = read_xlsa17(folder)
    train = data.features.select(data.trainval)
    test = data.features.select(np.concatenate([data.test_seen, data.test_unseen]))
    report = evaluate_zero_shot(method.fit(train, data.classes), test)
    everything, unseen = np.arange(att.shape[1]), np.unique(labels[places["test_unseen"]])
    assert report.unseen_accuracy == pytest.approx(reached(scores, labels, places, "test_unseen", unseen), abs=1e-9)
    assert report.unseen == pytest.approx(reached(scores, labels, places, "test_unseen", everything), abs=1e-9)
    assert report.seen == pytest.approx(reached(scores, labels, places, "test_seen", everything), abs=1e-9)
    assert 0.25 < report.unseen_accuracy < 1  # neither trivial nor chance


def test_eszsl(folder, matlab):
    x, labels, att, places = matlab
    rows, seen = places["trainval"], np.unique(labels[places["trainval"]])
    y = np.where(labels[rows][:, None] == seen, 1.0, -1.0)
    s = att[:, seen]
    v = (
        np.linalg.pinv(x[:, rows] @ x[:, rows].T + 10.0 * np.eye(len(x)))
        @ (x[:, rows] @ y @ s.T)
        @ np.linalg.pinv(s @ s.T + 0.1 * np.eye(len(s)))
    )
    check(ESZSL(feature_ridge=10.0, attribute_ridge=0.1), folder, matlab, x.T @ v @ att)


@pytest.mark.parametrize("direction", ["decode", "encode"])
def test_sae(folder, matlab, direction):
    x, labels, att, places = matlab
    rows = places["trainval"]
    t, xs = att[:, labels[rows]], x[:, rows]
    w = solve_sylvester(t @ t.T, 2.0 * xs @ xs.T, 3.0 * t @ xs.T)

    def cosines(a, b):
        return (a / np.linalg.norm(a, axis=0)).T @ (b / np.linalg.norm(b, axis=0))

    scores = cosines(x, w.T @ att) if direction == "decode" else cosines(w @ x, att)
    check(SAE(ridge=2.0, direction=direction), folder, matlab, scores)


def test_ridge_from_attributes_to_features(folder, matlab):
    x, labels, att, places = matlab
    rows = places["trainval"]
    t = att[:, labels[rows]]
    w = np.linalg.solve(t @ t.T + 3.0 * np.eye(len(t)), t @ x[:, rows].T)
    prototypes = att.T @ w
    scores = (x.T / np.linalg.norm(x, axis=0)[:, None]) @ (prototypes / np.linalg.norm(prototypes, axis=1)[:, None]).T
    check(Ridge(ridge=3.0), folder, matlab, scores)


@pytest.mark.parametrize("loss", [SumHinge, MaxHinge, RankedHinge])
def test_ranking_losses_image_by_image(loss):
    rng = np.random.default_rng(2)
    scores, labels = rng.normal(size=(9, 6)).astype(np.float32), rng.integers(0, 6, 9)
    expected = []
    for row, label in zip(scores, labels, strict=True):
        violations = [max(0.0, 1.0 + row[c] - row[label]) for c in range(6) if c != label]
        rank = sum(v > 0 for v in violations)
        weight = sum(1 / i for i in range(1, rank + 1)) / rank if rank else 0.0
        expected.append(
            {"SumHinge": sum(violations), "MaxHinge": max(violations), "RankedHinge": weight * sum(violations)}[
                loss.__name__
            ]
        )
    np.testing.assert_allclose(loss().call(labels, scores), expected, rtol=1e-5)


def class_normalized_scores(weights, x, s, positive):
    """25 cos(x, W3 CN(relu(CN(W2 relu(W1 s))))): the scale is the square of the paper's gamma = 5."""

    def standardised(rows):
        return (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + 1e-5)

    w1, b1, w2, b2, w3, b3 = weights
    hidden = standardised(np.maximum(s @ w1 + b1, 0) @ w2 + b2)
    vectors = standardised(np.maximum(hidden, 0)) @ w3 + b3
    vectors = np.maximum(vectors, 0) if positive else vectors
    return 25 * (x / np.linalg.norm(x, axis=1)[:, None]) @ (vectors / np.linalg.norm(vectors, axis=1)[:, None]).T


@pytest.mark.parametrize("positive", [False, True])
def test_class_normalised_mlp(toy_features, positive):
    features, classes = toy_features
    x = np.abs(features.x[:120]) if positive else features.x[:120]
    y, s = features.y[:120], classes.semantics[:12]
    parts = ClassNormalizedMLP(hidden=7).parts(features.select(features.y < 12).with_x(x), classes)
    variables = parts.project.trainable_variables
    for number, variable in enumerate(variables):  # biases that are not 0, so that none can be left out
        variable.assign_add(0.1 * np.random.default_rng(number).normal(size=variable.shape))
    with tf.GradientTape() as tape:
        scores = parts.similarity(parts.embed(x), parts.project(s, training=True))
        loss = parts.loss(y, scores)
    gradients = [np.asarray(gradient) for gradient in tape.gradient(loss, [v.value for v in variables])]
    shapes, start = [v.shape for v in variables], np.concatenate([v.numpy().ravel() for v in variables])

    def split(flat):
        ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]

    def cross_entropy(flat):
        z = class_normalized_scores(split(flat), x.astype(float), s.astype(float), positive)
        return (logsumexp(z, axis=1) - z[np.arange(len(y)), y]).mean()

    start = start.astype(float)
    expected = class_normalized_scores(split(start), x.astype(float), s.astype(float), positive)
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)
    slopes = split(approx_fprime(start, cross_entropy, 1e-7))
    for gradient, slope in zip(gradients, slopes, strict=True):
        np.testing.assert_allclose(gradient, slope, atol=2e-3 * max(np.abs(slope).max(), 0.1))
