"""OpenVINO, in float32: on a CPU that has bfloat16 it takes that by default."""

from contextlib import contextmanager

import numpy as np
import openvino

NAME, PACKAGE, ANSWER = "OpenVINO", "openvino", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def scores(images, table=None):
        feed = {"images": images}
        if table is not None:
            feed |= {"class_vectors": table[0], "class_bias": table[1]}
        values = model(feed)[ANSWER]
        if values.dtype != np.float32:
            raise TypeError("its scores are integers, and it doesn't tell their scale")
        return values

    yield scores
