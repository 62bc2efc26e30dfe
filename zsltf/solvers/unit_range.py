"""Columns to [0, 1]."""

import numpy as np
from jaxtyping import Float

__all__ = ["unit_range"]


def unit_range(rows: Float[np.ndarray, "S A"]) -> tuple[Float[np.ndarray, " A"], Float[np.ndarray, " A"]]:
    """Scale and offset that bring each column of these rows to [0, 1]; one that never varies becomes 0."""
    rows = rows.astype(np.float64)
    low, extent = rows.min(axis=0), np.ptp(rows, axis=0)
    scale = np.divide(1.0, extent, out=np.zeros_like(extent), where=extent > 0)
    return scale, -low * scale
