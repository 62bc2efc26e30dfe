"""Several methods as one: which of them, under which preparation, with which weights."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.training.folds import Fold
from zsltf.training.preparation import Preparation
from zsltf.training.selection import Choice, fit_prepared, fold_accuracy, preparations, select_each
from zsltf.weighted_sum import weighted_sum

__all__ = ["Ensemble", "Member", "choose_ensemble"]


@dataclass(frozen=True, kw_only=True)
class Member:
    """A method, what is done before it, and its weight."""

    method: Any
    preparation: Preparation
    share: float
    """Of the ensemble's weight."""
    spread: float
    """Of the method's scores over classes, by which they are divided: methods score in different units."""


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """A weighted sum of methods: a method itself, whose result is one Classifier."""

    members: tuple[Member, ...]

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {}

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Fit each member, and add them up."""
        fitted = [fit_prepared(member.method, member.preparation, train, classes) for member in self.members]
        return weighted_sum(fitted, [member.share / member.spread for member in self.members])

    def settings(self) -> dict[str, Any]:
        """Each member's share, settings and preparation."""
        return {
            type(member.method).__name__: {
                "share": round(member.share, 3),
                **asdict(member.method),
                **{name: value for name, value in asdict(member.preparation).items() if value not in (None, False)},
            }
            for member in self.members
        }


def choose_ensemble(methods: Sequence[Any], folds: Sequence[Fold], *, rounds: int = 10) -> list[Choice]:
    """Choose each method's settings on the folds, then add up methods one by one while the sum gets better.

    The ensemble comes first, then its methods alone, best first. It begins with the methods that the folds can't tell
    from the best one; a method may be added more than once, and weighs accordingly.

    Source: Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble selection from libraries of models", ICML 2004.

    Args:
        methods: candidates.
        folds: of the training data.
        rounds: most additions.
    """
    tried = select_each(methods, folds, [preparations(method) for method in methods])
    alone = sorted((choices[0] for choices in tried), key=lambda choice: -choice.accuracy)
    scores = [[_scores(choice, fold) for fold in folds] for choice in alone]
    spreads = [float(np.mean([s.std(axis=1).mean() for s in of_method])) or 1.0 for of_method in scores]
    scaled = [[s / spread for s in of_method] for of_method, spread in zip(scores, spreads, strict=True)]
    taken, accuracy = _grow(scaled, folds, rounds)
    counts = np.bincount(taken, minlength=len(alone))
    members = tuple(
        Member(method=choice.method, preparation=choice.preparation, share=float(count / len(taken)), spread=spread)
        for choice, count, spread in zip(alone, counts, spreads, strict=True)
        if count
    )
    return [Choice(method=Ensemble(members=members), preparation=Preparation(), accuracy=accuracy), *alone]


def _scores(choice: Choice, fold: Fold) -> Float[np.ndarray, "N C"]:
    return fit_prepared(choice.method, choice.preparation, fold.train, fold.classes).score(fold.validation.x)


def _grow(
    scores: Sequence[Sequence[Float[np.ndarray, "N C"]]], folds: Sequence[Fold], rounds: int
) -> tuple[list[int], float]:
    """Members in the order in which they were added, and the accuracy of their sum.

    It begins with all that the folds can't tell from the best one: those within a standard error of it.
    """
    alone = np.array([[fold_accuracy(s, fold) for s, fold in zip(m, folds, strict=True)] for m in scores])
    behind = alone[0] - alone
    error = behind.std(axis=1, ddof=1) / len(folds) ** 0.5 if len(folds) > 1 else np.zeros(len(alone))
    taken = np.flatnonzero(behind.mean(axis=1) <= error).tolist()
    totals = [np.sum([scores[i][f] for i in taken], axis=0) for f in range(len(folds))]
    best = float(np.mean([fold_accuracy(total, fold) for total, fold in zip(totals, folds, strict=True)]))
    for _ in range(rounds):
        sums = [[total + s for total, s in zip(totals, of_method, strict=True)] for of_method in scores]
        reached = [float(np.mean([fold_accuracy(s, f) for s, f in zip(of, folds, strict=True)])) for of in sums]
        if max(reached) <= best:
            break
        best = max(reached)
        taken.append(reached.index(best))
        totals = sums[taken[-1]]
    return taken, best
