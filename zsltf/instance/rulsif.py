"""RuLSIF: a density ratio fitted by least squares, bounded by a share of the source in the denominator's place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

from zsltf.checks import check_positive, check_seed, check_share, fail
from zsltf.data.features import Features
from zsltf.data.reweighted import reweighted
from zsltf.data.unlabelled import Unlabelled, check_unlabelled

__all__ = ["RuLSIF", "relative_ratio"]

_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class RuLSIF:
    """w(x) = p_t(x) / (alpha p_t(x) + (1 - alpha) p_s(x)), at most 1 / alpha; alpha = 0 is uLSIF.

    Kernel width and ridge are chosen by cross-validation of the fitted criterion, which needs no labels.

    Source: Yamada, Suzuki, Kanamori, Hachiya & Sugiyama, "Relative density-ratio estimation for robust distribution
        comparison", Neural Computation 2013; uLSIF: Kanamori, Hido & Sugiyama, JMLR 2009.
    """

    alpha: float = 0.1
    """Share of the target in what the ratio is relative to, in [0, 1)."""
    centres: int = 100
    """Target examples at which kernels stand, at most; >= 1."""
    widths: tuple[float, ...] = (0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
    """Of the Gaussian kernels, as multiples of the median distance to the centres."""
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)
    """On the kernels' weights."""
    seed: int = 0
    """Of the centres and folds."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"alpha": (0.0, 0.1, 0.5)}

    def __post_init__(self) -> None:
        check_share("RuLSIF", alpha=self.alpha)
        check_positive("RuLSIF", centres=self.centres)
        check_seed("RuLSIF", self.seed)
        for name in ("widths", "ridges"):
            if not getattr(self, name):
                fail(f"RuLSIF.{name}", "one or more", "none", "Start from the default.")
            for value in getattr(self, name):
                check_positive("RuLSIF", **{name: value})

    def weigh(self, source: Features, target: Unlabelled) -> Features:
        """The source with weights; see InstanceMethod."""
        source.check_vectors("RuLSIF")
        check_unlabelled("RuLSIF", target, source.x, fewest=_FOLDS)
        rng = np.random.default_rng(self.seed)
        centres = np.asarray(target.x, np.float64)[rng.permutation(len(target))[: self.centres]]
        distances = [cdist(np.asarray(x, np.float64), centres, "sqeuclidean") for x in (source.x, target.x)]
        median = float(np.median(np.concatenate(distances))) or 1.0
        best = min(self._settings(distances, median, rng), key=lambda found: found[0])
        kernels = [np.exp(-d / (2 * best[1] * median)) for d in distances]
        theta = relative_ratio(kernels[0], kernels[1], self.alpha, best[2])
        return reweighted("RuLSIF", source, np.maximum(kernels[0] @ theta, 0.0))

    def _settings(
        self, distances: list[np.ndarray], median: float, rng: np.random.Generator
    ) -> Iterator[tuple[float, float, float]]:
        """Each squared width and ridge behind its criterion, on examples that were held out."""
        fold = [rng.permutation(len(d)) % _FOLDS for d in distances]
        for width in self.widths:
            kernels = (np.exp(-d / (2 * width**2 * median)) for d in distances)
            parts = list(zip(kernels, fold, strict=True))
            for ridge in self.ridges:
                losses = []
                for held in range(_FOLDS):
                    kept, left = ([k[(f == held) == out] for k, f in parts] for out in (False, True))
                    theta = relative_ratio(kept[0], kept[1], self.alpha, ridge)
                    losses.append(_criterion(left[0] @ theta, left[1] @ theta, self.alpha))
                yield float(np.mean(losses)), width**2, ridge


def relative_ratio(
    source: Float[np.ndarray, "N K"], target: Float[np.ndarray, "M K"], alpha: float, ridge: float
) -> Float[np.ndarray, " K"]:
    """theta = (H + ridge I)^-1 h, the kernels' weights in the ratio k(x)'theta.

    H = alpha mean_t k k' + (1 - alpha) mean_s k k', h = mean_t k.

    Args:
        source: kernels' values k(x) at the source's examples.
        target: at the target's.
        alpha: share of the target in the denominator.
        ridge: > 0.
    """
    matrix = alpha * target.T @ target / len(target) + (1 - alpha) * source.T @ source / len(source)
    return np.linalg.solve(matrix + ridge * np.eye(len(matrix)), target.mean(axis=0))


def _criterion(source: Float[np.ndarray, " N"], target: Float[np.ndarray, " M"], alpha: float) -> float:
    """Half the expected squared error of the ratio, up to a constant."""
    squares = alpha * np.mean(target**2) + (1 - alpha) * np.mean(source**2)
    return float(squares / 2 - target.mean())
