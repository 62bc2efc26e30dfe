"""K-fold cross-validation of a method on features: every image is scored once by a Classifier that never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.protocols import Method
from zsltf.training.folds import image_folds
from zsltf.training.preparation import Preparation
from zsltf.training.selection import Choice, fit_prepared, select

__all__ = ["CrossValidation", "cross_validate"]

_PREPARATIONS = (Preparation(), Preparation(unit_norm=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossValidation:
    """What the folds came to."""

    scores: Float[np.ndarray, "N C"]
    """Of each image, by the fold that left it out."""
    accuracies: tuple[float, ...]
    """Of each fold, mean over classes."""
    choices: tuple[Choice, ...]
    """The setting that each fold's inner folds preferred."""
    classifier: Classifier
    """Fitted on all images, with the setting that folds of all of them prefer."""

    def summary(self) -> dict[str, Any]:
        """Mean, standard deviation (n - 1), lowest and highest accuracy."""
        values = np.array(self.accuracies)
        return {"mean": values.mean(), "sd": values.std(ddof=1), "min": values.min(), "max": values.max()}


def cross_validate(
    method: Method,
    features: Features,
    classes: ClassTable,
    folds: Sequence[Int[np.ndarray, " M"]],
    *,
    search: bool = True,
    seed: int = 0,
) -> CrossValidation:
    """Leave each fold out in turn; settings are chosen on inner folds of the rest, never on what is tested.

    Args:
        method: what to fit.
        features: all images.
        classes: their table.
        folds: rows that are tested, one array a fold; together all rows, each once.
        search: False takes the method's settings as given.
        seed: of the inner folds.
    """
    scores = np.empty((len(features), len(classes)), np.float32)
    choices, accuracies = [], []
    for tested in folds:
        train = features.select(np.setdiff1d(np.arange(len(features)), tested))
        choice, classifier = _fitted(method, train, classes, search, seed)
        scores[tested] = classifier.score(np.asarray(features.x[tested]))
        accuracies.append(mean_class_accuracy(features.y[tested], scores[tested].argmax(axis=1)))
        choices.append(choice)
    return CrossValidation(
        scores=scores,
        accuracies=tuple(accuracies),
        choices=tuple(choices),
        classifier=_fitted(method, features, classes, search, seed)[1],
    )


@threadpool_limits.wrap(limits=1, user_api="blas")
def _fitted(method: Method, train: Features, classes: ClassTable, search: bool, seed: int) -> tuple[Choice, Classifier]:
    inner = list(image_folds(train, classes, num_folds=3, seed=seed))
    choice, *_ = select(method, inner, _PREPARATIONS if search else _PREPARATIONS[:1], search=search)
    return choice, fit_prepared(choice.method, choice.preparation, train, classes)
