"""VICReg's terms against NumPy, and where they are 0."""

import numpy as np
import pytest

from zsltf.losses.vicreg import redundancy, shortfall, vicreg


def sample(seed, count=50, width=4):
    return np.random.default_rng(seed).normal(size=(count, width)) @ np.random.default_rng(9).normal(size=(4, width))


def test_is_the_published_formula():
    one, other = sample(0), 0.3 * sample(1)
    expected = 25 * np.mean((one - other) ** 2)
    for x in (one, other):
        expected += 25 / 2 * np.mean(np.maximum(0, 1 - np.sqrt(x.var(axis=0, ddof=1) + 1e-4)))
        c = np.cov(x, rowvar=False)
        expected += sum(c[i, j] ** 2 for i in range(4) for j in range(4) if i != j) / 4
    assert float(vicreg(one, other, (25.0, 25.0, 1.0))) == pytest.approx(expected, rel=1e-5)


def test_unit_variance_lacks_nothing():
    x = sample(2)
    assert float(shortfall(x / x.std(axis=0, ddof=1))) == pytest.approx(0, abs=1e-7)
    assert float(shortfall(np.ones((5, 3)))) == pytest.approx(1 - 0.01)


def test_whitened_coordinates_say_nothing_twice():
    x = sample(3)
    values, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
    white = (x - x.mean(axis=0)) @ vectors / np.sqrt(values)
    assert float(redundancy(white)) == pytest.approx(0, abs=1e-10)
    assert float(redundancy(x)) > 0.1
