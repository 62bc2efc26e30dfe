"""How far apart rows are."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist

__all__ = ["median_distance"]


def median_distance(rows: Float[np.ndarray, "S A"]) -> float:
    """The median Euclidean distance of two rows, or of two that differ where the median is 0; 1 if none do."""
    distances = pdist(rows)
    differing = distances[distances > 0]
    return float(np.median(distances) or np.median(differing)) if len(differing) else 1.0
