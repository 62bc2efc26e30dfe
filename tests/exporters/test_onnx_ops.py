"""Each handler against TensorFlow, and the converter without it: when that works, the handler can go."""

import logging

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx

from zsltf.exporters._onnx_ops import HANDLERS

PIXELS = tf.TensorSpec((None, 6, 6, 3), tf.float32, name="pixels")
KERNEL = np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype(np.float32)
FUNCTIONS = {
    "Erfc": lambda pixels: tf.nn.gelu(pixels, approximate=False),
    "AddV2": lambda pixels: tf.nn.relu6(tf.nn.conv2d(pixels, KERNEL, 1, "SAME") + 3.0),
}


def convert(op, handlers):
    function = tf.function(FUNCTIONS[op], input_signature=[PIXELS])
    model, _ = tf2onnx.convert.from_function(function, [PIXELS], opset=18, custom_op_handlers=handlers)
    return function, onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.fixture(autouse=True)
def without_a_copy_of_the_graph(monkeypatch, caplog):
    monkeypatch.setenv("TF2ONNX_CATCH_ERRORS", "FALSE")
    caplog.set_level(logging.CRITICAL, "tf2onnx")


@pytest.mark.parametrize("op", FUNCTIONS)
def test_gives_what_tensorflow_gives(op):
    function, session = convert(op, dict(HANDLERS))
    pixels = np.random.default_rng(1).normal(0, 2, size=(5, 6, 6, 3)).astype(np.float32)
    expected = function(pixels).numpy()
    (got,) = session.run(None, {session.get_inputs()[0].name: pixels})
    assert expected.std() > 0.5
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("op", "message"), [("Erfc", "Erfc"), ("AddV2", "empty sequence")])
def test_tf2onnx_still_needs_it(op, message):
    with pytest.raises(Exception, match=message):
        convert(op, {})


def test_there_is_a_test_for_each():
    assert set(FUNCTIONS) == set(HANDLERS)
