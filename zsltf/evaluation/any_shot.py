"""From zero photos a class to many: how accuracy among new classes grows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from sklearn.preprocessing import normalize

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.evaluation.zero_shot import check_enough
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.training.folds import Fold, class_disjoint_folds
from zsltf.training.selection import Choice, fit_prepared, preparations, select
from zsltf.zeroshot.any_shot import AnyShot

__all__ = ["AnyShotOutcome", "run_any_shot"]

_KAPPAS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class AnyShotOutcome:
    """Accuracy among unseen classes, for each number of photos and each draw of them: photos -> one a draw."""

    classifier: Classifier
    """Fitted on the seen classes: new ones go in by attributes, photos or both."""
    choice: Choice
    """Settings that class-disjoint folds preferred; kappa is the best for the numbers of photos asked for, or the
    method's default where the folds' classes have too few photos for any of them."""
    both: Mapping[int, list[float]]
    photos: Mapping[int, list[float]]
    """Without attributes; with no photo there is nothing to go by."""


def run_any_shot(
    features: Features,
    classes: ClassTable,
    *,
    shots: Sequence[int] = (0, 1, 2, 5, 10),
    draws: int = 10,
    seed: int = 0,
) -> AnyShotOutcome:
    """Fit on seen classes; then add each unseen class with n photos, and test on its other photos.

    Args:
        features: of seen and unseen classes.
        classes: their table.
        shots: numbers of photos of a new class.
        draws: of those photos, each number's.
        seed: of folds and draws.

    Raises:
        ValueError: if there is no draw, or an unseen class has no photo left to test on.
    """
    check_positive("any_shot", draws=draws)
    check_enough(features.y, classes)
    train, test = (features.select(mask[features.y]) for mask in (classes.seen, ~classes.seen))
    fewest = int(np.bincount(test.y, minlength=len(classes))[~classes.seen].min())
    if min(shots, default=-1) < 0 or max(shots) >= fewest:
        fail("shots", f"numbers from 0 to {fewest - 1}: an unseen class has {fewest} photos", str(shots), "Take fewer.")
    folds = list(class_disjoint_folds(train, classes, seed=seed))
    choice = select(AnyShot(), folds, preparations(AnyShot()))[0]
    choice = replace(choice, method=replace(choice.method, kappa=_best_kappa(choice, folds, shots, seed)))
    fitted = fit_prepared(choice.method, choice.preparation, train, classes)
    problem = _Problem.of(fitted, test, classes)
    return AnyShotOutcome(
        classifier=fitted,
        choice=choice,
        both={n: problem.accuracies(n, choice.method.kappa, draws, seed) for n in shots},
        photos={n: problem.accuracies(n, 0.0, draws, seed) for n in shots if n},
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """Embeddings and labels of photos of new classes, and where those classes' attributes put them."""

    a: Float[np.ndarray, "N K"]
    y: Int[np.ndarray, " N"]
    expected: Float[np.ndarray, "M K"]

    @classmethod
    def of(cls, fitted: Classifier, features: Features, classes: ClassTable) -> Self:
        new = np.flatnonzero(~classes.seen)
        mine = features.select(np.isin(features.y, new))
        expected = fitted.project_semantics(classes.semantics[new])
        return cls(a=np.asarray(fitted.embedding(mine.x)), y=np.searchsorted(new, mine.y), expected=expected)

    def accuracies(self, shots: int, kappa: float, draws: int, seed: int) -> list[float]:
        """Mean over classes of the photos that were not drawn, once a draw; without shots all draws are one."""
        rng = np.random.default_rng([seed, shots])
        return [self._accuracy(shots, kappa, rng) for _ in range(draws if shots else 1)]

    def _accuracy(self, shots: int, kappa: float, rng: np.random.Generator) -> float:
        drawn = np.zeros(len(self.y), bool)
        for label in range(len(self.expected)):
            drawn[rng.choice(np.flatnonzero(self.y == label), shots, replace=False)] = True
        sums = np.stack([self.a[drawn & (self.y == label)].sum(axis=0) for label in range(len(self.expected))])
        vectors = (sums + kappa * self.expected) / (shots + kappa) if shots else self.expected
        predicted = (normalize(self.a[~drawn]) @ normalize(vectors).T).argmax(axis=1)
        return mean_class_accuracy(self.y[~drawn], predicted)


def _best_kappa(choice: Choice, folds: Sequence[Fold], shots: Sequence[int], seed: int) -> float:
    """Best over the folds' pretended new classes and all numbers of shots that they have photos for, if any."""
    reached = np.zeros(len(_KAPPAS))
    for fold in folds:
        fitted = fit_prepared(choice.method, choice.preparation, fold.train, fold.classes)
        problem = _Problem.of(fitted, fold.validation, fold.classes)
        fewest = np.bincount(problem.y).min()
        for n in (n for n in shots if 0 < n < fewest):
            reached += [float(np.mean(problem.accuracies(n, kappa, 3, seed))) for kappa in _KAPPAS]
    return _KAPPAS[int(reached.argmax())] if reached.any() else choice.method.kappa
