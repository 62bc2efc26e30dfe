"""K-means on the examples as they are; what every other clustering method has to beat."""

from dataclasses import dataclass

from zsltf.checks import check_positive, check_seed
from zsltf.data.clustering import Clustering, check_clusterable
from zsltf.data.unlabelled import Unlabelled
from zsltf.solvers.k_means import k_means

__all__ = ["PlainKMeans"]


@dataclass(frozen=True, kw_only=True)
class PlainKMeans:
    """Clusters around means; auxiliary examples are not looked at.

    Source: Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 1982; started as by
        Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    """

    spherical: bool = False
    """Bring examples to length 1."""
    restarts: int = 10
    """>= 1; the best by its own objective is kept."""
    seed: int = 0
    """Of the starts."""

    def __post_init__(self) -> None:
        check_positive("PlainKMeans", restarts=self.restarts)
        check_seed("PlainKMeans", self.seed)

    def cluster(self, target: Unlabelled, *, auxiliary: Unlabelled, clusters: int) -> Clustering:
        """Of the target alone; see ClusteringMethod."""
        check_clusterable("PlainKMeans", target, auxiliary, clusters)
        return k_means(target.x, clusters, restarts=self.restarts, seed=self.seed, spherical=self.spherical)
