"""Where an exported file first goes wrong: layer after layer, by bisection."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float, UInt8

from zsltf.classifier import Classifier

__all__ = ["Replay", "first_batch_dependence", "first_difference", "first_failure"]

Images = UInt8[np.ndarray, "N H W 3"]
Replay = Callable[[Any, Images], Float[np.ndarray, "N ..."]]
"""Converts a tf.function from images to `tap`, and runs the file on the images."""
Tap = Callable[[Any], Any]


def first_difference(classifier: Classifier, images: Images, replay: Replay, tolerance: float) -> str | None:
    """The name of the first layer whose output differs, or None; later layers are taken to differ as well.

    Args:
        classifier: what was exported.
        images: a batch; both sides see one after the other.
        replay: the file's side, as `replay` of an exporter.
        tolerance: of an output, relative to its own spread.
    """

    def differs(tap: Tap) -> bool:
        expected = _alone(tap, images)
        return not np.abs(expected - replay(_tapped(tap), images)).max() <= tolerance * expected.std()

    return _first(classifier, differs)


def first_batch_dependence(classifier: Classifier, images: Images, tolerance: float) -> str | None:
    """The name of the first layer in Keras that says something else of an image alone than of one in a batch, or None.

    Args:
        classifier: from images.
        images: the batch.
        tolerance: of an output, relative to its own spread.
    """

    def depends(tap: Tap) -> bool:
        together = np.asarray(tap(tf.constant(images)))
        return not np.abs(together - _alone(tap, images)).max() <= tolerance * together.std()

    return _first(classifier, depends)


def first_failure(classifier: Classifier, images: Images, replay: Replay) -> str | None:
    """The name of the first layer that can't be converted, or run; None if all can.

    Args:
        classifier: what was to be exported.
        images: a batch.
        replay: as in `first_difference`.
    """

    def fails(tap: Tap) -> bool:
        try:
            replay(_tapped(tap), images[:1])
        except Exception:  # noqa: BLE001 (converters and runtimes raise of every kind)
            return True
        return False

    return _first(classifier, fails)


def _first(classifier: Classifier, goes_wrong: Callable[[Tap], bool]) -> str | None:
    taps = list(_taps(classifier))
    low, high = 0, len(taps) - 1
    if not goes_wrong(taps[high][1]):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if goes_wrong(taps[middle][1]) else (middle + 1, high)
    return taps[low][0]


def _alone(tap: Tap, images: Images) -> np.ndarray:
    return np.concatenate([np.asarray(tap(tf.constant(image[None]))) for image in images])


def _tapped(tap: Tap) -> Any:
    signature = [tf.TensorSpec((None, None, None, 3), tf.uint8, name="images")]
    return tf.function(lambda images: {"tap": tap(images)}, input_signature=signature, autograph=False)


def _taps(classifier: Classifier) -> Iterator[tuple[str, Tap]]:
    """Each layer's name with what leads from images to its output, in the order of the graph."""
    preprocess: Any = classifier.preprocess
    yield "preprocess", preprocess
    for name, tap in _layers(classifier.embed):
        yield name, _after(preprocess, tap)
    yield "similarity", lambda images: classifier.logits(images, classifier.class_vectors.value, classifier.class_bias)


def _layers(model: keras.Model) -> Iterator[tuple[str, Tap]]:
    """Of a functional model, those of models inside it included."""
    model = keras.Model(model.inputs, model.outputs)
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            layer = node.operation
            if not node.input_tensors:
                continue
            if hasattr(layer, "_nodes_by_depth") or isinstance(layer, keras.Sequential):
                (below,) = node.input_tensors
                for name, tap in _layers(layer):
                    yield name, _after(_part(model, below), tap)
            else:
                yield layer.name, _part(model, node.output_tensors[0])


def _part(model: keras.Model, output: Any) -> Tap:
    part = keras.Model(model.inputs, output)
    return lambda x: part(x, training=False)


def _after(first: Tap, second: Tap) -> Tap:
    return lambda x: second(first(x))
