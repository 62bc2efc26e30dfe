"""What photos show of each attribute, and what each attribute adds to a class's score."""

import re
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from jaxtyping import Float, Int

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.solvers.gram import Gram
from zsltf.solvers.unit_range import unit_range

__all__ = ["AttributeView", "Reason", "contributions", "named_columns", "read_attributes", "reasons"]

Reason = tuple[str, float, float]
"""An attribute, "no" before it where the class has less of it than the other: how much of it the photo shows, in
[0, 1], and the share of what all attributes add or take."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AttributeView:
    """Of a test set: rows are its images."""

    shown: Float[np.ndarray, "N A"]
    """What a linear reading of the features says of each attribute, in [0, 1]."""
    given: Float[np.ndarray, "C A"]
    """The class table's attributes, 0 to 1 over the seen classes."""


def named_columns(classes: ClassTable) -> list[int]:
    """Columns that say something to people: not numbered ones such as a text vector's."""
    return [i for i, name in enumerate(classes.columns) if not re.fullmatch(r"(s|e|text|sentence|col)\d+(_\d+)?", name)]


def read_attributes(train: Features, test: Features, classes: ClassTable, *, ridge: float = 0.1) -> AttributeView:
    """Regress the seen classes' attributes on their images' features, and read the test images by it.

    It shows what can be seen in the features, whatever the method does with it.

    Args:
        train: images of seen classes.
        test: images to read.
        classes: their table.
        ridge: penalty, > 0, as a multiple of the features' mean variance times the number of images.
    """
    scale, offset = unit_range(classes.semantics[classes.seen])
    given = classes.semantics * scale + offset
    x, target = _pooled(train), given[train.y]
    mean, level = x.mean(axis=0), target.mean(axis=0)
    centred = x - mean
    values, vectors = Gram(centred).spectrum
    penalty = ridge * values.sum() / len(vectors)
    kernel = vectors @ ((vectors.T @ (centred.T @ (target - level))) / (values + penalty)[:, None])
    return AttributeView(shown=np.clip((_pooled(test) - mean) @ kernel + level, 0, 1), given=given)


def contributions(
    classifier: Classifier,
    x: Float[np.ndarray, "n *D"],
    labels: Int[np.ndarray, " n"],
    against: Int[np.ndarray, " n"],
    *,
    steps: int = 32,
) -> Float[np.ndarray, "n A"]:
    """What each attribute adds to the score of one class of an image against that of another.

    They add up to the difference of the two similarities; attributes that the two classes share add nothing.

    Source: Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017 (integrated gradients, here
    of the class's side).

    Args:
        classifier: that opens by semantics.
        x: images or features.
        labels: the class of each image to explain.
        against: the class to compare it with, such as the runner-up.
        steps: of the integral.

    Raises:
        ValueError: for a classifier without that door.
    """
    classifier.check_door("semantics")
    semantics = classifier.classes.semantics
    start, a = tf.constant(semantics[against]), classifier.embedding(x)
    difference = semantics[labels] - start
    total = tf.zeros_like(difference)
    for step in range(steps):
        rows = start + (step + 0.5) / steps * difference
        with tf.GradientTape() as tape:
            tape.watch(rows)
            vectors = rows if classifier.project is None else classifier.project(rows, training=False)
            own = tf.linalg.diag_part(classifier.similarity(a, vectors))
        total += tape.gradient(own, rows)
    return np.asarray(total * difference / steps)


def reasons(
    classifier: Classifier,
    x: Float[np.ndarray, "n *D"],
    shown: Float[np.ndarray, "n A"],
    probabilities: Float[np.ndarray, "n C"],
    *,
    count: int = 4,
) -> list[list[Reason]]:
    """For each image, the attributes with names that add most to its likeliest class's score against the second's.

    Args:
        classifier: that opens by semantics.
        x: images or features.
        shown: what is read off them, as `read_attributes` does it.
        probabilities: of the classes.
        count: attributes an image, at most.
    """
    classes, named = classifier.classes, named_columns(classifier.classes)
    if not named:
        return [[] for _ in x]
    labels, against = np.argsort(-probabilities, axis=1)[:, :2].T
    added = contributions(classifier, x, labels, against)
    shares = added / np.maximum(np.abs(added).sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    less = classes.semantics[labels] < classes.semantics[against]
    found = []
    for share, lacks, seen in zip(shares, less, shown, strict=True):
        best = [i for i in np.argsort(-share) if i in named and share[i] > 0][:count]
        told = [f"no {classes.columns[i]}" if lacks[i] else classes.columns[i] for i in best]
        found.append([(name, float(seen[i]), float(share[i])) for name, i in zip(told, best, strict=True)])
    return found


def _pooled(features: Features) -> Float[np.ndarray, "N D"]:
    x = np.asarray(features.x, np.float64)
    return x if x.ndim == 2 else x.mean(axis=(1, 2))
