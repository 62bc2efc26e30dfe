"""The images that a sentence describes best."""

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.features import Features

__all__ = ["retrieve"]


def retrieve(
    classifier: Classifier, features: Features, semantics: Float[np.ndarray, "M A"], count: int = 3
) -> list[list[tuple[str, float]]]:
    """For each row of semantics, names and scores of the images that it fits best, best first.

    Args:
        classifier: that opens by semantics.
        features: of the images, with their paths.
        semantics: such as sentence vectors.
        count: images a row.

    Raises:
        ValueError: for a classifier without that door.
    """
    check_positive("retrieve", count=count)
    classifier.check_door("semantics")
    vectors, bias = classifier.project_semantics(semantics), np.zeros(len(semantics), np.float32)
    scores = np.asarray(classifier.logits(np.asarray(features.x), vectors, bias))
    best = np.argsort(-scores, axis=0, kind="stable")[:count]
    return [[(features.paths[i], float(scores[i, m])) for i in best[:, m]] for m in range(len(semantics))]
