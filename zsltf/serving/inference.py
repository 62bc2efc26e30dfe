"""What both protocols do with a request: find the signature, check names, run, and check what came out.

Messages are those of tensorflow_serving/servables/tensorflow/{predict_util,classifier,regressor}.cc, and for defaults
of tensorflow/cc/saved_model/util.cc (tensorflow/tensorflow).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from zsltf.serving.image_size import image_size
from zsltf.serving.json_tensors import dtype_text
from zsltf.serving.json_values import invalid
from zsltf.serving.servable import Servable, Tensors

__all__ = [
    "check_images",
    "check_inputs",
    "check_types",
    "classified",
    "example_signature",
    "regressed",
    "wanted_outputs",
]

_CLASSIFY = ("classes", "scores")


def check_inputs(names: Sequence[str], signature: meta_graph_pb2.SignatureDef) -> None:
    """The request's input names are those of the signature, but for some that have a default."""
    sent, wanted, defaults = sorted(names), sorted(signature.inputs), sorted(signature.defaults)
    if len(sent) > len(wanted) or (len(sent) < len(wanted) and not defaults):
        extra, missing = ([n for n in one if n not in other] for one, other in ((sent, wanted), (wanted, sent)))
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(wanted)} len({_set(sent)}) != len({_set(wanted)})."
            f" Sent extra: {_set(extra)}. Missing but required: {_set(missing)}."
        )
    for name in wanted:
        if defaults and name not in sent and name not in defaults:
            feed = f"{name}(feed name: {signature.inputs[name].name})"
            message = f"Signature input alias: {feed} not found in request and no default value provided."
            expected = f"in the request {_set(sent)}, or default input alias set: {','.join(defaults)}"
            raise invalid(f"{message} Inputs expected to be {expected}")
    for name in sent:
        if name not in signature.inputs:
            message = f"input tensor alias not found in signature: {name}."
            raise invalid(f"{message} Inputs expected to be in the set {_set(wanted)}.")


def check_types(inputs: Mapping[str, tensor_pb2.TensorProto], signature: meta_graph_pb2.SignatureDef) -> None:
    """Each tensor has the type that its input takes, told as TensorFlow's session tells it."""
    for i, (name, proto) in enumerate(inputs.items()):
        try:
            given = tf.as_dtype(proto.dtype)
        except TypeError as error:
            raise invalid(f"tensor parsing error: {name}") from error
        wanted = tf.as_dtype(signature.inputs[name].dtype)
        if wanted != given:
            raise invalid(f"Expects arg[{i}] to be {dtype_text(wanted)} but {dtype_text(given)} is provided")


def check_images(inputs: Tensors, largest: int) -> None:
    """No string is an image of more than `largest` pixels, or one that doesn't tell how many it has."""
    for name, value in inputs.items():
        if value.dtype == object:
            for i, content in enumerate(value.ravel()):
                try:
                    size = image_size(content)
                except ValueError as error:
                    message = "Send a JPEG, PNG, GIF, BMP or WebP that a photo viewer opens"
                    raise invalid(f"image {i} of {name} is {error}. {message}") from error
                if math.prod(size) > largest:
                    told = f"image {i} of {name} has {' x '.join(map(str, size))} pixels"
                    raise invalid(f"{told}, more than the {largest} that this server takes")


def wanted_outputs(names: Sequence[str], signature: meta_graph_pb2.SignatureDef) -> list[str]:
    """The outputs of the filter, or all."""
    for i, name in enumerate(names):
        if name not in signature.outputs:
            message = f"output tensor alias not found in signature: {name}"
            raise invalid(f"{message} Outputs expected to be in the set {_set(sorted(signature.outputs))}.")
        if name in names[:i]:
            raise invalid(f"duplicate output tensor alias: {name}")
    return list(names) or list(signature.outputs)


def example_signature(servable: Servable, name: str, *, regress: bool) -> meta_graph_pb2.SignatureDef:
    """A signature that takes `inputs` and gives `outputs`, or `classes` and `scores`."""
    if name not in servable.signatures:
        raise invalid(f"No signature was found with the name: {name}")
    signature = servable.signatures[name]
    kind = "regression" if regress else "classification"
    if len(signature.inputs) != 1:
        raise invalid(f"Expected one input Tensor. Signature was: {signature}")
    if "inputs" not in signature.inputs:
        raise invalid(f"No {kind} inputs found in SignatureDef: {signature}")
    if regress:
        if len(signature.outputs) != 1:
            raise invalid(f"Expected one output. Signature was: {signature}")
        if "outputs" not in signature.outputs:
            raise invalid(f"No regression outputs found in SignatureDef: {signature}")
        return signature
    if not set(signature.outputs) & set(_CLASSIFY):
        message = 'Expected classification signature outputs to contain at least one of "classes" or "scores".'
        raise invalid(f"{message} Signature was: {signature}")
    return signature


def regressed(outputs: Tensors, count: int) -> list[float]:
    """A number an example."""
    values = outputs["outputs"]
    if values.ndim not in (1, 2) or (values.ndim == 2 and values.shape[1] != 1):
        message = "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got"
        raise invalid(f"{message} {_shape(values)}")
    if len(values) != count:
        raise invalid(f"Input batch size did not match output batch size: {count} vs. {len(values)}")
    if values.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {_type(values)}")
    return [float(value) for value in values.ravel()]


def classified(outputs: Tensors, count: int) -> list[list[tuple[str, float]]]:
    """Labels and scores of each example; "" and 0 where the model gives none."""
    columns = {name: outputs[name] for name in _CLASSIFY if name in outputs}
    for name, values in columns.items():
        if values.ndim != 2:
            raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_shape(values)}")
        wanted = {"classes": "DT_STRING", "scores": "DT_FLOAT"}[name]
        if _type(values) != wanted:
            raise invalid(f"Expected {name} Tensor of {wanted}. Got: {_type(values)}")
        if len(values) != count:
            raise invalid(f"Expected {name} output batch size of {count}. Got: {len(values)}")
    widths = [values.shape[1] for values in columns.values()]
    if len(set(widths)) > 1:
        raise invalid(f"Tensors class and score should match in dim_size(1). Got {widths[0]} vs. {widths[1]}")
    shape = (count, widths[0])
    labels = columns.get("classes", np.full(shape, b"", object))
    scores = columns.get("scores", np.zeros(shape, np.float32))
    return [
        [(label.decode("utf-8", "surrogateescape"), float(score)) for label, score in zip(*row, strict=True)]
        for row in zip(labels, scores, strict=True)
    ]


def _set(names: Sequence[str]) -> str:
    return "{" + ",".join(names) + "}"


def _shape(values: np.ndarray) -> str:
    return f"[{','.join(map(str, values.shape))}]"


def _type(values: np.ndarray) -> str:
    return str(types_pb2.DataType.Name(tf.as_dtype(values.dtype).as_datatype_enum))
