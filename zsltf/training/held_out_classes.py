"""Classes of base in turn as if they were new: what a setting of few-shot learning is chosen on."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from zsltf.data.episodes import Episode, Episodes
from zsltf.data.features import Features

__all__ = ["class_parts", "nearest_mean_accuracy", "part_episodes"]

_SHOTS = (1, 5)
_EPISODES = 100  # a part and number of shots


def class_parts(base: Features, seed: int, *, most: int = 5) -> Iterator[tuple[Features, Features]]:
    """The other classes and those of one part, for each part; none if there are fewer than 4 classes with 2 examples.

    Args:
        base: examples of base classes.
        seed: of the parts.
        most: parts; fewer where there are not two classes for each.
    """
    labels, counts = np.unique(base.y, return_counts=True)
    enough = labels[counts >= 2]
    parts = min(most, len(enough) // 2)
    if parts < 2:
        return
    for part in np.array_split(np.random.default_rng(seed).permutation(enough), parts):
        held = np.isin(base.y, part)
        yield base.select(~held), base.select(held)


def part_episodes(y: Int[np.ndarray, " N"], seed: int) -> list[list[Episode]]:
    """Lists of one shot, and of five where there are as many; of five ways at most."""
    labels, counts = np.unique(y, return_counts=True)
    ways, fewest = min(5, len(labels)), int(counts.min())
    return [
        Episodes(ways=ways, shots=shots, queries=min(15, fewest - shots)).draw(y, _EPISODES, seed=seed)
        for shots in _SHOTS
        if shots < fewest
    ]


def nearest_mean_accuracy(z: Float[np.ndarray, "N D"], episodes: Sequence[Sequence[Episode]]) -> float:
    """Of the nearest class mean, mean over lists; the episodes of a list are of one shape and balanced."""
    products = z @ z.T
    return float(np.mean([_accuracy(products, alike) for alike in episodes]))


def _accuracy(products: Float[np.ndarray, "N N"], episodes: Sequence[Episode]) -> float:
    rows = np.stack([one.support[np.argsort(one.support_y, kind="stable")].reshape(one.ways, -1) for one in episodes])
    query, query_y = (np.stack([getattr(one, name) for one in episodes]) for name in ("query", "query_y"))
    lengths = products[rows[..., None], rows[..., None, :]].mean(axis=(2, 3))  # (E, W)
    scores = 2 * products[query[:, :, None, None], rows[:, None]].mean(axis=3) - lengths[:, None]
    return float(np.mean(scores.argmax(axis=2) == query_y))
