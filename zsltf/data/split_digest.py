"""A short name for a split: results under different splits must not be compared."""

import hashlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

__all__ = ["split_digest"]


def split_digest(parts: Mapping[str, Int[np.ndarray, " N"]]) -> str:
    """Sha-256 of the parts' names and sorted index vectors, 16 digits."""
    digest = hashlib.sha256()
    for name, rows in parts.items():
        digest.update(name.encode() + np.sort(rows).astype("<i8").tobytes())
    return digest.hexdigest()[:16]
