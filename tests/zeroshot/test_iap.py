import numpy as np
from scipy.special import logit, softmax

from zsltf.solvers.discriminant import softened
from zsltf.solvers.statistics import Statistics
from zsltf.zeroshot.iap import IAP


def test_an_attribute_is_as_likely_as_the_seen_classes_that_have_it(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    kernel, bias = softened(Statistics.of(train, classes), 0.1, 0.5)
    p = softmax(features.x @ kernel + bias, axis=1) @ classes.semantics[:12]
    terms = logit(np.clip(p, 1e-3, 1 - 1e-3)) - logit(classes.semantics[:12].mean(axis=0))
    np.testing.assert_allclose(IAP().fit(train, classes).score(features.x), terms @ classes.semantics.T, atol=2e-2)
