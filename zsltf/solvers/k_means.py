"""K-means."""

import numpy as np
from jaxtyping import Float
from sklearn.cluster import KMeans

from zsltf.data.clustering import Clustering

__all__ = ["k_means"]


def k_means(
    a: Float[np.ndarray, "N K"], clusters: int, *, restarts: int, seed: int, spherical: bool = False
) -> Clustering:
    """Scikit-learn's k-means; the objective is the sum of squared distances to the means.

    Args:
        a: vectors.
        clusters: how many.
        restarts: of which the best by the objective is kept.
        seed: of the starts.
        spherical: bring vectors to length 1 first.
    """
    a = np.asarray(a, np.float64)
    if spherical:
        a = a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12)
    found = KMeans(clusters, n_init=restarts, random_state=seed).fit(a)
    return Clustering(assignment=found.labels_.astype(int), clusters=clusters, objective=(float(found.inertia_),))
