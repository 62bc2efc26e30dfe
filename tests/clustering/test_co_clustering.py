"""Co-clustering without its auxiliary examples."""

import numpy as np

from zsltf.clustering.co_clustering import CoClustering
from zsltf.data.unlabelled import Unlabelled


def counts(seed, count):
    return Unlabelled(x=np.random.default_rng(seed).gamma(0.5, size=(count, 12)).astype(np.float32))


def test_at_weight_0_auxiliary_examples_tell_nothing():
    method = CoClustering(weight=0.0, feature_clusters=4, restarts=2)
    found = [method.cluster(counts(0, 40), auxiliary=counts(seed, 50), clusters=4) for seed in (1, 2, 3)]
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].assignment, other.assignment)
