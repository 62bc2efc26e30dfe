import numpy as np
import pytest
from scipy.spatial.distance import cdist

from zsltf.solvers.linear_heads import linear_heads
from zsltf.zeroshot.sync import SYNC


def test_seen_classes_keep_their_classifiers_and_a_class_is_the_mixture_of_bases_near_it(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    fitted = SYNC(penalty=1e-2, width=0.7).fit(train, classes)
    heads = linear_heads(train.x, np.eye(12)[train.y], train.weights, 1e-2, "squared_hinge").T
    vectors = np.asarray(fitted.class_vectors)
    np.testing.assert_allclose(vectors[:12], heads, atol=2e-3)
    s = classes.semantics.astype(float)
    distances = cdist(s, s[:12])
    reach = 0.7 * np.median(distances[:12][np.triu_indices(12, 1)])
    kernel = np.exp(-0.5 * (distances / reach) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    bases = np.linalg.lstsq(kernel[:12], heads, rcond=1e-4)[0]
    np.testing.assert_allclose(vectors, kernel @ bases, atol=2e-3)
    np.testing.assert_allclose(
        fitted.score(features.x), features.x @ vectors[:, :-1].T + vectors[:, -1], rtol=1e-4, atol=1e-4
    )


def test_zero_is_refused():
    with pytest.raises(ValueError, match=r"SYNC\.width: expected a number > 0, received 0"):
        SYNC(width=0.0)
