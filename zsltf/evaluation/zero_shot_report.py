"""What a Classifier reaches on seen and unseen classes, read off its scores."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.metrics.accuracy import confusion_matrix, per_class_accuracy
from zsltf.metrics.intervals import class_interval
from zsltf.metrics.zero_shot import SeenUnseenCurve, harmonic_mean, seen_unseen_curve, unseen_accuracy

__all__ = ["ZeroShotReport", "evaluate_zero_shot", "read_zero_shot"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ZeroShotReport:
    """What a Classifier reaches on a test set of seen and unseen classes; accuracies are means over classes."""

    classes: ClassTable
    unseen_accuracy: float
    """Images of unseen classes, among unseen classes only."""
    unseen_per_class: Float[np.ndarray, " C"]
    """The same of each unseen class; NaN for seen ones."""
    uncalibrated: tuple[float, float, float]
    """Seen, unseen and harmonic mean among all classes, at gamma = 0."""
    seen: float
    """Images of seen classes, among all classes, at the Classifier's gamma; likewise `unseen`."""
    unseen: float
    harmonic_mean: float
    curve: SeenUnseenCurve
    """Over gamma, for scores without calibration; its area is AUSUC."""
    gamma: float
    per_class: Float[np.ndarray, " C"]
    """Among all classes; NaN where the test set has no image."""
    confusion: Int[np.ndarray, "C C"]
    scores: Float[np.ndarray, "N C"]

    @property
    def oracle(self) -> tuple[float, float, float]:
        """Seen, unseen and harmonic mean at the gamma that is best on the test set: more than anyone may claim."""
        best = self._best_step
        means = harmonic_mean(self.curve.seen, self.curve.unseen)
        return float(self.curve.seen[best]), float(self.curve.unseen[best]), float(means[best])

    @property
    def oracle_gamma(self) -> float:
        """A gamma that gives `oracle`: the middle of those that do."""
        return float(self.curve.thresholds[max(self._best_step - 1, 0) : self._best_step + 1].mean())

    @property
    def _best_step(self) -> int:
        return int(harmonic_mean(self.curve.seen, self.curve.unseen).argmax())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the unseen accuracy: what other classes might have given."""
        return class_interval(self.unseen_per_class)

    @property
    def chance(self) -> float:
        """Of the unseen accuracy."""
        return 1.0 / int((~self.classes.seen).sum())


def evaluate_zero_shot(classifier: Classifier, test: Features) -> ZeroShotReport:
    """Score the test set once and read every figure off the scores."""
    return read_zero_shot(classifier.score(np.asarray(test.x)), test.y, classifier.classes, gamma=classifier.gamma)


def read_zero_shot(
    scores: Float[np.ndarray, "N C"], y: Int[np.ndarray, " N"], classes: ClassTable, *, gamma: float = 0.0
) -> ZeroShotReport:
    """Every figure that the scores of a test set of seen and unseen classes hold.

    Args:
        scores: logits, from which gamma has been subtracted in the columns of seen classes.
        y: rows of the class table.
        classes: the table.
        gamma: the Classifier's.
    """
    predicted = scores.argmax(axis=1)
    curve = seen_unseen_curve(scores + gamma * classes.seen, y, classes.seen)
    per_class = per_class_accuracy(y, predicted, len(classes))
    seen, unseen = float(np.nanmean(per_class[classes.seen])), float(np.nanmean(per_class[~classes.seen]))
    before = curve.at(0.0)
    of_unseen = ~classes.seen[y]
    among_unseen = np.where(classes.seen, -np.inf, scores)[of_unseen].argmax(axis=1)
    return ZeroShotReport(
        classes=classes,
        unseen_accuracy=unseen_accuracy(scores, y, classes.seen),
        unseen_per_class=per_class_accuracy(y[of_unseen], among_unseen, len(classes)),
        uncalibrated=(float(before[0]), float(before[1]), float(harmonic_mean(*before))),
        seen=seen,
        unseen=unseen,
        harmonic_mean=float(harmonic_mean(seen, unseen)),
        curve=curve,
        gamma=gamma,
        per_class=per_class,
        confusion=confusion_matrix(y, predicted, len(classes)),
        scores=scores,
    )
