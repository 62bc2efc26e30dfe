"""Clusters against classes, by brute force and by hand."""

from itertools import permutations

import numpy as np
import pytest

from zsltf.metrics.clustering import clustering_accuracy, clustering_scores


@pytest.mark.parametrize("clusters", [2, 3, 4])
def test_accuracy_is_that_of_the_best_matching_of_all(clusters):
    rng = np.random.default_rng(clusters)
    y, assignment = rng.integers(0, 3, 60), rng.integers(0, clusters, 60)
    names = [*range(3), *[-1] * max(0, clusters - 3)]  # a cluster that is left over matches no class
    best = max((np.array(given)[assignment] == y).mean() for given in permutations(names, clusters))
    assert clustering_accuracy(y, assignment) == pytest.approx(best)


def test_names_of_clusters_do_not_matter():
    y = np.repeat([0, 1, 2], 5)
    assert clustering_scores(y, (y + 1) % 3 + 4) == {"accuracy": 1, "mutual_information": 1, "rand_index": 1}


def test_one_cluster_for_all_tells_nothing():
    y = np.repeat([0, 1], [6, 4])
    told = clustering_scores(y, np.zeros(10, int))
    assert told == {"accuracy": 0.6, "mutual_information": 0, "rand_index": 0}


def test_mutual_information_by_hand():
    y, assignment = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1])
    joint = np.array([[2, 1], [0, 3]]) / 6
    shares = joint.sum(axis=1), joint.sum(axis=0)
    found = sum(p * np.log(p / (shares[0][i] * shares[1][j])) for (i, j), p in np.ndenumerate(joint) if p)
    entropies = [-(p * np.log(p)).sum() for p in shares]
    assert clustering_scores(y, assignment)["mutual_information"] == pytest.approx(found / np.mean(entropies))


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"assignment: expected shape \(4,\), received shape \(3,\). Give one cluster"):
        clustering_accuracy(np.zeros(4, int), np.zeros(3, int))
