"""How much is gained by looking at the test set after every epoch, as much of the literature does."""

from dataclasses import dataclass

import numpy as np

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.metrics.zero_shot import harmonic_mean, seen_unseen_curve, unseen_accuracy
from zsltf.training.selection import Choice

__all__ = ["BestEpoch", "best_epoch"]


@dataclass(frozen=True, kw_only=True)
class BestEpoch:
    """Maxima over test evaluations, next to what the last epoch reaches: nobody may claim the former."""

    unseen_accuracy: float
    """The best of any epoch, among unseen classes."""
    last_unseen_accuracy: float
    harmonic_mean: float
    """The best of any epoch, among all classes at gamma = 0."""
    last_harmonic_mean: float
    epochs: int


def best_epoch(choice: Choice, train: Features, test: Features, classes: ClassTable) -> BestEpoch:
    """Train with chosen settings and test after every epoch.

    Args:
        choice: of a method that is trained by gradients.
        train: images of seen classes.
        test: images of seen and unseen classes.
        classes: their table.

    Raises:
        ValueError: for a method without epochs.
    """
    method = choice.method
    if not hasattr(method, "fit_epochs"):
        fail("best_epoch", "a method that is trained in epochs", type(method).__name__, "Closed forms have no epochs.")
    prepared = choice.preparation.fit(train, classes)
    x, unseen, harmonic = prepared.apply(test).x, [], []
    for classifier in method.fit_epochs(prepared.apply(train), prepared.apply_classes(classes)):
        scores = classifier.score(x)
        unseen.append(unseen_accuracy(scores, test.y, classes.seen))
        harmonic.append(float(harmonic_mean(*seen_unseen_curve(scores, test.y, classes.seen).at(0.0))))
    return BestEpoch(
        unseen_accuracy=float(np.max(unseen)),
        last_unseen_accuracy=unseen[-1],
        harmonic_mean=float(np.max(harmonic)),
        last_harmonic_mean=harmonic[-1],
        epochs=len(unseen),
    )
