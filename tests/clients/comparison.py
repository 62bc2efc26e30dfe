"""A client's answers beside Keras'."""

import itertools
import re
import time
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from zsltf.artifacts.parity import Parity, compare

READS = {
    "tensorflow_runtime": "saved_model",
    "onnx_runtime": r".*\.onnx",
    "openvino_runtime": r"saved_model|.*(\.onnx|(?<!fixed)\.tflite)",
    "opencv_dnn": r".*\.onnx",
    "onnxruntime_web": r".*\.onnx",
    "litert_interpreter": r".*(?<!fixed)\.tflite",
    "litert_compiled_model": r".*(?<!fixed)\.tflite",
    "litert_js": r".*\.tflite",
    "mediapipe_tasks": r"(model|.*built_in)\.tflite",
    "curl_rest": r"saved_model|model\.onnx|model\.tflite",
    "serving_stubs": r"saved_model|model\.onnx|model\.tflite",
}
"""Module beside this one, with NAME, PACKAGE, ANSWER and opened(path) -> the files that it is tried with."""
FILES = (
    "saved_model",
    "model.onnx",
    "model.open.onnx",
    "model.float16.onnx",
    "model.float16.open.onnx",
    "model.int8.onnx",
    "model.int8.open.onnx",
    "model.tflite",
    "model.float16.tflite",
    "model.dynamic.tflite",
    "model.int8.tflite",
    "model.built_in.tflite",
    "model.int8.built_in.tflite",
    "model.fixed.tflite",
)
WAYS = ("as exported", "class given at the call", "class added to the file")
_MARGIN = 0.5
"""Of the spread, where integers round: nearer classes may change places."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Of one client to all photos from one file."""

    parity: Parity
    same_top: int
    """Photos whose top class is Keras', whatever the margin."""
    recognised: bool
    """Whether the last photo's top class is Keras'."""


def combinations():
    """Client, file and way: a class is added in files that have a table of their own, and a client that takes none."""
    for (client, read), file, way in itertools.product(READS.items(), FILES, WAYS):
        has_table = not re.search(r"built_in|\.open|fixed", file)
        if re.fullmatch(read, file) and (has_table or way != WAYS[2]):
            yield client, file, way


def answer(client, materials, file, way):
    """The client's answer, or what it raises."""
    added, required = way != WAYS[0], wants_table(file)
    path = materials.edited[file] if way == WAYS[2] else materials.files[file]
    table = materials.tables[added] if way == WAYS[1] or required else None
    photos = materials.fitted if one_size(client, file) else materials.photos
    with client.opened(path) as call:
        got = np.concatenate([call(photo, table) for photo in photos])
    return judged(client, materials, file, way, got)


def judged(client, materials, file, way, got):
    """Answers to the photos against Keras': for clients that are driven from elsewhere too, such as a browser."""
    wanted = materials.keras[way != WAYS[0], one_size(client, file)]
    if client.ANSWER == "probabilities":
        wanted = softmax(wanted, axis=1)
    same = got.argmax(axis=1) == wanted.argmax(axis=1)
    parity = compare(wanted, got, materials.limits[file] or _MARGIN)
    return Answer(parity=parity, same_top=int(same.sum()), recognised=bool(same[-1]))


def one_size(client, file):
    """Whether file or client takes photos of the network's size only."""
    return client.ANSWER == "probabilities" or bool(re.search(r"built_in|int8\.tflite|fixed", file))


def wants_table(file):
    """Whether the file has no class table of its own."""
    return file.endswith((".open.onnx", ".fixed.tflite"))


def milliseconds(client, materials, file, calls=20):
    """The median call with one photo of the network's size, after a first one."""
    photo = materials.fitted[0]
    table = materials.tables[False] if wants_table(file) else None
    with client.opened(materials.files[file]) as call:
        call(photo, table)
        return 1e3 * float(np.median([_seconds(call, photo, table) for _ in range(calls)]))


def _seconds(call, *inputs):
    start = time.perf_counter()
    call(*inputs)
    return time.perf_counter() - start
