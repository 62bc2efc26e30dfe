"""curl, against `zsltf serve`: TensorFlow Serving's REST."""

import json
import subprocess
from contextlib import contextmanager

import numpy as np

from clients.local_serve import MODEL, serve

NAME, PACKAGE, ANSWER = "curl (REST)", "curl", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    with serve(path) as addresses:
        url = f"{addresses['REST:']}/v1/models/{MODEL}:predict"

        def scores(images, table=None):
            inputs, signature = {"images": images.tolist()}, "serving_default"
            if table is not None:
                inputs |= {"class_vectors": table[0].tolist(), "class_bias": table[1].tolist()}
                signature = "open_vocabulary"
            answer = post(url, {"signature_name": signature, "inputs": inputs})
            if "error" in answer:
                raise ValueError(answer["error"])
            return np.array(answer["outputs"][ANSWER], np.float32)

        yield scores


def post(url, body):
    """curl's answer, whatever its status."""
    command = ("curl", "--silent", "--show-error", "--noproxy", "127.0.0.1", "--data-binary", "@-", url)
    done = subprocess.run(command, input=json.dumps(body), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
