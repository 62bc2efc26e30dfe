"""Which target examples instance transfer may look at, which few have labels, and which test."""

from dataclasses import dataclass

import numpy as np

from zsltf.checks import check_positive, check_share, fail
from zsltf.data.classes import ClassTable
from zsltf.data.domains import check_same_classes
from zsltf.data.features import Features
from zsltf.training.folds import hold_out

__all__ = ["InstanceProtocol"]


@dataclass(frozen=True, kw_only=True)
class InstanceProtocol:
    """Which target examples are looked at, and how.

    Labels of the target are for the test, but for a few of each class that methods with target labels get.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    """Of the target's parts, of the few, and of what a method draws."""
    shots: int = 3
    """Labelled target examples of each class, >= 1."""
    test: float = 0.5
    """Share of the target that is tested on and looked at for nothing else, in (0, 1)."""
    components: int = 16
    """Principal components of both domains that weights are found on, >= 1: in more, domains hardly overlap."""
    inverse_penalty: float = 1.0
    """C of all linear models on the features as they are, > 0; TrAdaBoost's own, where it is the method."""

    def __post_init__(self) -> None:
        check_share("InstanceProtocol", test=self.test)
        check_positive("InstanceProtocol", shots=self.shots, components=self.components)
        check_positive("InstanceProtocol", inverse_penalty=self.inverse_penalty)
        if not (self.seeds and min(self.seeds) >= 0 and self.test):
            fail("InstanceProtocol", "seeds, and a share above 0", f"{self}", "Start from the defaults.")

    def check(self, source: Features, target: Features, classes: ClassTable) -> None:
        """Refuse domains that don't do, before anything is fitted.

        Raises:
            ValueError: if one lacks a class, or the target has too few examples of one.
        """
        check_same_classes({"source": source, "target": target}, classes)
        counts = np.bincount(target.y, minlength=len(classes))
        fewest = int(np.where(counts > 0, counts, counts.max()).argmin())
        left = int(counts[fewest]) - max(1, round(self.test * int(counts[fewest])))
        if left < self.shots:
            received = f"{self.shots}, of {counts[fewest]} of {classes.names[fewest]}"
            fail(
                "shots",
                f"at most the {left} of each class that are not tested on",
                received,
                "Take fewer, or add some.",
            )

    def parts(self, target: Features, seed: int) -> tuple[Features, Features, Features]:
        """What weights may look at, the few of it whose labels are told, and what is tested on."""
        tested = hold_out(target.y, self.test, seed)
        given = target.select(~tested)
        order = np.random.default_rng(seed).permutation(len(given))
        few = np.concatenate([order[given.y[order] == label][: self.shots] for label in np.unique(given.y)])
        return given, given.select(np.sort(few)), target.select(tested)
