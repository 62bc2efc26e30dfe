"""The quadratic program against scipy's."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from zsltf.solvers.box_program import box_program


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sums", [(3.0, 5.0), (0.0, 0.5), (9.0, 9.5)])
def test_reaches_the_minimum_that_scipy_finds(seed, sums):
    rng = np.random.default_rng(seed)
    root, linear = rng.normal(size=(8, 8)), rng.normal(size=8)
    quadratic = root.T @ root + 0.01 * np.eye(8)

    def value(w):
        return w @ quadratic @ w / 2 - linear @ w

    other = minimize(
        value,
        np.full(8, sum(sums) / 16),
        jac=lambda w: quadratic @ w - linear,
        bounds=[(0, 1.5)] * 8,
        constraints=LinearConstraint(np.ones(8), *sums),
        method="trust-constr",
        options={"gtol": 1e-10, "xtol": 1e-12, "maxiter": 3000},
    )
    found = box_program(quadratic, linear, upper=1.5, sums=sums, steps=20_000, tolerance=1e-10)
    assert found.min() >= 0
    assert found.max() <= 1.5
    assert sums[0] - 1e-9 <= found.sum() <= sums[1] + 1e-9
    assert value(found) <= value(other.x) + 1e-5 * max(1, abs(value(other.x)))
