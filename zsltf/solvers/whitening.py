"""Whitening by a shrunk covariance."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

__all__ = ["whitening"]


def whitening(covariance: Float[np.ndarray, "D D"], shrinkage: float) -> Float[np.ndarray, "D D"]:
    """W with W'(shrunk covariance)W = I, for x -> x W.

    The covariance is shrunk towards its mean variance, since few examples exaggerate how unequal its eigenvalues are:
    (1 - shrinkage) C + shrinkage tr(C) / D I.

    Source: Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
    Multivariate Analysis 2004 (the form; they also estimate the share).

    Args:
        covariance: symmetric, positive semidefinite.
        shrinkage: share in (0, 1].
    """
    width = len(covariance)
    level = np.trace(covariance) / width or 1.0
    values, vectors = eigh((1 - shrinkage) * covariance + shrinkage * level * np.eye(width))
    return vectors / np.sqrt(values)
