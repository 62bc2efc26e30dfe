"""Source examples under importance weights."""

import warnings
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_finite, fail
from zsltf.data.features import Features
from zsltf.metrics.effective_size import effective_size

__all__ = ["reweighted"]

_LEAST_SHARE = 0.05


def reweighted(method: str, source: Features, ratios: Float[np.ndarray, " N"]) -> Features:
    """The source with these ratios times its own weights, scaled to a mean of 1.

    Warns where the weights are worth less than 5 % of the examples.

    Args:
        method: is named in messages.
        source: the examples.
        ratios: >= 0, one an example.

    Raises:
        ValueError: if the weights are not finite, or one example has all of the weight.
    """
    weights = np.asarray(ratios, np.float64) * source.weights
    check_finite(f"{method}, weights", weights, "Raise the regularisation.")
    fix = "The domains hardly overlap: raise the regularisation, reduce the features, or adapt them instead."
    if np.count_nonzero(weights) < 2:
        fail(
            f"{method}, weights", "weight on several examples", f"on {np.count_nonzero(weights)} of {len(source)}", fix
        )
    size = effective_size(weights)
    if size < _LEAST_SHARE * len(source):
        told = f"{method}: {len(source)} examples are worth {size:.1f} under their weights. {fix}"
        warnings.warn(told, stacklevel=2)
    return replace(source, sample_weight=(weights / weights.mean()).astype(np.float32))
