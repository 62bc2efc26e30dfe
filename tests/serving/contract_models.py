"""The small models that the contract's cases are about, written as TensorFlow 1 does: a graph takes any shape."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from serving.contract_cases import MODELS

v1 = tf.compat.v1
METHOD = "tensorflow/serving/"


def write(name: str, base: Path) -> None:
    """Every version of a model, under base/NUMBER."""
    described = MODELS[MODELS[name].get("same_as", name)]
    for number in MODELS[name].get("versions", [1]):
        graph = tf.Graph()
        with graph.as_default(), v1.Session(graph=graph) as session:
            signatures = BUILDERS.get(MODELS[name].get("same_as", name), identity)(described)
            session.run(v1.global_variables_initializer())
            builder = v1.saved_model.Builder(str(base / str(number)))
            builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
            builder.save()


def _info(tensor, shape):
    info = v1.saved_model.utils.build_tensor_info(tensor)
    info.tensor_shape.CopyFrom(
        tf.TensorShape(None if shape is None else [n if n >= 0 else None for n in shape]).as_proto()
    )
    return info


def _signature(inputs, outputs, method):
    """Name -> tensor, or tensor and the shape that the signature says."""
    pairs = [
        {name: _info(*(t if isinstance(t, tuple) else (t, None))) for name, t in tensors.items()}
        for tensors in (inputs, outputs)
    ]
    return v1.saved_model.signature_def_utils.build_signature_def(*pairs, METHOD + method)


def _placeholder(dtype, name):
    return v1.placeholder(tf.as_dtype(dtype), None, name)


def half_plus_two(_):
    """Feeding x leaves the examples out."""
    column, serialised, x2 = [-1, 1], _placeholder("string", "tf_example"), _placeholder("float32", "x2")
    parsed = tf.io.parse_example(serialised, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
    x = tf.identity(parsed, "x")
    y, y2 = tf.add(0.5 * x, 2, "y"), tf.add(0.5 * x, 3, "y2")
    y3 = tf.add(0.5 * x2, 3, "y3")
    examples = {"inputs": (serialised, None)}
    return {
        "serving_default": _signature({"x": (x, column)}, {"y": (y, column)}, "predict"),
        "regress_x_to_y": _signature(examples, {"outputs": (y, column)}, "regress"),
        "regress_x_to_y2": _signature(examples, {"outputs": (y2, column)}, "regress"),
        "regress_x2_to_y3": _signature({"inputs": (x2, column)}, {"outputs": (y3, column)}, "regress"),
        "classify_x_to_y": _signature(examples, {"scores": (y, column)}, "classify"),
        "classify_x2_to_y3": _signature({"inputs": (x2, column)}, {"scores": (y3, column)}, "classify"),
    }


def identity(described):
    """Outputs are inputs, in the order in which they are described."""
    inputs = {name: _placeholder(dtype, name) for name, dtype in described["inputs"].items()}
    outputs = dict(zip(described["outputs"], map(tf.identity, inputs.values()), strict=True))
    return {"serving_default": _signature(inputs, outputs, "predict")}


def constants(**values):
    """Outputs are the same whatever x is."""

    def build(described):
        x = _placeholder("float32", "x")
        with tf.control_dependencies([x]):
            outputs = {
                name: tf.constant(values[name], tf.as_dtype(dtype)) for name, dtype in described["outputs"].items()
            }
            outputs = {name: tf.identity(value) for name, value in outputs.items()}
        return {"serving_default": _signature({"x": x}, outputs, "predict")}

    return build


def of_x(function):
    def build(described):
        x = _placeholder("float32", "x")
        (name,) = described["outputs"]
        return {"serving_default": _signature({"x": x}, {name: function(x)}, "predict")}

    return build


def nonfinite_regress(_):
    serialised = _placeholder("string", "examples")
    parsed = tf.io.parse_example(serialised, {"output": tf.io.FixedLenFeature([], tf.float32)})["output"]
    return {"serving_default": _signature({"inputs": serialised}, {"outputs": (parsed, [-1])}, "regress")}


def regressors(_):
    serialised = _placeholder("string", "examples")
    x = tf.io.parse_example(serialised, {"output": tf.io.FixedLenFeature([], tf.float32)})["output"]
    outputs = {
        "serving_default": (x, [-1]),
        "column": (x[:, None] + 1, [-1, 1]),
        "rank3": (tf.tile(x[:, None, None], [1, 1, 10]), None),
        "one_row": (x[:1], [1]),
        "strings": (tf.as_string(x), [-1]),
    }
    return {name: _signature({"inputs": serialised}, {"outputs": out}, "regress") for name, out in outputs.items()}


def classes(_):
    serialised = _placeholder("string", "examples")
    features = {"class": tf.io.VarLenFeature(tf.string), "score": tf.io.VarLenFeature(tf.float32)}
    parsed = {name: tf.sparse.to_dense(value) for name, value in tf.io.parse_example(serialised, features).items()}
    names, scores, two = parsed["class"], parsed["score"], [-1, -1]
    outputs = {
        "serving_default": {"classes": (names, two), "scores": (scores, two)},
        "classes_only": {"classes": (names, two)},
        "scores_only": {"scores": (scores, two)},
        "output_plus_one": {"classes": (names, two), "scores": (scores + 1, two)},
        "rank3_scores": {"classes": (names, two), "scores": (tf.tile(scores[..., None], [1, 1, 10]), None)},
        "float_classes": {"classes": (scores, two), "scores": (scores, two)},
        "one_row_classes": {"classes": (names[:1], [1, 2]), "scores": (scores, two)},
        "one_row_scores": {"classes": (names, two), "scores": (scores[:1], [1, 2])},
        "wide_scores": {"classes": (names, [-1, 2]), "scores": (tf.concat([scores, scores[:, :1]], 1), [-1, 3])},
    }
    return {name: _signature({"inputs": serialised}, out, "classify") for name, out in outputs.items()}


def counter(_):
    state = v1.get_variable("counter", [], tf.float32, v1.zeros_initializer(), use_resource=True)
    delta = v1.placeholder(tf.float32, [], "delta")
    calls = {
        "get_counter": ({}, state.read_value()),
        "incr_counter": ({}, state.assign_add(1.0, read_value=True)),
        "reset_counter": ({}, state.assign(0.0, read_value=True)),
        "incr_counter_by": ({"delta": (delta, [])}, state.assign_add(delta, read_value=True)),
    }
    return {
        name: _signature(inputs, {"output": (tf.identity(out), [])}, "predict") for name, (inputs, out) in calls.items()
    }


BUILDERS = {
    "half_plus_two": half_plus_two,
    "outs5": constants(
        double_scalar_tensor=[8, 9],
        float_tensor=[[1], [2]],
        int_tensor=[[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 0], [1, 2]]],
        str_tensor=[["foo", "bar"], ["baz", "bat"]],
        str_tensor_bytes=[["hello", "world"], ["tf", "serving"]],
    ),
    "mismatch": constants(int_tensor=[[1, 2, 3], [4, 5, 6]], str_tensor=[["foo", "bar", "baz"]]),
    "scalar_out": of_x(tf.reduce_sum),
    "zero_batch": constants(y=np.zeros((0, 2), np.int32)),
    "zero_batch2": constants(a=np.zeros((0, 1, 2), "S1"), b=np.zeros((0, 3, 4))),
    "zero_and_one": constants(a=np.zeros((0, 2), np.int32), b=np.full((1, 2), b"x")),
    "complex_out": of_x(lambda x: tf.complex(x, tf.zeros_like(x))),
    "half_out": of_x(lambda x: tf.cast(x, tf.float16)),
    "nonfinite_regress": nonfinite_regress,
    "regressors": regressors,
    "classes": classes,
    "counter": counter,
}
