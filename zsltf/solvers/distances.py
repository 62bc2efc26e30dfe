"""How far apart rows are."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist

__all__ = ["bump_rate", "median_distance"]


def median_distance(rows: Float[np.ndarray, "S A"]) -> float:
    """The median Euclidean distance of two rows, or of two that differ where the median is 0; 1 if none do."""
    distances = pdist(rows)
    differing = distances[distances > 0]
    return float(np.median(distances) or np.median(differing)) if len(differing) else 1.0


def bump_rate(rows: Float[np.ndarray, "S A"], width: float) -> float:
    """1 / (2 sigma^2) of Gaussian bumps whose sigma is `width` median distances of these rows."""
    return 0.5 / (width * median_distance(rows)) ** 2
