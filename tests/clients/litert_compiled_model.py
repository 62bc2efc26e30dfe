"""LiteRT's CompiledModel: the newer interface, that of phones' accelerators."""

from contextlib import contextmanager

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel

NAME, PACKAGE, ANSWER = "LiteRT CompiledModel", "ai-edge-litert", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    with CompiledModel.from_file(str(path)) as model:

        def scores(images, table=None):
            key, feed = "serving_default", {"images": images}
            if table is not None:
                key = "open_vocabulary"
                feed |= {"class_vectors": table[0], "class_bias": table[1]}
            for name, details in model.get_input_tensor_details(key).items():
                if tuple(details["shape"]) != feed[name].shape:
                    model.resize_input_tensor_by_name(key, name, feed[name].shape)
            inputs = {name: model.create_input_buffer_by_name(key, name) for name in feed}
            for name, value in feed.items():
                inputs[name].write(value)
            outputs = model.get_output_tensor_details(key)
            if outputs[ANSWER]["dtype"] != "float32":
                raise TypeError("its scores are integers, and it doesn't tell their scale")
            buffers = {name: model.create_output_buffer_by_name(key, name) for name in outputs}
            model.run_by_name(key, inputs, buffers)
            shape = outputs[ANSWER]["shape"]
            return buffers[ANSWER].read(int(np.prod(shape)), np.float32).reshape(shape)

        yield scores
