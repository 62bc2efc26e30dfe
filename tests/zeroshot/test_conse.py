import numpy as np
import pytest
from scipy.special import softmax

from zsltf.solvers.discriminant import softened
from zsltf.solvers.statistics import Statistics
from zsltf.zeroshot.conse import ConSE


@pytest.mark.parametrize("top", [1, 3, 100])
def test_an_image_is_the_mixture_of_its_likeliest_seen_classes(toy_features, top):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    kernel, bias = softened(Statistics.of(train, classes), 0.1, 0.5)
    p = softmax(features.x @ kernel + bias, axis=1)
    expected = np.empty((len(p), 16))
    for row, shares in enumerate(p):
        best = np.argsort(-shares)[:top]
        mixture = shares[best] @ classes.semantics[best] / shares[best].sum()
        norms = np.linalg.norm(mixture) * np.linalg.norm(classes.semantics, axis=1)
        expected[row] = classes.semantics @ mixture / norms
    np.testing.assert_allclose(ConSE(top=top).fit(train, classes).score(features.x), expected, atol=1e-4)


def test_no_class_in_the_mixture_is_refused():
    with pytest.raises(ValueError, match=r"ConSE\.top: expected a number > 0, received 0"):
        ConSE(top=0)
