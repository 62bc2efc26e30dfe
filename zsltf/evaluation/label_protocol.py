"""How many labels are told, and of which examples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_positive, fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled, check_unlabelled
from zsltf.training.descent import Descent

__all__ = ["LabelProtocol", "LabelTask", "labelled_rows"]


@dataclass(frozen=True, kw_only=True)
class LabelProtocol:
    """How many labels, and what is done with them. Nothing is chosen: one label a class leaves nothing to choose on.

    From scratch and fine-tuning are the same training from two starts.
    """

    shares: tuple[float, ...] = (0.01, 0.1, 1.0)
    """Of the labels of each class, in (0, 1]; at least one example a class, and the smaller are among the larger."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of networks, pretraining and which labels are told."""
    fine_tune: bool = True
    """Also train the encoder on with the labels."""
    steps: int = 300
    """Of training with labels, however many there are, >= 1; at least one epoch."""
    batch_size: int = 64
    learning_rate: float = 1e-3
    """Of Adam, with labels, > 0."""
    inverse_penalty: float = 1.0
    """C of the linear probe on embeddings of mean variance 1, > 0: smaller is smoother."""

    def __post_init__(self) -> None:
        check_positive("LabelProtocol", steps=self.steps, inverse_penalty=self.inverse_penalty)
        if not self.shares or not all(0 < share <= 1 for share in self.shares):
            fail("LabelProtocol.shares", "numbers in (0, 1]", str(self.shares), "Start from the default.")
        if not self.seeds or min(self.seeds) < 0:
            fail("LabelProtocol.seeds", "one or more, each >= 0", str(self.seeds), "Start from the default.")
        self.descent(1, 0)

    def descent(self, count: int, seed: int) -> Descent:
        """On so many labelled examples."""
        epochs = -(-self.steps // max(1, count // self.batch_size))
        return Descent(epochs=epochs, batch_size=self.batch_size, learning_rate=self.learning_rate, seed=seed)


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelTask:
    """Examples with labels, some to learn from and some to test on, and examples without.

    Raises:
        ValueError: if shapes differ, or a class has no example to learn from.
    """

    train: Features
    test: Features
    classes: ClassTable
    unlabelled: Unlabelled

    def __post_init__(self) -> None:
        check_unlabelled("LabelTask", self.unlabelled, self.train.x)
        check_unlabelled("LabelTask, test", self.test.unlabelled(), self.train.x)
        self.train.check_covers(self.classes)


def labelled_rows(y: Int[np.ndarray, " N"], share: float, seed: int) -> Int[np.ndarray, " M"]:
    """So large a share of each class's rows, at least one; of one seed, those of a smaller share are among them."""
    rng = np.random.default_rng(seed)
    taken = []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        taken.append(rows[: max(1, round(share * len(rows)))])
    return np.sort(np.concatenate(taken))
