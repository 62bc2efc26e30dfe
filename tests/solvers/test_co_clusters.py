"""Co-clusters against Kullback and Leibler's divergences, term by term."""

from itertools import product

import numpy as np
import pytest

from zsltf.solvers.co_clusters import co_cluster, information_lost


def joint(seed, count, width=6):
    x = np.random.default_rng(seed).gamma(0.5, size=(count, width))
    x[0, 1] = 0  # what is left out of a cluster matters
    return x / x.sum()


def clustered(p, rows, features):
    """p~(x, z) = p(x~, z~) p(x) / p(x~) p(z) / p(z~), place by place."""
    found = np.zeros_like(p)
    px, pz = p.sum(axis=1), p.sum(axis=0)
    for x, z in product(*map(range, p.shape)):
        mine, its = rows == rows[x], features == features[z]
        found[x, z] = p[mine][:, its].sum() * px[x] / px[mine].sum() * pz[z] / pz[its].sum()
    return found


def divergence(p, q):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(p / q), 0).sum()


def test_what_is_lost_is_the_divergence_from_the_clustered_distribution():
    p, rng = joint(0, 8), np.random.default_rng(1)
    rows, features = rng.integers(0, 3, 8), rng.integers(0, 2, 6)
    assert information_lost(p, rows, features, (3, 2)) == pytest.approx(divergence(p, clustered(p, rows, features)))


def test_clusters_of_one_lose_nothing():
    p = joint(2, 5)
    assert information_lost(p, np.arange(5), np.arange(6), (5, 6)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_no_round_makes_it_worse(seed, weight):
    rng = np.random.default_rng(seed)
    joints, counts = (joint(seed, 30), joint(seed + 50, 40)), (3, 4, 3)
    starts = tuple(rng.integers(0, k, n) for k, n in zip(counts, (30, 40, 6), strict=True))
    found = co_cluster(joints, starts, counts, weight, rounds=30)
    assert len(found.objective) > 2
    assert (np.diff(found.objective) <= 1e-12).all()
    assert found.objective[-1] < found.objective[0]
    told = information_lost(joints[0], found.target, found.features, (3, 3))
    told += weight * information_lost(joints[1], found.auxiliary, found.features, (4, 3))
    assert found.objective[-1] == pytest.approx(told)


def test_a_turn_takes_the_cluster_of_least_divergence():
    """By brute force over the published divergences, for rows and then for features."""
    rng, weight = np.random.default_rng(7), 2.0
    joints, counts = (joint(3, 9), joint(4, 7)), (3, 2, 3)
    starts = (np.arange(9) % 3, np.arange(7) % 2, rng.permutation(np.arange(6) % 3))
    found = co_cluster(joints, starts, counts, weight, rounds=1)
    rows = []
    for p, own, count in zip(joints, starts, counts, strict=False):
        near = clustered(p, own, starts[2])
        mine = p / p.sum(axis=1, keepdims=True)
        of_cluster = [near[own == k].sum(axis=0) / near[own == k].sum() for k in range(count)]
        rows.append(np.array([np.argmin([divergence(row, q) for q in of_cluster]) for row in mine]))
    np.testing.assert_array_equal(found.target, rows[0])
    np.testing.assert_array_equal(found.auxiliary, rows[1])
    costs = np.zeros((6, 3))
    for p, own, w in zip(joints, rows, (1.0, weight), strict=True):
        near = clustered(p, own, starts[2])
        for z, k in product(range(6), range(3)):
            given = near[:, starts[2] == k].sum(axis=1) / near[:, starts[2] == k].sum()
            costs[z, k] += w * p[:, z].sum() * divergence(p[:, z] / p[:, z].sum(), given)
    np.testing.assert_array_equal(found.features, costs.argmin(axis=1))
