"""Linear maps that bring a source's vectors to a target's distribution."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from zsltf.checks import fail

__all__ = ["recoloured", "subspaces"]


def recoloured(
    source: Float[np.ndarray, "N D"], target: Float[np.ndarray, "M D"], ridge: float
) -> Float[np.ndarray, "N D"]:
    """The source's vectors, whitened, then with the covariance and the mean of the target, in float64.

    (x - m_s) (C_s + r I)^-1/2 (C_t + r I)^1/2 + m_t.

    Source: Sun, Feng & Saenko, "Return of frustratingly easy domain adaptation", AAAI 2016 (there r = 1, and no means).

    Args:
        source: vectors.
        target: vectors.
        ridge: r as a share of the target's mean variance, >= 0; 0 needs a source of full rank.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    covariances = [np.cov(x, rowvar=False).reshape(x.shape[1], -1) for x in (source, target)]
    if not (ridge and np.trace(covariances[1])) and np.linalg.matrix_rank(covariances[0]) < source.shape[1]:
        fix = "Raise ridge; of a target that does not vary, look at the backbone."
        fail("CORAL, source", "features of full rank, or a ridge on them", "neither", fix)
    added = ridge * np.trace(covariances[1]) / source.shape[1] * np.eye(source.shape[1])
    white, colour = (_power(c + added, power) for c, power in zip(covariances, (-0.5, 0.5), strict=True))
    return (source - source.mean(axis=0)) @ white @ colour + target.mean(axis=0)


def subspaces(
    source: Float[np.ndarray, "N D"], target: Float[np.ndarray, "M D"], size: int
) -> tuple[Float[np.ndarray, "N d"], Float[np.ndarray, "D d"], Float[np.ndarray, " D"]]:
    """The source in its own principal subspace, rotated to the target's; and the target's basis and mean.

    Source: Fernando, Habrard, Sebban & Tuytelaars, "Unsupervised visual domain adaptation using subspace alignment",
        ICCV 2013.

    Args:
        source: vectors.
        target: vectors.
        size: d, of the subspaces, <= D.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    (source_basis, source_mean), (basis, mean) = (_principal(x, size) for x in (source, target))
    return (source - source_mean) @ source_basis @ (source_basis.T @ basis), basis, mean


def _power(matrix: Float[np.ndarray, "D D"], power: float) -> Float[np.ndarray, "D D"]:
    values, vectors = eigh(matrix, driver="evd")
    return (vectors * np.maximum(values, 0.0) ** power) @ vectors.T


def _principal(x: Float[np.ndarray, "N D"], size: int) -> tuple[Float[np.ndarray, "D d"], Float[np.ndarray, " D"]]:
    mean = x.mean(axis=0)
    _, vectors = eigh(np.cov(x - mean, rowvar=False), driver="evd")
    return vectors[:, ::-1][:, :size], mean
