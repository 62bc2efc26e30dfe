import numpy as np

from zsltf.solvers.discriminant import discriminant
from zsltf.solvers.statistics import Statistics
from zsltf.zeroshot.sse import SSE


def test_the_weights_are_least_squares_over_images_and_seen_classes(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y]).select(np.arange(3, 120))
    fitted = SSE().fit(train, classes)
    kernel, bias = discriminant(Statistics.of(train, classes), 0.1)
    phi = train.x @ kernel.T + bias
    shares = np.asarray(fitted.class_vectors, float)[:12]
    design = (phi[:, None] * shares).reshape(-1, 12)
    targets = np.where(train.y[:, None] == np.arange(12), 1.0, -1.0).ravel()
    moment = design.T @ design
    weights = np.linalg.solve(moment + 1e-3 * np.trace(moment) / 12 * np.eye(12), design.T @ targets)
    expected = (phi * weights) @ np.asarray(fitted.class_vectors).T
    np.testing.assert_allclose(fitted.score(train.x), expected, atol=1e-3 * expected.std())
    np.testing.assert_allclose(np.asarray(fitted.class_vectors).sum(axis=1), 1, atol=1e-5)
    assert (shares.argmax(axis=1) == np.arange(12)).all()  # a seen class is mostly itself
