"""How far a class vector that was trained differs from a mean of embeddings."""

import numpy as np
from jaxtyping import Float

__all__ = ["imprinting_frame"]


def imprinting_frame(
    kernel: Float[np.ndarray, "C K"], means: Float[np.ndarray, "C K"]
) -> tuple[Float[np.ndarray, " K"], float]:
    """Offset m and scale t, so that t (mean_c - m) is as near as may be to class c's kernel row, over all classes.

    A class that comes later gets the kernel row t (its mean - m). This carries "imprinting" (Qi, Brown & Lowe,
    "Low-shot learning with imprinted weights", CVPR 2018), which normalises, over to a softmax on dot products.

    Args:
        kernel: one row a class, as trained; their mean should be 0.
        means: mean embedding of each class's training examples.

    Returns:
        m, and t > 0: where the least-squares t is not positive, the ratio of the norms.
    """
    kernel, means = kernel.astype(np.float64), means.astype(np.float64)
    offset = means.mean(axis=0)
    spread = means - offset
    power = (spread**2).sum()
    if not power:
        return offset, 1.0
    fitted = (kernel * spread).sum() / power
    return offset, float(fitted if fitted > 0 else np.sqrt((kernel**2).sum() / power) or 1.0)
