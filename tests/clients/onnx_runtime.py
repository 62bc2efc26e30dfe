"""ONNX Runtime."""

from contextlib import contextmanager

import onnxruntime

NAME, PACKAGE, ANSWER = "ONNX Runtime", "onnxruntime", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # a warning for each default that may be overridden
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def scores(images, table=None):
        feed = {"images": images}
        if table is not None:
            feed |= {"class_vectors": table[0], "class_bias": table[1]}
        return session.run([ANSWER], feed)[0]

    yield scores
