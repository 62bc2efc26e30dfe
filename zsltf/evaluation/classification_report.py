"""The figures of a classification's test set."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from zsltf.metrics.accuracy import confusion_matrix
from zsltf.metrics.calibration import Reliability, brier_score, reliability
from zsltf.metrics.one_versus_rest import average_precision, one_versus_rest_auroc, sensitivity, specificity

__all__ = ["ClassificationReport", "Mistake", "mean_over_classes"]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One wrong test image."""

    index: int
    """Row of the test set."""
    truth: tuple[str, ...]
    """Names of its classes."""
    truth_probability: float
    """Of its class; with several labels, of the least likely one; NaN without any."""
    ranking: tuple[tuple[str, float], ...]
    """The three likeliest classes with their probabilities."""
    loss: float
    """Negative log-likelihood in nats."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassificationReport:
    """Every figure of one test set; NaN stands where a class has no test image, and means leave it out."""

    names: tuple[str, ...]
    """Of the C classes."""
    multi_label: bool
    """Several labels an image, each answered by its own sigmoid at 0.5; else one class, by softmax."""
    truth: Bool[np.ndarray, "N C"]
    """Which classes each image is of."""
    probabilities: Float[np.ndarray, "N C"]
    """What the Classifier says of them."""
    losses: Float[np.ndarray, " N"]
    """Negative log-likelihood of each image in nats; with several labels, the mean of theirs."""
    train_images: Int[np.ndarray, " C"] | None
    """Training images of each class, where known."""
    bins: int
    """Of the reliability curve, >= 1."""

    @cached_property
    def answers(self) -> Bool[np.ndarray, "N C"]:
        """Which classes each image is taken for."""
        if self.multi_label:
            return self.probabilities > 0.5
        return np.arange(len(self.names)) == self.probabilities.argmax(axis=1)[:, None]

    @property
    def accuracy(self) -> float:
        """Share of images whose answer is right, in every label."""
        return float((self.answers == self.truth).all(axis=1).mean())

    @property
    def mean_class_accuracy(self) -> float:
        """Balanced accuracy: sensitivity, averaged over classes."""
        return mean_over_classes(self.sensitivity)

    @property
    def chance(self) -> float:
        """Mean per-class accuracy of a blind answer, whatever the test has; with several labels, mAP of one."""
        shares = self.truth.mean(axis=0)
        return float(shares[shares > 0].mean()) if self.multi_label else 1.0 / len(self.names)

    @property
    def majority(self) -> float:
        """Accuracy of the same answer to every image: what is commonest in training, else in the test."""
        commonest = np.arange(len(self.names)) == np.argmax(self._images)
        constant = self.truth.mean(axis=0) > 0.5 if self.multi_label else commonest
        return float((self.truth == constant).all(axis=1).mean())

    @cached_property
    def sensitivity(self) -> Float[np.ndarray, " C"]:
        """Share of a class's images that are found: the accuracy per class."""
        return sensitivity(self.truth, self.answers)

    @cached_property
    def specificity(self) -> Float[np.ndarray, " C"]:
        """Share of the other images that aren't taken for the class."""
        return specificity(self.truth, self.answers)

    @cached_property
    def auroc(self) -> Float[np.ndarray, " C"]:
        """Of the class against the rest, by probability."""
        return one_versus_rest_auroc(self.probabilities, self.truth)

    @cached_property
    def average_precision(self) -> Float[np.ndarray, " C"]:
        """Likewise; its mean is mAP."""
        return average_precision(self.probabilities, self.truth)

    @property
    def confusion(self) -> Int[np.ndarray, "C C"] | None:
        """Counts, rows are the truth; None with several labels an image."""
        if self.multi_label:
            return None
        return confusion_matrix(self.truth.argmax(axis=1), self.answers.argmax(axis=1), len(self.names))

    @cached_property
    def reliability(self) -> Reliability:
        """Of the answers; with several labels an image, of every label's probability."""
        if self.multi_label:
            return reliability(self.probabilities.ravel(), self.truth.ravel(), self.bins)
        return reliability(self.probabilities.max(axis=1), (self.truth & self.answers).any(axis=1), self.bins)

    @property
    def negative_log_likelihood(self) -> float:
        """Mean over images, in nats."""
        return float(self.losses.mean())

    @property
    def brier_score(self) -> float:
        """Mean over images of the squared distance between probabilities and truth."""
        return brier_score(self.probabilities, self.truth)

    @property
    def rare(self) -> Bool[np.ndarray, " C"]:
        """Classes with less than half the images of the average class, in training where known, else in the test."""
        return self._images < self._images.mean() / 2

    @property
    def _images(self) -> Int[np.ndarray, " C"]:
        return self.truth.sum(axis=0) if self.train_images is None else self.train_images

    def mistakes(self, count: int = 16) -> list[Mistake]:
        """The wrong images with the highest loss, worst first."""
        wrong = np.flatnonzero((self.answers != self.truth).any(axis=1))
        return [self._mistake(row) for row in wrong[np.argsort(-self.losses[wrong], kind="stable")][:count]]

    def _mistake(self, row: np.integer) -> Mistake:
        probabilities, truth = self.probabilities[row], self.truth[row]
        return Mistake(
            index=int(row),
            truth=tuple(self.names[i] for i in np.flatnonzero(truth)),
            truth_probability=float(probabilities[truth].min()) if truth.any() else float("nan"),
            ranking=tuple((self.names[i], float(probabilities[i])) for i in np.argsort(-probabilities)[:3]),
            loss=float(self.losses[row]),
        )


def mean_over_classes(values: Float[np.ndarray, " C"]) -> float:
    """The mean of those that are defined; NaN without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
