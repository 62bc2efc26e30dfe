"""Files that take a fixed number of images a call."""

from collections.abc import Callable

import numpy as np

from zsltf.artifacts.artifact import Images, Outputs

__all__ = ["in_calls", "tried"]


def tried(batch: int | None) -> tuple[int, ...]:
    """The numbers of images that a file is proved with, where it takes `batch` a call, or any number for None."""
    return (1, 7) if batch is None else (batch,)


def in_calls(run: Callable[[Images], Outputs], images: Images, batch: int | None) -> Outputs:
    """Answers to any number of images, `batch` a call; the last call is filled up with the last image."""
    step = batch or len(images)
    padded = np.concatenate([images, np.repeat(images[-1:], -len(images) % step, axis=0)])
    rows = [run(padded[i : i + step]) for i in range(0, len(padded), step)]
    return {name: np.concatenate([row[name] for row in rows])[: len(images)] for name in rows[0]}
