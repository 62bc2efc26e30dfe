"""Scores to probabilities by a slope and an offset each."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit

__all__ = ["platt"]


def platt(
    z: Float[np.ndarray, "N K"], targets: Float[np.ndarray, "N K"], weights: Float[np.ndarray, " N"]
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Slope a >= 0 and offset b of each column, for which sigmoid(a z + b) is likeliest.

    A column that knows nothing of its target gets slope 0 and the logit of the target's mean.

    Source: Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin Classifiers 1999; the
    targets are drawn towards 1/2 by one example of each side among all, where Platt's are by each side's own number.

    Args:
        z: scores that were not fitted on these examples.
        targets: in [0, 1].
        weights: of the examples.
    """
    share, total = (weights / weights.sum())[:, None], weights.sum()
    targets = (targets * total + 1) / (total + 2)
    scale = np.maximum(np.abs(z).max(axis=0), np.finfo(float).tiny)
    z = z / scale

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        slope, offset = flat.reshape(2, -1)
        score = slope * z + offset
        error = share * (expit(score) - targets)
        value = (share * (np.logaddexp(0, score) - targets * score)).sum()
        return float(value), np.concatenate([(error * z).sum(axis=0), error.sum(axis=0)])

    start = np.zeros(2 * z.shape[1])
    bounds = [(0.0, None)] * z.shape[1] + [(None, None)] * z.shape[1]
    options = {"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-8}
    slope, offset = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x.reshape(
        2, -1
    )
    return slope / scale, offset
