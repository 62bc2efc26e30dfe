"""Values of any depth and size: messages quote their beginning, and the time is that of the good ones."""

import time

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from zsltf.serving.json_inputs import read_inputs, signature_name
from zsltf.serving.json_outputs import write_outputs
from zsltf.serving.json_values import printed, shown
from zsltf.serving.status import RequestError


def signature(dtype):
    given = meta_graph_pb2.SignatureDef()
    given.inputs["x"].dtype = dtype.as_datatype_enum
    return given


def nested(depth, value=1):
    for _ in range(depth):
        value = [value]
    return value


def test_messages_quote_the_beginning_of_a_long_value():
    start = time.process_time()
    assert shown([1] * 4_000_000) == printed([1] * 50)[:128] + "..."
    assert shown({"x" * 1000: 1}) == '{\n    "' + "x" * 121 + "..."
    assert shown("x" * 126) == '"' + "x" * 126 + '"'
    assert shown(nested(5000)).endswith("...")
    assert time.process_time() - start < 1


@pytest.mark.parametrize("depth", [65, 400, 900])
@pytest.mark.parametrize("kind", ["instances", "inputs"])
def test_deep_values_are_refused(depth, kind):
    with pytest.raises(RequestError) as refused:
        read_inputs({kind: nested(depth)}, signature(tf.float32))
    assert refused.value.http_status == 400
    with pytest.raises(RequestError, match="Is not object"):
        signature_name(nested(depth))


@pytest.mark.parametrize("kind", ["instances", "inputs"])
def test_one_wrong_value_of_many_is_found_soon(kind):
    start = time.process_time()
    with pytest.raises(RequestError, match=r'JSON Value: "x" Type: String is not of expected type: float'):
        read_inputs({kind: [0.5] * 500_000 + ["x"]}, signature(tf.float32))
    assert time.process_time() - start < 2


def test_rows_of_another_shape_are_found_in_any_block():
    rows = [[1.0, 2.0]] * 3000
    wrong = r"element: 2999 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 3"
    with pytest.raises(RequestError, match=wrong):
        read_inputs({"instances": [*rows[:2999], [1.0, 2.0, 3.0]]}, signature(tf.float32))
    wrong = r"element: 1024 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape \[2\] but got: \[1,2\]"
    with pytest.raises(RequestError, match=wrong):
        read_inputs({"instances": rows[:1024] + [[[1.0, 2.0]]] * 1024}, signature(tf.float32))


def test_rows_of_base64_among_text_keep_their_order():
    rows = ["text", {"b64": "aGk="}] * 1500
    inputs, _ = read_inputs({"instances": rows}, signature(tf.string))
    assert inputs["x"].tolist() == [b"text", b"hi"] * 1500


def test_bytes_that_are_no_text_pass_through():
    inputs, _ = read_inputs({"inputs": ["\udcff", "a"]}, signature(tf.string))
    assert inputs["x"].tolist() == [b"\xff", b"a"]
    assert write_outputs({"y": inputs["x"]}, False) == b'{\n    "outputs": ["\xff", "a"]\n}'


def test_truth_values_are_read_together():
    inputs, _ = read_inputs({"inputs": [[True, False]]}, signature(tf.bool))
    np.testing.assert_array_equal(inputs["x"], [[True, False]])
