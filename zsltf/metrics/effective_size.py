"""How many equally weighted examples weighted ones are worth."""

import numpy as np
from jaxtyping import Float

__all__ = ["effective_size"]


def effective_size(weights: Float[np.ndarray, " N"]) -> float:
    """(sum w)^2 / sum w^2: N where all are equal, 1 where one has all the weight.

    Source: Kish, "Survey sampling", 1965.
    """
    weights = np.asarray(weights, np.float64)
    return float(weights.sum() ** 2 / np.sum(weights**2))
