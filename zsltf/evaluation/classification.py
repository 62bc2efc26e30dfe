"""Score a classification's test set: accuracy, rare classes, calibration and the worst mistakes."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import expit, log_expit, log_softmax

from zsltf.checks import check_choice, check_finite, check_shape, fail
from zsltf.evaluation.classification_report import ClassificationReport
from zsltf.metrics.calibration import negative_log_likelihood

__all__ = ["ClassificationReport", "evaluate_classification"]


def evaluate_classification(
    scores: Float[np.ndarray, "N C"],
    y: Int[np.ndarray, " N"] | Float[np.ndarray, "N C"],
    names: Sequence[str],
    *,
    activation: Literal["softmax", "sigmoid"] = "softmax",
    train_images: Int[np.ndarray, " C"] | None = None,
    bins: int = 15,
) -> ClassificationReport:
    """Turn a test set's scores into probabilities, losses and every figure that is read off them.

    Args:
        scores: logits, as `Classifier.score` gives them.
        y: each image's class, or one-hot or multi-hot rows.
        names: of the C classes.
        activation: the Classifier's; "sigmoid" for several labels an image.
        train_images: images of each class in training: they say which classes are rare, and what the majority is.
        bins: of the reliability curve.

    Raises:
        ValueError: if shapes don't match, a score isn't finite, or a label is no class.
    """
    check_choice("activation", activation, ("softmax", "sigmoid"))
    truth, multi_label = _truth(scores, y, names), activation == "sigmoid"
    if train_images is not None:
        check_shape("train_images", train_images, (len(names),), "Give one number a class.")
    if not multi_label and not (truth.sum(axis=1) == 1).all():
        fail("y", "one class an image", "rows with none or several", 'Pass activation="sigmoid".')
    probabilities, losses = _outcome(np.asarray(scores, np.float64), truth, multi_label)
    return ClassificationReport(
        names=tuple(names),
        multi_label=multi_label,
        truth=truth,
        probabilities=probabilities,
        losses=losses,
        train_images=train_images,
        bins=bins,
    )


def _truth(scores: np.ndarray, y: np.ndarray, names: Sequence[str]) -> Bool[np.ndarray, "N C"]:
    """The labels as rows, checked against scores and names."""
    if not len(y):
        fail("y", "test images", "none", "Hold some out.")
    check_shape("scores", scores, (len(y), len(names)), "Give one row an image and one column a class.")
    check_finite("scores", scores, "Check the training.")
    if y.ndim == 2:
        check_shape("y", y, scores.shape, "Give one column a class.")
        if not np.isin(y, (0, 1)).all():
            fail("y", "rows of 0 and 1", f"{y[~np.isin(y, (0, 1))][0]:g}", "Give hard labels.")
        return y == 1
    outside = y[(y < 0) | (y >= len(names))]
    if len(outside):
        fail("y", f"labels from 0 to {len(names) - 1}", str(outside[0]), "Give rows of the ClassTable.")
    return y[:, None] == np.arange(len(names))


def _outcome(logits: np.ndarray, truth: np.ndarray, multi_label: bool) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N, C) and losses (N,)."""
    if multi_label:
        return expit(logits), -log_expit(np.where(truth, logits, -logits)).mean(axis=1)
    logs = log_softmax(logits, axis=1)
    return np.exp(logs), negative_log_likelihood(logs, truth.argmax(axis=1))
