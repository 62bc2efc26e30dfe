"""Canonical correlation from covariances."""

import numpy as np
from jaxtyping import Float

__all__ = ["canonical_directions"]


def canonical_directions(
    left: Float[np.ndarray, "D D"], right: Float[np.ndarray, "A A"], cross: Float[np.ndarray, "D A"]
) -> tuple[Float[np.ndarray, "D K"], Float[np.ndarray, "A K"], Float[np.ndarray, " K"]]:
    """Directions u of x and v of s along which the two correlate most, and those correlations, falling.

    What correlates less than 1e-8 of the first is rounding: those directions are left out.

    Source: Hotelling, "Relations between two sets of variates", Biometrika 1936.

    Args:
        left: W with W'(cov x)W = I, as `whitening` returns; a shrunk covariance regularises.
        right: the same for s.
        cross: covariance of x with s.
    """
    u, correlations, v = np.linalg.svd(left.T @ cross @ right, full_matrices=False)
    kept = correlations >= 1e-8 * correlations[0]
    return left @ u[:, kept], right @ v[kept].T, correlations[kept]
