"""Examples of both domains in the plane, before and after training."""

from typing import Any

import numpy as np

from zsltf.data.features import Features
from zsltf.evaluation.adaptation_photos import REFERENCE, AdaptationPhotos
from zsltf.reports.domain_map import planes

__all__ = ["domain_maps"]

_EXAMPLES = 150
"""Of each domain."""


def domain_maps(done: AdaptationPhotos, seed: int = 0) -> dict[str, Any]:
    """Places, domains and classes of the same examples under each kind of features.

    Args:
        done: what was trained.
        seed: of the examples, and of t-SNE.
    """
    parts = [_drawn(examples, seed) for examples in (done.start.source, done.start.target)]
    x = np.concatenate([part.x for part in parts])
    kinds = {"As they come": x.reshape(len(x), -1)}
    for name in done.outcome.runs:
        kinds["Source only" if name == REFERENCE else name] = np.asarray(done.first(name).classifier.embedding(x))
    return {
        "is_target": np.repeat([0, 1], [len(part) for part in parts]),
        "y": np.concatenate([part.y for part in parts]),
        "views": [
            {"features": kind, "view": view, "places": places.round(3)}
            for kind, embeddings in kinds.items()
            for view, places in planes(embeddings, seed).items()
        ],
    }


def _drawn(examples: Features, seed: int) -> Features:
    rows = np.random.default_rng(seed).permutation(len(examples))[:_EXAMPLES]
    return examples.select(np.sort(rows))
