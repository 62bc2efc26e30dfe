"""A dictionary whose few atoms make up each example."""

import math

import numpy as np
from jaxtyping import Float

__all__ = ["lasso_codes", "sparse_dictionary"]


def sparse_dictionary(
    x: Float[np.ndarray, "N D"], atoms: int, penalty: float, *, iterations: int, epochs: int, batch_size: int, seed: int
) -> Float[np.ndarray, "K D"]:
    """Atoms of norm 1, learned by turns with the codes that make |x - a B|^2 / 2 + penalty |a|_1 small.

    An atom that no code has needed for a pass becomes an example. Scikit-learn's MiniBatchDictionaryLearning stops its
    lasso early and warns of each batch where atoms are alike, hence the lasso here is the one of the encoder.

    Source: Mairal, Bach, Ponce & Sapiro, "Online dictionary learning for sparse coding", ICML 2009.

    Args:
        x: examples, of which some are the first atoms.
        atoms: K.
        penalty: > 0, in units of x.
        iterations: of the lasso.
        epochs: passes.
        batch_size: examples at once.
        seed: of the start and of the order.
    """
    rng = np.random.default_rng(seed)
    dictionary = _drawn(x, atoms, rng)
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        if not epoch % 2:  # what was learned of a worse dictionary is forgotten
            squares, products = np.zeros((atoms, atoms)), np.zeros((atoms, x.shape[1]))
        for start in range(0, len(x), batch_size):
            batch = np.asarray(x[order[start : start + batch_size]], np.float64)
            codes = lasso_codes(batch, dictionary, penalty, iterations)
            squares, products = squares + codes.T @ codes, products + codes.T @ batch
            _improve(dictionary, squares, products)
        unused = np.diag(squares) < 1e-12
        dictionary[unused] = _drawn(x, atoms, rng)[unused]
    return dictionary.astype(np.float32)


def lasso_codes(
    x: Float[np.ndarray, "N D"], dictionary: Float[np.ndarray, "K D"], penalty: float, iterations: int
) -> Float[np.ndarray, "N K"]:
    """What `layers.sparse_code` computes, in float64."""
    gram = dictionary @ dictionary.T
    step = 1.0 / (np.linalg.norm(gram) + 1e-6)
    drive, pull, threshold = step * (x @ dictionary.T), step * gram, step * penalty
    code = ahead = np.zeros_like(drive)
    momentum = 1.0
    for _ in range(iterations):
        moved = ahead + drive - ahead @ pull
        latest = np.sign(moved) * np.maximum(np.abs(moved) - threshold, 0.0)
        following = (1.0 + math.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = latest + (momentum - 1.0) / following * (latest - code)
        code, momentum = latest, following
    return code


def _improve(dictionary: np.ndarray, squares: np.ndarray, products: np.ndarray) -> None:
    """Each used atom in turn to where it makes the squared error least under norm 1."""
    for k in np.flatnonzero(np.diag(squares) > 1e-12):
        wanted = products[k] - squares[k] @ dictionary + squares[k, k] * dictionary[k]
        dictionary[k] = wanted / max(float(np.linalg.norm(wanted)), 1e-12)


def _drawn(x: Float[np.ndarray, "N D"], atoms: int, rng: np.random.Generator) -> Float[np.ndarray, "K D"]:
    """Examples with a little noise, and noise where there are too few, of norm 1."""
    rows = rng.permutation(len(x))[:atoms]
    start = np.concatenate([x[rows].astype(np.float64), rng.normal(size=(atoms - len(rows), x.shape[1]))])
    start += 1e-3 * rng.normal(size=start.shape)
    return start / np.linalg.norm(start, axis=1, keepdims=True)
