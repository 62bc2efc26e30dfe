"""KMM: weights under which the source has the target's mean in a kernel's space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist, pdist

from zsltf.checks import check_not_negative, check_positive, check_seed, fail
from zsltf.data.features import Features
from zsltf.data.reweighted import reweighted
from zsltf.data.unlabelled import Unlabelled, check_unlabelled
from zsltf.solvers.box_program import box_program

__all__ = ["KMM", "kernel_mean_weights"]


@dataclass(frozen=True, kw_only=True)
class KMM:
    """Kernel mean matching: the distance between the weighted source's and the target's mean is the least.

    Source: Huang, Smola, Gretton, Borgwardt & Scholkopf, "Correcting sample selection bias by unlabeled data", NIPS
        2006.
    """

    width: float = 1.0
    """Of the Gaussian kernel, as a multiple of the median distance of the target's examples, > 0."""
    upper: float = 100.0
    """Of a weight, > 0; the paper's B."""
    slack: float | None = None
    """How far the mean weight may be from 1, >= 0; by default (sqrt(N) - 1) / sqrt(N), as in the paper."""
    ridge: float = 1.0
    """Added to the kernel matrix's diagonal, which is 1, >= 0: holds back weights that only fit the means' noise; 0 is
    the paper's."""
    most: int = 1000
    """Source examples that are weighed at a time, >= 2: their matrix is most x most."""
    seed: int = 0
    """Of the parts that a larger source is cut into."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"width": (0.3, 1.0, 3.0), "upper": (10.0, 100.0)}

    def __post_init__(self) -> None:
        check_positive("KMM", width=self.width, upper=self.upper)
        check_not_negative("KMM", ridge=self.ridge)
        check_seed("KMM", self.seed)
        if self.slack is not None and not 0 <= self.slack < np.inf:
            fail("KMM.slack", "a number >= 0", f"{self.slack:g}", "Leave it out for the paper's.")
        if self.most < 2:
            fail("KMM.most", "2 or more", str(self.most), "Start from the default.")

    def weigh(self, source: Features, target: Unlabelled) -> Features:
        """The source with weights; see InstanceMethod."""
        source.check_vectors("KMM")
        check_unlabelled("KMM", target, source.x, fewest=2)
        order = np.random.default_rng(self.seed).permutation(len(source))
        width = self.width * median_distance(target.x, self.seed)
        weights = np.empty(len(source))
        for rows in np.array_split(order, -(-len(order) // self.most)):
            weights[rows] = kernel_mean_weights(
                source.x[rows], target.x, width, self.upper, ridge=self.ridge, slack=self.slack
            )
        return reweighted("KMM", source, weights)


def kernel_mean_weights(
    source: Float[np.ndarray, "N D"],
    target: Float[np.ndarray, "M D"],
    width: float,
    upper: float,
    *,
    ridge: float = 0.0,
    slack: float | None = None,
) -> Float[np.ndarray, " N"]:
    """The w in [0, upper] that minimises N^2 |mean_n w_n phi(s_n) - mean_m phi(t_m)|^2 + ridge |w|^2.

    The mean of w is within slack of 1.

    Args:
        source: vectors.
        target: vectors.
        width: of the kernel exp(-|a - b|^2 / (2 width^2)).
        upper: of each weight, >= 1 - slack.
        ridge: >= 0.
        slack: of the mean; by default (sqrt(N) - 1) / sqrt(N).
    """
    count = len(source)
    allowed = (np.sqrt(count) - 1) / np.sqrt(count) if slack is None else slack
    if upper < 1 - allowed:
        fail("KMM.upper", f"{1 - allowed:g} or more, the least mean weight", f"{upper:g}", "Raise it, or slack.")
    within, across = (np.exp(-cdist(source, other, "sqeuclidean") / (2 * width**2)) for other in (source, target))
    sums = (count * max(1 - allowed, 0.0), count * (1 + allowed))
    return box_program(within + ridge * np.eye(count), count * across.mean(axis=1), upper=upper, sums=sums)


def median_distance(x: Float[np.ndarray, "N D"], seed: int, most: int = 1000) -> float:
    """Median distance of pairs of at most so many examples."""
    rows = np.random.default_rng(seed).permutation(len(x))[:most]
    return float(np.median(pdist(np.asarray(x[rows], np.float64)))) or 1.0
