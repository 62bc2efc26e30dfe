"""Deep clustering: k-means on the embeddings of an encoder that was pretrained on all examples."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from zsltf.checks import check_positive, check_seed
from zsltf.data.clustering import Clustering, check_clusterable
from zsltf.data.unlabelled import Unlabelled
from zsltf.discovery import one_of, plugin_type
from zsltf.protocols import SelfTaughtMethod
from zsltf.solvers.k_means import k_means
from zsltf.training.embedding import embedded
from zsltf.training.seeds import with_seed

__all__ = ["DeepClustering"]


@dataclass(frozen=True, kw_only=True)
class DeepClustering:
    """An encoder learns from target and auxiliary examples together; then k-means, by cosines or by distances.

    Source: Xie, Girshick & Farhadi, "Unsupervised deep embedding for clustering analysis", ICML 2016 (its first stage);
        Dhillon & Modha, "Concept decompositions for large sparse text data using clustering", Machine Learning 2001
        (cosines; here k-means of unit vectors, whose means are not brought back to length 1).
    """

    encoder: Annotated[SelfTaughtMethod, one_of("selftaught", "encoder")] = field(
        default_factory=plugin_type("selftaught", "autoencoder")
    )
    spherical: bool = True
    """Bring embeddings to length 1."""
    restarts: int = 10
    """Of k-means, >= 1; the best by its own objective is kept."""
    seed: int = 0
    """Of encoder and k-means."""

    def __post_init__(self) -> None:
        check_positive("DeepClustering", restarts=self.restarts)
        check_seed("DeepClustering", self.seed)

    def cluster(self, target: Unlabelled, *, auxiliary: Unlabelled, clusters: int) -> Clustering:
        """Pretrain, then k-means; see ClusteringMethod."""
        check_clusterable("DeepClustering", target, auxiliary, clusters)
        everything = Unlabelled(x=np.concatenate([target.x, auxiliary.x]))
        encoder = with_seed(self.encoder, self.seed).pretrain(everything)
        a = embedded(encoder, target.x)
        return k_means(a, clusters, restarts=self.restarts, seed=self.seed, spherical=self.spherical)
