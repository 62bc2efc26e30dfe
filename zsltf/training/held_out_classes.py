"""Classes of base in turn as if they were new: what a setting of few-shot learning is chosen on."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from zsltf.data.episodes import Episodes
from zsltf.data.features import Features

__all__ = ["class_parts", "nearest_mean_accuracy"]

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


def nearest_mean_accuracy(z: Float[np.ndarray, "N D"], y: Int[np.ndarray, " N"], seed: int) -> float:
    """Of the nearest class mean in episodes of one shot, and of five where there are as many; five ways at most."""
    products = z @ z.T
    fewest = int(np.unique(y, return_counts=True)[1].min())
    reached = []
    for shots in (shots for shots in _SHOTS if shots < fewest):
        drawn = Episodes(ways=min(5, len(np.unique(y))), shots=shots, queries=min(15, fewest - shots))
        for episode in drawn.draw(y, _EPISODES, seed=seed):
            rows = episode.support[np.argsort(episode.support_y, kind="stable")].reshape(episode.ways, shots)
            lengths = products[rows[:, :, None], rows[:, None]].mean(axis=(1, 2))
            scores = 2 * products[episode.query[:, None, None], rows[None]].mean(axis=2) - lengths
            reached.append(np.mean(scores.argmax(axis=1) == episode.query_y))
    return float(np.mean(reached))
