"""Choose a method's settings and preparation on folds of the training data, once for every method."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.protocols import GridMethod, Method
from zsltf.training.folds import Fold
from zsltf.training.preparation import Preparation

__all__ = [
    "COMPACT",
    "PREPARATIONS",
    "WHITENED",
    "Choice",
    "Chooser",
    "fit_prepared",
    "fold_accuracy",
    "preparations",
    "select",
    "select_each",
]

PREPARATIONS = (
    Preparation(),
    Preparation(unit_norm=True, semantics="l2"),
    Preparation(centre=True, unit_norm=True, semantics="centred"),
    Preparation(centre=True, components=64, unit_norm=True, semantics="centred"),
    Preparation(centre=True, components=256, unit_norm=True, semantics="centred"),
)
"""What selection tries for a method that names no preparations of its own."""

COMPACT = (
    Preparation(centre=True, components=256, unit_norm=True, semantics="l2"),
    Preparation(centre=True, components=256, unit_norm=True, semantics="centred"),
)
"""For methods that are trained by gradients, which take longer."""
WHITENED = (
    Preparation(centre=True, components=64, shrinkage=0.1, unit_norm=True, semantics="l2"),
    Preparation(centre=True, components=256, shrinkage=0.1, unit_norm=True, semantics="l2"),
    Preparation(centre=True, components=256, shrinkage=0.1, unit_norm=True, semantics="centred"),
)
"""For methods that measure distances or angles between features: directions in which classes spread count for less."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A setting, its preparation and what it reached on the folds."""

    method: Any
    preparation: Preparation
    accuracy: float
    """Mean over folds: among pretended unseen classes where there are any, else among all; NaN if nothing was tried."""

    @property
    def settings(self) -> dict[str, Any]:
        """Of the method; of an ensemble, those of its members."""
        return self.method.settings() if hasattr(self.method, "settings") else asdict(self.method)


@runtime_checkable
class Chooser(Protocol):
    """A method that stands for others and chooses among them by itself."""

    def choose(self, folds: Sequence[Fold]) -> list[Choice]:
        """What does best on the folds, then the others."""
        ...


def preparations(method: Method) -> Sequence[Preparation]:
    """What selection tries for this method: its own PREPARATIONS, where it has some."""
    return getattr(method, "PREPARATIONS", PREPARATIONS)


def fit_prepared(method: Method, preparation: Preparation, train: Features, classes: ClassTable) -> Classifier:
    """Prepare, fit, and put the preparation into the Classifier."""
    prepared = preparation.fit(train, classes)
    fitted = method.fit(prepared.apply(train), prepared.apply_classes(classes))
    return prepared.wrap(fitted, classes)


def select(
    method: Method, folds: Iterable[Fold], preparations: Sequence[Preparation] = PREPARATIONS, *, search: bool = True
) -> list[Choice]:
    """Every setting of the method's search range under every preparation, best first; ties go to the middle one.

    Args:
        method: what to fit.
        folds: of the training data.
        preparations: what to try.
        search: False tries the method's settings as given, and no others.
    """
    if search and isinstance(method, Chooser):
        return method.choose(list(folds))
    return select_each([method], folds, [preparations], search=search)[0]


def select_each(
    methods: Sequence[Method],
    folds: Iterable[Fold],
    preparations: Sequence[Sequence[Preparation]],
    *,
    search: bool = True,
) -> list[list[Choice]]:
    """What `select` says of each method: features that several of them need are prepared once.

    Args:
        methods: what to fit.
        folds: of the training data.
        preparations: what to try for each method.
        search: as for `select`.
    """
    reached: list[dict[tuple[Any, Preparation], list[float]]] = [defaultdict(list) for _ in methods]
    for fold, preparation in itertools.product(folds, dict.fromkeys(itertools.chain(*preparations))):
        problem = _Problem(preparation, fold)
        for method, its_preparations, found in zip(methods, preparations, reached, strict=True):
            if preparation in its_preparations:
                for setting, scores in problem.scores(method, search):
                    found[setting, preparation].append(fold_accuracy(scores, fold))
    return [_ranked(found) for found in reached]


def fold_accuracy(scores: Float[np.ndarray, "N C"], fold: Fold) -> float:
    """Among pretended unseen classes where there are any, else among all; mean over classes."""
    if fold.classes.seen.all():
        return mean_class_accuracy(fold.y, scores.argmax(axis=1))
    return unseen_accuracy(scores, fold.y, fold.classes.seen)


class _Problem:
    """A fold's prepared data."""

    def __init__(self, preparation: Preparation, fold: Fold) -> None:
        prepared = preparation.fit(fold.train, fold.classes)
        self._train, self._classes = prepared.apply(fold.train), prepared.apply_classes(fold.classes)
        self._x = prepared.apply(fold.validation).x

    def scores(self, method: Any, search: bool) -> Iterator[tuple[Any, Float[np.ndarray, "N C"]]]:
        """Each setting of the search range with its scores of the validation part."""
        if search and isinstance(method, GridMethod):
            yield from method.fit_grid(self._train, self._classes, self._x)
            return
        ranges = method.SEARCH if search else {}
        for values in itertools.product(*ranges.values()):
            setting = replace(method, **dict(zip(ranges, values, strict=True)))
            yield setting, setting.fit(self._train, self._classes).score(self._x)


def _ranked(reached: Mapping[tuple[Any, Preparation], Sequence[float]]) -> list[Choice]:
    """Best first, but of equals the middle one."""
    choices = [Choice(method=m, preparation=p, accuracy=float(np.mean(a))) for (m, p), a in reached.items()]
    ranked = sorted(choices, key=lambda choice: -choice.accuracy)
    tied = [choice for choice in ranked if choice.accuracy == ranked[0].accuracy]
    middle = tied[len(tied) // 2]
    return [middle, *(choice for choice in ranked if choice is not middle)]
