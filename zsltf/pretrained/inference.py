"""A network with its preprocessing as one compiled function, for many images in a row."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from zsltf.layers.preprocess import Preprocess

__all__ = ["inference"]

_LARGEST = 8_000_000  # weights: TensorFlow takes a multiple of their memory to optimise a graph that holds them


def inference(model: keras.Model, preprocess: Preprocess) -> Callable[[Any], Any]:
    """A TensorFlow function of resized pixels (B, size, size, 3) in [0, 255].

    The weights of a small network are constants of it, as they are now: TensorFlow then folds normalisation into
    convolutions, which on a CPU saves it passes over the maps.

    Args:
        model: what follows the preprocessing.
        preprocess: normalises.
    """
    weights = (model.trainable_variables, model.non_trainable_variables)
    small = model.count_params() <= _LARGEST
    constants = [[variable.numpy() for variable in part] for part in weights] if small else None

    pixels_spec = tf.TensorSpec((None, preprocess.size, preprocess.size, 3), tf.float32)

    @tf.function(input_signature=[pixels_spec], autograph=False)
    def compute(pixels: Any) -> Any:
        x = preprocess.normalise(pixels)
        if constants is None:
            return model(x, training=False)
        return model.stateless_call(*constants, x, training=False)[0]

    return compute
