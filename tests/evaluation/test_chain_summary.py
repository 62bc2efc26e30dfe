"""Means and paired differences of a chain's stages."""

import itertools

import numpy as np
import pytest
from scipy.stats import sem, t

from zsltf.evaluation.chain_summary import stage_differences, stage_means
from zsltf.evaluation.zero_to_few_shot import ALONE, ANY_SHOT, STAGES


@pytest.fixture(scope="module")
def rows():
    """Two domains, two draws, three seeds; the second stage is 0.1 above the first in every unit, the others as it."""
    rng, found = np.random.default_rng(0), []
    for domain, names, seed, shots in itertools.product(("a", "b"), (["x"], ["y"]), range(3), (0, 1)):
        level = rng.uniform(0.2, 0.6)
        for stage, more in zip(STAGES, (0.0, 0.1, 0.1, 0.1), strict=True):
            task = {"domain": domain, "held_out": names, "seed": seed, "stage": stage, "shots": shots}
            found.append({**task, "head": ANY_SHOT, "accuracy": level + more, "known": level, "new": 1 - level})
            if shots:
                found.append({**task, "head": ALONE, "accuracy": 0.5, "known": 0.5, "new": 0.5})
    return found


def test_means_are_over_all_and_intervals_over_seeds(rows):
    found = {(row["stage"], row["head"], row["shots"]): row for row in stage_means(rows)}
    assert len(found) == 4 * 3
    own = [row for row in rows if (row["stage"], row["head"], row["shots"]) == (STAGES[0], ANY_SHOT, 0)]
    by_seed = np.array([np.mean([row["accuracy"] for row in own if row["seed"] == seed]) for seed in range(3)])
    row = found[STAGES[0], ANY_SHOT, 0]
    np.testing.assert_allclose(row["by_seed"], by_seed)
    assert row["accuracy"] == pytest.approx(by_seed.mean())
    assert row["known"] + row["new"] == pytest.approx(1)
    np.testing.assert_allclose(row["interval"], t.interval(0.95, 2, by_seed.mean(), sem(by_seed)))


def test_differences_are_paired_over_domains_and_draws(rows):
    found = {(row["what"], row["shots"]): row for row in stage_differences(rows)}
    first, second, _ = (f"{after}, above {before}" for before, after in itertools.pairwise(STAGES))
    for shots in (0, 1):
        assert found[first, shots]["difference"] == pytest.approx(0.1)
        np.testing.assert_allclose(found[first, shots]["interval"], [0.1, 0.1])
        np.testing.assert_allclose(found[second, shots]["interval"], [0.0, 0.0], atol=1e-12)
    against = f"{STAGES[0]}, above {ALONE}"
    assert (against, 0) not in found
    own = [row for row in rows if (row["stage"], row["head"], row["shots"]) == (STAGES[0], ANY_SHOT, 1)]
    expected = np.mean([row["accuracy"] for row in own]) - 0.5
    assert found[against, 1]["difference"] == pytest.approx(expected)
