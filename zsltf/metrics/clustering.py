"""How well clusters agree with classes that they were not told."""

import numpy as np
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from zsltf.checks import check_shape

__all__ = ["clustering_accuracy", "clustering_scores"]


def clustering_accuracy(y: Int[np.ndarray, " N"], assignment: Int[np.ndarray, " N"]) -> float:
    """ACC: share of examples whose cluster is matched to their class, under the best matching one to one.

    Source: Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 1955.

    Args:
        y: classes.
        assignment: clusters; where there are more of them than classes, those left over match none.

    Raises:
        ValueError: if lengths differ.
    """
    check_shape("assignment", assignment, y.shape, "Give one cluster an example.")
    counts = contingency_matrix(y, assignment)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(y))


def clustering_scores(y: Int[np.ndarray, " N"], assignment: Int[np.ndarray, " N"]) -> dict[str, float]:
    """ACC, NMI (over the arithmetic mean of both entropies) and ARI (0 for chance): 1 is perfect.

    Source: Strehl & Ghosh, "Cluster ensembles", JMLR 2002 (NMI); Hubert & Arabie, "Comparing partitions", Journal of
        Classification 1985 (ARI).

    Args:
        y: classes.
        assignment: clusters.
    """
    return {
        "accuracy": clustering_accuracy(y, assignment),
        "mutual_information": float(normalized_mutual_info_score(y, assignment)),
        "rand_index": float(adjusted_rand_score(y, assignment)),
    }
