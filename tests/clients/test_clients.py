"""Clients that we did not write classify real photos from the exported files as Keras does."""

import re
import shutil

import numpy as np
import pytest

from clients.comparison import FILES, READS, WAYS, answer, combinations
from clients.materials import build

EXPORTED, AT_CALL, IN_FILE = WAYS
REFUSED = (
    ("openvino_runtime", r"(?<!open)\.onnx|tflite|saved_model", AT_CALL, "Port for tensor name class_vectors was not"),
    ("openvino_runtime", r"int8\.built_in", EXPORTED, "its scores are integers"),
    ("opencv_dnn", r"(?<!open)\.onnx", AT_CALL, "input 'class_vectors' is not found"),
    ("onnxruntime_web", r"(?<!open)\.onnx", AT_CALL, "invalid input 'class_"),
    ("litert_interpreter", r"built_in", AT_CALL, 'Invalid signature_key provided: "open_vocabulary"'),
    ("litert_compiled_model", r"built_in", AT_CALL, "Signature not found: open_vocabulary"),
    ("litert_compiled_model", r"int8\.built_in", EXPORTED, "its scores are integers"),
    ("litert_js", r"model(\.float16|\.dynamic)?\.tflite", ".*", r"does not match .* UInt8\[1, -1, -1, 3\]"),
    ("litert_js", r"model\.int8\.tflite", ".*", "litert_tensor_buffer"),
    ("litert_js", r"built_in", AT_CALL, "it ignores class_(vectors|bias), which is no input"),
    ("litert_js", r"int8\.built_in", EXPORTED, "its scores are integers"),
    ("mediapipe_tasks", r"(?<!built_in)\.tflite", ".*", "assumed to have a single subgraph"),
    ("mediapipe_tasks", r"built_in", AT_CALL, "it takes images only"),
)
"""Client, file, way and message: what a client can't do. If it can one day, the test says so."""
PHOTO = np.zeros((1, 224, 224, 3), np.uint8)
WRONG = {
    "normalised": PHOTO.astype(np.float32),
    "four channels": np.zeros((1, 224, 224, 4), np.uint8),
    "no batch": PHOTO[0],
}
TELLS = {
    ("tensorflow_runtime", "normalised"): "was expected to be a uint8 tensor but is a float tensor",
    ("tensorflow_runtime", "four channels"): r"Incompatible shapes: \[1,224,224,4\]",
    ("tensorflow_runtime", "no batch"): "input must be 4-dimensional",
    ("onnx_runtime", "normalised"): r"Unexpected input data type. Actual: \(tensor\(float\)\)",
    ("onnx_runtime", "four channels"): r"index: 3 Got: 4 Expected: 3",
    ("onnx_runtime", "no batch"): "Invalid rank for input: images Got: 3 Expected: 4",
    ("openvino_runtime", "normalised"): None,
    ("openvino_runtime", "four channels"): r"\(shape=\(1.224.224.4\)\) are incompatible",
    ("openvino_runtime", "no batch"): r"\(shape=\(224.224.3\)\) are incompatible",
    ("opencv_dnn", "normalised"): None,
    ("opencv_dnn", "four channels"): None,
    ("opencv_dnn", "no batch"): "Assertion failed",
    ("onnxruntime_web", "normalised"): "Unexpected input data type",
    ("onnxruntime_web", "four channels"): "Got: 4 Expected: 3",
    ("onnxruntime_web", "no batch"): "Got: 3 Expected: 4",
    ("litert_interpreter", "normalised"): "Got value of type FLOAT32 but expected type UINT8 for input 0, name: images",
    ("litert_interpreter", "four channels"): "failed to prepare",
    ("litert_interpreter", "no batch"): "failed to prepare",
    ("litert_compiled_model", "normalised"): "source buffer is larger than the tensor buffer",
    ("litert_compiled_model", "four channels"): "New shape is not compatible with current shape",
    ("litert_compiled_model", "no batch"): "New shape rank does not match",
    ("litert_js", "normalised"): r"Float32\[1, 224, 224, 3\] does not match",
    ("litert_js", "four channels"): r"UInt8\[1, 224, 224, 4\] does not match",
    ("litert_js", "no batch"): r"UInt8\[224, 224, 3\] does not match",
    ("mediapipe_tasks", "normalised"): "Unsupported image format",
    ("mediapipe_tasks", "four channels"): None,
    ("mediapipe_tasks", "no batch"): "Pixel data size is too small",
    ("curl_rest", "normalised"): "is not of expected type: uint8",
    ("curl_rest", "four channels"): "Incompatible shapes",
    ("curl_rest", "no batch"): "input must be 4-dimensional",
    ("serving_stubs", "normalised"): "to be uint8 but float is provided",
    ("serving_stubs", "four channels"): "Incompatible shapes",
    ("serving_stubs", "no batch"): "input must be 4-dimensional",
}
"""What a client says of wrong images; None where it takes them without a word."""


@pytest.fixture(scope="session")
def materials(test_data, tmp_path_factory):
    return build(test_data / "animals", tmp_path_factory.mktemp("clients"))


def loaded(name):
    if name == "curl_rest" and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    return pytest.importorskip(f"clients.{name}", reason=f"{name} does not load", exc_type=ImportError)


def refusal(client, file, way):
    """The message of a client that can't do this."""
    return next(
        (
            told
            for who, files, ways, told in REFUSED
            if who == client and re.search(files, file) and ways in (way, ".*")
        ),
        None,
    )


def test_every_kind_of_file_is_tried(materials):
    assert set(materials.files) == set(FILES)
    assert set(materials.edited) == {file for _, file, way in combinations() if way == IN_FILE}


@pytest.mark.parametrize(
    ("client", "file", "way"),
    [
        pytest.param(*each, marks=pytest.mark.slow if re.search("float16|dynamic", each[1]) else ())
        for each in combinations()
    ],
)
def test_a_client_says_what_keras_says(client, file, way, materials):
    message = refusal(client, file, way)
    if message:
        with pytest.raises(Exception, match=message):
            answer(loaded(client), materials, file, way)
        return
    found = answer(loaded(client), materials, file, way)
    limit = materials.limits[file]
    if limit is None:
        assert found.parity.agreement >= 0.8
    else:
        assert found.parity.difference <= 2 * limit
        assert found.parity.agreement == 1.0
        assert found.recognised


@pytest.mark.parametrize("client", READS)
def test_wrong_images_are_refused_in_the_clients_words(client, materials):
    file = next(file for name, file, way in combinations() if name == client and not refusal(name, file, way))
    with loaded(client).opened(materials.files[file]) as call:
        for what, images in WRONG.items():
            message = TELLS[client, what]
            if message is None:
                assert len(call(images)) == 1
                continue
            with pytest.raises(Exception, match=message):
                call(images)
