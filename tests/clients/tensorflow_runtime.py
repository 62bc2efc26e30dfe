"""TensorFlow, on the SavedModel."""

from contextlib import contextmanager

import tensorflow as tf

NAME, PACKAGE, ANSWER = "TensorFlow", "tensorflow", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    signatures = tf.saved_model.load(path).signatures

    def scores(images, table=None):
        inputs = {"images": images}
        if table is not None:
            inputs |= {"class_vectors": table[0], "class_bias": table[1]}
        signature = signatures["serving_default" if table is None else "open_vocabulary"]
        return signature(**{name: tf.constant(value) for name, value in inputs.items()})[ANSWER].numpy()

    yield scores
