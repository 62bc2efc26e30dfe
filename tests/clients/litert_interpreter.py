"""LiteRT's Interpreter: what TensorFlow Lite's was."""

import functools
from contextlib import contextmanager

import numpy as np
from ai_edge_litert.interpreter import Interpreter

NAME, PACKAGE, ANSWER = "LiteRT Interpreter", "ai-edge-litert", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    runner_of = functools.cache(Interpreter(model_path=str(path)).get_signature_runner)

    def scores(images, table=None):
        feed = {"images": images}
        if table is not None:
            feed |= {"class_vectors": table[0], "class_bias": table[1]}
        runner = runner_of("serving_default" if table is None else "open_vocabulary")
        scale, zero = runner.get_output_details()[ANSWER]["quantization"]
        values = runner(**feed)[ANSWER]
        return (values.astype(np.float32) - zero) * scale if scale else values

    yield scores
