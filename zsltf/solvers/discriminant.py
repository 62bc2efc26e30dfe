"""Linear discriminant analysis from one pass."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from zsltf.checks import fail
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.whitening import shrunk

__all__ = ["discriminant", "softened"]


def discriminant(statistics: Statistics, shrinkage: float) -> tuple[Float[np.ndarray, "K D"], Float[np.ndarray, " K"]]:
    """Kernel and bias whose softmax is the posterior of K equally likely Gaussians with one covariance.

    Source: Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 1936; the covariance is
    shrunk as by Ledoit & Wolf 2004.

    Args:
        statistics: of the examples; the K classes are those with examples, in their order.
        shrinkage: share in (0, 1] of the mean variance in the covariance.

    Returns:
        (K, D) and (K,); the scores' common part is taken off, so the kernel's rows add up to 0.

    Raises:
        ValueError: for examples of a single class.
    """
    means = statistics.means[statistics.counts > 0]
    if len(means) < 2:
        fail("classes", "examples of two seen classes or more", str(len(means)), "Add another class's images.")
    factor = cho_factor(shrunk(statistics.within(), shrinkage))
    centre = means.mean(axis=0)
    kernel = cho_solve(factor, (means - centre).T).T
    return kernel, -0.5 * (kernel * (means + centre)).sum(axis=1)


def softened(
    statistics: Statistics, shrinkage: float, temperature: float
) -> tuple[Float[np.ndarray, "D K"], Float[np.ndarray, " K"]]:
    """The discriminant's kernel (transposed) and bias, over `temperature` times its scores' standard deviation.

    In many dimensions its own posterior is nearly always 0 or 1; this one has a unit that doesn't hang on the features.
    """
    kernel, bias = discriminant(statistics, shrinkage)
    mean = statistics.mean
    moment = kernel @ statistics.gram.matrix @ kernel.T / statistics.total
    variance = np.diagonal(moment) - (kernel @ mean) ** 2
    unit = temperature * (np.sqrt(np.maximum(variance, 0).mean()) or 1.0)
    return kernel.T / unit, bias / unit
