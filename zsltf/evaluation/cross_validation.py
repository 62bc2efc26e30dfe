"""K-fold cross-validation of a method on features: every image is scored once by a Classifier that never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

from zsltf.checks import fail
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
    """Fitted on all images."""
    choice: Choice
    """Its setting, which folds of all images prefer."""

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
    group: np.ndarray | None = None,
) -> CrossValidation:
    """Leave each fold out in turn; settings are chosen on inner folds of the rest, never on what is tested.

    Source: Stone, "Cross-validatory choice and assessment of statistical predictions", JRSS B 1974.

    Args:
        method: what to fit; an example's weight counts in fitting, not in the accuracy.
        features: all images.
        classes: their table.
        folds: rows that are tested, one array a fold; together all rows, each once.
        search: choose the method's settings and the preparation; False takes the settings as given.
        group: (N,) of each image; a group is on one side of inner folds too.

    Raises:
        ValueError: if a row is in no fold or two, or a class is too rare for inner folds.
    """
    everything = np.arange(len(features))
    if len(folds) < 2 or not np.array_equal(np.sort(np.concatenate(folds)), everything):
        fail("folds", f"two or more, each of {len(features)} rows in one", "others", "Deal them with k_folds.")
    scores = np.empty((len(features), len(classes)), np.float32)
    choices, accuracies = [], []
    for tested in folds:
        rows = np.setdiff1d(everything, tested)
        inner = None if group is None else group[rows]
        choice, classifier = _fitted(method, features.select(rows), classes, search=search, group=inner)
        scores[tested] = classifier.score(np.asarray(features.x[tested]))
        accuracies.append(mean_class_accuracy(features.y[tested], scores[tested].argmax(axis=1)))
        choices.append(choice)
    choice, classifier = _fitted(method, features, classes, search=search, group=group)
    return CrossValidation(
        scores=scores,
        accuracies=tuple(accuracies),
        choices=tuple(choices),
        classifier=classifier,
        choice=choice,
    )


@threadpool_limits.wrap(limits=1, user_api="blas")
def _fitted(
    method: Method, train: Features, classes: ClassTable, *, search: bool, group: np.ndarray | None
) -> tuple[Choice, Classifier]:
    choice = Choice(method=method, preparation=Preparation(), accuracy=float("nan"))
    if search:
        choice, *_ = select(method, image_folds(train, classes, num_folds=3, group=group), _PREPARATIONS)
    return choice, fit_prepared(choice.method, choice.preparation, train, classes)
