"""What a head is trained for: targets, loss, metrics, and the Classifier that comes of it."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.closed import ClassScores, closed
from zsltf.data.classes import ClassTable
from zsltf.data.images import Labels
from zsltf.data.labels import class_rows, multi_hot
from zsltf.layers.centre import centring
from zsltf.similarities.dot import Dot
from zsltf.solvers.unit_range import unit_range

__all__ = ["Attributes", "OneClass", "SeveralClasses"]


@dataclass(frozen=True)
class OneClass:
    """One class an image: softmax and cross-entropy."""

    def num_outputs(self, classes: ClassTable) -> int:
        """One a class."""
        return len(classes)

    def labels(self, y: Labels, classes: ClassTable, what: str) -> Labels:
        """Integers (N,) or one-hot rows (N, C) to rows of the class table, or a ValueError about `what`."""
        if classes.seen.sum() < 2:
            fail("classes", "two seen ones to tell apart", str(classes.seen.sum()), "Add another, or 'other things'.")
        return class_rows(y, len(classes), what)

    def targets(self, y: Any, classes: ClassTable) -> Any:
        """Labels (B,) to one-hot rows (B, C)."""
        return tf.one_hot(y, len(classes))

    def loss(self, label_smoothing: float) -> keras.losses.Loss:
        """Cross-entropy of logits."""
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Top-1."""
        return [keras.metrics.CategoricalAccuracy(name="accuracy")]

    def classifier(
        self, embed: keras.Model, scores: ClassScores, classes: ClassTable, means: Float[np.ndarray, "C K"]
    ) -> Classifier:
        """The trained head as a Classifier that opens by photos."""
        return _by_photos(embed, scores, classes, means, "softmax")


@dataclass(frozen=True)
class SeveralClasses:
    """Any number of classes an image: a sigmoid each and binary cross-entropy."""

    def num_outputs(self, classes: ClassTable) -> int:
        """One a class."""
        return len(classes)

    def labels(self, y: Labels, classes: ClassTable, what: str) -> Labels:
        """Multi-hot rows (N, C), or rows of the class table where every image has one, or a ValueError about `what`."""
        return (class_rows if np.ndim(y) == 1 else multi_hot)(y, len(classes), what)

    def targets(self, y: Any, classes: ClassTable) -> Any:
        """Labels (B,) to one-hot rows (B, C), multi-hot rows as they are."""
        return tf.one_hot(y, len(classes)) if len(y.shape) == 1 else tf.cast(y, tf.float32)

    def loss(self, label_smoothing: float) -> keras.losses.Loss:
        """Binary cross-entropy of logits, averaged over classes."""
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=label_smoothing)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Area under the precision-recall curve, averaged over classes: near the mean average precision."""
        return [keras.metrics.AUC(curve="PR", multi_label=True, from_logits=True, name="mean_average_precision")]

    def classifier(
        self, embed: keras.Model, scores: ClassScores, classes: ClassTable, means: Float[np.ndarray, "C K"]
    ) -> Classifier:
        """The trained head as a Classifier that opens by photos."""
        return _by_photos(embed, scores, classes, means, "sigmoid")


@dataclass(frozen=True)
class Attributes:
    """The attributes of the image's class, brought to [0, 1]; its Classifier is DAP.

    Source: Lampert, Nickisch & Harmeling, "Attribute-based classification for zero-shot visual object categorization",
    TPAMI 2014.
    """

    def num_outputs(self, classes: ClassTable) -> int:
        """One an attribute."""
        return len(classes.columns)

    def labels(self, y: Labels, classes: ClassTable, what: str) -> Labels:
        """Integers (N,) or one-hot rows (N, C) to rows of the class table, or a ValueError about `what`."""
        if not classes.columns:
            fail("class table", "attributes for an attribute head", "none", "Give a table with a column an attribute.")
        return class_rows(y, len(classes), what)

    def targets(self, y: Any, classes: ClassTable) -> Any:
        """Labels (B,) to the attributes of their classes (B, A)."""
        scale, offset = unit_range(classes.semantics[classes.seen])
        return tf.gather(tf.constant(classes.semantics * scale + offset, tf.float32), y)

    def loss(self, label_smoothing: float) -> keras.losses.Loss:
        """Binary cross-entropy of logits, averaged over attributes."""
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=label_smoothing)

    def metrics(self) -> list[keras.metrics.Metric]:
        """None: the loss says it."""
        return []

    def classifier(
        self, embed: keras.Model, scores: ClassScores, classes: ClassTable, means: Float[np.ndarray, "C K"]
    ) -> Classifier:
        """Direct attribute prediction: A = attribute logits - logit(prior), B = attributes; it opens by semantics."""
        scale, offset = unit_range(classes.semantics[classes.seen])
        prior = np.clip((classes.semantics * scale + offset)[classes.seen].mean(axis=0), 0.01, 0.99)
        logits = scores(embed.outputs[0])
        project = keras.layers.Rescaling(scale.tolist(), offset.tolist())
        return Classifier(
            keras.Model(embed.inputs[0], centring(np.log(prior / (1 - prior)))(logits), name="embed"),
            classes,
            project=keras.Sequential([keras.Input((len(classes.columns),)), project], name="project"),
        )


def _by_photos(
    embed: keras.Model, scores: ClassScores, classes: ClassTable, means: np.ndarray, activation: Any
) -> Classifier:
    kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in (scores.kernel, scores.bias))
    if type(scores.similarity) is Dot:
        return closed(embed, kernel, bias, classes, means, activation=activation)
    similarity = type(scores.similarity).from_config(scores.similarity.get_config())
    own = np.diagonal(np.asarray(similarity(means.astype(np.float32), kernel))) + bias
    return Classifier(
        embed,
        classes,
        similarity=similarity,
        class_vectors=kernel,
        bias=bias,
        opens_by=("photos",),
        photo_level=float(own.mean()),
        activation=activation,
    )
