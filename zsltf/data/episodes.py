"""Few-shot episodes: N classes with K support examples each, and queries to classify."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_shape, fail

__all__ = ["Episode", "Episodes", "Range"]

Range = int | tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """One task: which examples of a set are learnt from, and which are classified.

    Raises:
        ValueError: if there is one way only, a class has no support, or a query is of none of the classes.
    """

    classes: Int[np.ndarray, " W"]
    """Labels of the set that take part: way w is classes[w]."""
    support: Int[np.ndarray, " S"]
    """Rows of the set."""
    support_y: Int[np.ndarray, " S"]
    """The way of each, 0 to W - 1."""
    query: Int[np.ndarray, " Q"]
    """Rows of the set; none of them is in the support."""
    query_y: Int[np.ndarray, " Q"]
    """The way of each."""

    def __post_init__(self) -> None:
        check_shape("Episode.support_y", self.support_y, self.support.shape, "Give one way a support example.")
        check_shape("Episode.query_y", self.query_y, self.query.shape, "Give one way a query.")
        if len(self.classes) < 2:
            fail("Episode", "2 ways or more", str(len(self.classes)), "Give more classes.")
        ways = set(range(len(self.classes)))
        if without := sorted(ways - set(self.support_y.tolist())):
            label = self.classes[without[0]]
            fail(
                "Episode.support", "an example of every class", f"none of class {label}", "Add one, or drop the class."
            )
        if strange := sorted({*self.support_y.tolist(), *self.query_y.tolist()} - ways):
            fail("Episode", f"ways 0 to {len(ways) - 1}", str(strange[0]), "Queries are of classes in the support.")
        if np.isin(self.query, self.support).any():
            fail("Episode.query", "rows that are not in the support", "some that are", "Hold queries out.")

    @property
    def ways(self) -> int:
        """How many classes take part."""
        return len(self.classes)


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """How episodes are drawn from a labelled set; the same seed gives the same list, whatever its length.

    Source: Vinyals et al., "Matching networks for one shot learning", NIPS 2016; ranges of ways and shots after
        Triantafillou et al., "Meta-Dataset", ICLR 2020.

    Raises:
        ValueError: if a number is too small.
    """

    ways: Range = 5
    """Classes an episode, >= 2; two numbers are a range to draw from."""
    shots: Range = 1
    """Support examples a class, >= 1; from a range each episode draws one number, or each class where not balanced."""
    queries: int = 15
    """Queries a class, >= 1."""
    balanced: bool = True
    """Whether all classes of an episode have as many shots."""

    def __post_init__(self) -> None:
        for name, least in (("ways", 2), ("shots", 1), ("queries", 1)):
            low, high = _ends(getattr(self, name))
            if low < least or high < low:
                fail(f"Episodes.{name}", f"{least} or more, or a rising range", f"{low} to {high}", "Raise it.")

    def draw(self, y: Int[np.ndarray, " N"], count: int, *, seed: int = 0, first: int = 0) -> list[Episode]:
        """That many episodes of a set with these labels, from the seed's list's `first` on.

        Raises:
            ValueError: if the set has too few classes, or a class too few examples.
        """
        rows = self._rows(y)
        return [self._one(rows, np.random.default_rng([seed, i])) for i in range(first, first + count)]

    @property
    def most_examples(self) -> int:
        """Examples that a class needs at most: shots and queries."""
        return _ends(self.shots)[1] + self.queries

    def _rows(self, y: np.ndarray) -> dict[int, np.ndarray]:
        rows = {int(label): np.flatnonzero(y == label) for label in np.unique(y)}
        most_ways, most_shots, need = _ends(self.ways)[1], _ends(self.shots)[1], self.most_examples
        if len(rows) < most_ways:
            fail("Episodes.ways", f"at most the {len(rows)} classes of the set", str(most_ways), "Take fewer ways.")
        small = [f"{label} ({len(found)})" for label, found in rows.items() if len(found) < need]
        if small:
            told = f"fewer in {len(small)}: {', '.join(small[:5])}"
            fail("Episodes", f"{need} examples a class, {most_shots} + {self.queries}", told, "Take fewer queries.")
        return rows

    def _one(self, rows: dict[int, np.ndarray], rng: np.random.Generator) -> Episode:
        ways, shots = (rng.integers(low, high + 1) for low, high in (_ends(self.ways), _ends(self.shots)))
        classes = rng.choice(np.array(list(rows)), ways, replace=False)
        low, high = _ends(self.shots)
        given = np.full(ways, shots) if self.balanced else rng.integers(low, high + 1, ways)
        drawn = [rng.permutation(rows[int(label)])[: n + self.queries] for label, n in zip(classes, given, strict=True)]
        return Episode(
            classes=classes,
            support=np.concatenate([some[:n] for some, n in zip(drawn, given, strict=True)]),
            support_y=np.repeat(np.arange(ways), given),
            query=np.concatenate([some[n:] for some, n in zip(drawn, given, strict=True)]),
            query_y=np.repeat(np.arange(ways), self.queries),
        )


def _ends(given: Range) -> Sequence[int]:
    return (given, given) if isinstance(given, int) else given
