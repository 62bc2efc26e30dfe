"""What an exported file computes, as TensorFlow graphs: score(images, class_vectors, class_bias) and its parts."""

import errno
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zsltf.classifier import Classifier
from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.cut import cut

__all__ = [
    "built_in_function",
    "class_score_function",
    "compare_function",
    "decode_function",
    "embed_function",
    "halves",
    "images_spec",
    "network_function",
    "project_function",
    "resize_function",
    "save",
    "score_function",
    "similarity_function",
    "table",
    "trunk_function",
]


def images_spec(batch: int | None = None, size: int | None = None, dtype: str = "uint8") -> Any:
    """Images (batch, size, size, 3) in 0..255; None means any."""
    return tf.TensorSpec((batch, size, size, 3), dtype, name="images")


def halves(classifier: Classifier) -> tuple[keras.Model, keras.Model | None]:
    """`embed` as the part that reads maps, and what is done to the pooled vector; None where nothing is.

    Integers are fine for the first, which is nearly all of the arithmetic; the norm of a vector loses too much in them.
    """
    embed = keras.Model(classifier.embed.inputs, classifier.embed.outputs)
    nodes = [node for nodes in embed._nodes_by_depth.values() for node in nodes if node.input_tensors]
    above = [node.operation.name for node in nodes if all(len(tensor.shape) <= 2 for tensor in node.input_tensors)]
    lower, upper = cut(embed, above) if above else (None, embed)
    return (upper, None) if lower is None or isinstance(lower.output, list) else (lower, upper)


def trunk_function(classifier: Classifier, trunk: keras.Model, images: Any) -> Any:
    """Images to `features`: the first of the halves."""
    preprocess: Any = classifier.preprocess

    def features(images: Any) -> dict[str, Any]:
        return {"features": trunk(preprocess(images), training=False)}

    return tf.function(features, input_signature=[images], autograph=False)


def compare_function(classifier: Classifier, trunk: keras.Model, head: keras.Model | None, batch: int | None) -> Any:
    """`features`, class vectors and bias, of any number of classes, to `embedding`, `scores` and `probabilities`."""

    def compare(features: Any, class_vectors: Any, class_bias: Any) -> dict[str, Any]:
        embedding = tf.identity(features) if head is None else head(features, training=False)
        logits = classifier.similarity(embedding, class_vectors) + class_bias
        return {"embedding": embedding, **_outputs(classifier, logits)}

    features = tf.TensorSpec((batch, *trunk.output_shape[1:]), tf.float32, name="features")
    return tf.function(compare, input_signature=[features, *_class_specs(classifier)], autograph=False)


def embed_function(classifier: Classifier, images: Any) -> Any:
    """Images to `embedding`."""

    def embed(images: Any) -> dict[str, Any]:
        return {"embedding": tf.identity(classifier.embedding(images))}

    return tf.function(embed, input_signature=[images], autograph=False)


def class_score_function(classifier: Classifier) -> Any:
    """`embedding` of one image, vector and bias of one class to `scores` (1, 1)."""

    def compare(embedding: Any, class_vectors: Any, class_bias: Any) -> dict[str, Any]:
        return {"scores": classifier.similarity(embedding, class_vectors) + class_bias}

    embedding = tf.TensorSpec((1, *classifier.embed.output_shape[1:]), tf.float32, name="embedding")
    return tf.function(compare, input_signature=[embedding, *_class_specs(classifier, 1)], autograph=False)


def similarity_function(classifier: Classifier) -> Any:
    """`embedding`, class vectors and bias, of any number of classes, to `scores` and `probabilities`."""

    def compare(embedding: Any, class_vectors: Any, class_bias: Any) -> dict[str, Any]:
        return _outputs(classifier, classifier.similarity(embedding, class_vectors) + class_bias)

    embedding = tf.TensorSpec((None, *classifier.embed.output_shape[1:]), tf.float32, name="embedding")
    return tf.function(compare, input_signature=[embedding, *_class_specs(classifier)], autograph=False)


def score_function(classifier: Classifier, images: Any) -> Any:
    """Images, class vectors and bias, of any number of classes, to `embedding`, `scores` and `probabilities`."""

    def score(images: Any, class_vectors: Any, class_bias: Any) -> dict[str, Any]:
        embedding = classifier.embedding(images)
        logits = classifier.similarity(embedding, class_vectors) + class_bias
        return {"embedding": tf.identity(embedding), **_outputs(classifier, logits)}

    return tf.function(score, input_signature=[images, *_class_specs(classifier)], autograph=False)


def network_function(classifier: Classifier) -> Any:
    """Pixels of the network's own size, float32 in [0, 255], to `embedding`; biases and statistics are constants.

    Each variable costs a file five entries, which for vectors is more than their numbers.
    """
    vectors = [variable for variable in classifier.embed.variables if len(variable.shape) <= 1]
    constants = [(variable, keras.ops.convert_to_numpy(variable)) for variable in vectors]

    def network(images: Any) -> dict[str, Any]:
        with keras.StatelessScope([(variable, tf.constant(value)) for variable, value in constants]):
            return {"embedding": classifier.embedding(images)}

    preprocess: Any = classifier.preprocess
    return tf.function(network, input_signature=[images_spec(None, preprocess.size, "float32")], autograph=False)


def resize_function(preprocess: Preprocess) -> Any:
    """Images of any size to pixels of the network's."""
    return tf.function(preprocess.resize, input_signature=[images_spec()], autograph=False)


def built_in_function(classifier: Classifier, images: Any) -> Any:
    """Images to `scores` and `probabilities` of the built-in classes, whose table is constant."""

    constants = table(classifier)

    def score(images: Any) -> dict[str, Any]:
        vectors, bias = (tf.constant(value) for value in constants.values())
        return _outputs(classifier, classifier.logits(images, vectors, bias))

    return tf.function(score, input_signature=[images], autograph=False)


def project_function(classifier: Classifier, classes: int | None = None) -> Any:
    """Semantics (C, A) to class vectors (C, K); None means any number of rows."""

    def project(semantics: Any) -> dict[str, Any]:
        return {"class_vectors": network(semantics, training=False)}

    network: Any = classifier.project
    spec = tf.TensorSpec((classes, len(classifier.columns)), tf.float32, name="semantics")
    return tf.function(project, input_signature=[spec], autograph=False)


def decode_function(preprocess: Preprocess) -> Any:
    """JPEG, PNG, GIF or BMP files (B,) to pixels (B, size, size, 3) float32 in [0, 255], as the decoding door does it.

    Each photo is averaged down to what the network takes, then resized. Unlike that door this knows neither EXIF nor
    transparency, and one photo that can't be decoded fails the batch: a graph can't catch an error.
    """

    def pixels(content: Any) -> Any:
        image = tf.ensure_shape(tf.io.decode_image(content, channels=3, expand_animations=False), (None, None, 3))
        size = _shrunk(tf.shape(image)[:2], preprocess.size, preprocess.resize_policy)
        return preprocess.resize(tf.round(tf.image.resize(image, size, antialias=True)))

    def decode(encoded: Any) -> Any:
        spec = tf.TensorSpec((preprocess.size, preprocess.size, 3), tf.float32)
        return tf.map_fn(pixels, encoded, fn_output_signature=spec)

    return tf.function(decode, input_signature=[tf.TensorSpec((None,), tf.string, name="encoded")], autograph=False)


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


def _outputs(classifier: Classifier, logits: Any) -> dict[str, Any]:
    return {"scores": logits, "probabilities": classifier.probabilities(logits)}


def _class_specs(classifier: Classifier, classes: int | None = None) -> list[Any]:
    vectors = tf.TensorSpec((classes, *classifier.class_vectors.shape[1:]), tf.float32, name="class_vectors")
    return [vectors, tf.TensorSpec((classes,), tf.float32, name="class_bias")]


def _shrunk(shape: Any, size: int, resize: Resize) -> Any:
    """`data.decode.shrink`, in a graph."""
    if resize == "stretch":
        return tf.minimum(shape, size)
    sides = tf.cast(shape, tf.float64)
    ratio = size / (tf.reduce_min(sides) if resize == "crop" else tf.reduce_max(sides))
    return tf.maximum(1, tf.cast(tf.round(sides * tf.minimum(ratio, 1)), tf.int32))
