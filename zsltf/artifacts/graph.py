"""The two functions of an exported file, as TensorFlow graphs: score(images, class_vectors, class_bias) and project."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zsltf.classifier import Classifier

__all__ = ["project_function", "project_signature", "save", "score_function", "score_signature", "table"]


def score_signature(classifier: Classifier, batch: int | None) -> list[Any]:
    """Input specs; `batch` None means any, as do height, width and number of classes."""
    vector = classifier.class_vectors.shape[1:]
    return [
        tf.TensorSpec((batch, None, None, 3), tf.uint8, name="images"),
        tf.TensorSpec((None, *vector), tf.float32, name="class_vectors"),
        tf.TensorSpec((None,), tf.float32, name="class_bias"),
    ]


def score_function(classifier: Classifier, batch: int | None = None) -> Any:
    """Images, class vectors and bias to `scores` (logits) and `probabilities`."""

    def score(images: Any, class_vectors: Any, class_bias: Any) -> dict[str, Any]:
        logits = classifier.logits(images, class_vectors, class_bias)
        return {"scores": logits, "probabilities": classifier.probabilities(logits)}

    return tf.function(score, input_signature=score_signature(classifier, batch), autograph=False)


def project_signature(classifier: Classifier) -> list[Any]:
    """Input specs of `project`: any number of rows."""
    return [tf.TensorSpec((None, len(classifier.columns)), tf.float32, name="semantics")]


def project_function(classifier: Classifier) -> Any:
    """Semantics (C, A) to class vectors (C, K)."""

    def project(semantics: Any) -> dict[str, Any]:
        return {"class_vectors": network(semantics, training=False)}

    network: Any = classifier.project
    return tf.function(project, input_signature=project_signature(classifier), autograph=False)


def table(classifier: Classifier) -> dict[str, np.ndarray]:
    """The built-in class table: what the two class inputs default to."""
    return {
        "class_vectors": np.asarray(classifier.class_vectors, np.float32),
        "class_bias": np.asarray(classifier.class_bias, np.float32),
    }


def save(module: tf.Module, path: Path, signatures: dict[str, Any]) -> None:
    """Write a SavedModel folder.

    Raises:
        OSError: if the disk is full.
    """
    try:
        tf.saved_model.save(module, path, signatures=signatures)
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
