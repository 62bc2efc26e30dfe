"""Recorded requests that a server replays before it answers others: what is slow the first time is over then."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from zsltf.checks import fail
from zsltf.serving.servable import Servable

__all__ = ["WARMUP", "read_warmup", "replay", "write_warmup"]

WARMUP = "assets.extra/tf_serving_warmup_requests"
"""Where TensorFlow Serving looks for it in a version's folder."""
_MOST = 1000  # records that the binary reads


def write_warmup(version: Path, model: str, requests: Sequence[tuple[str, Mapping[str, np.ndarray]]]) -> None:
    """Write a TFRecord of PredictionLog into a version's folder.

    Args:
        version: the folder, a SavedModel.
        model: its name in requests.
        requests: signature and inputs, at most 1000.
    """
    if len(requests) > _MOST:
        fail("warmup", f"at most {_MOST} requests", str(len(requests)), "The server reads no more.")
    (version / WARMUP).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(version / WARMUP)) as writer:
        for signature, inputs in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = model, signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())


def read_warmup(version: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Signature and inputs of each recorded Predict request; none where there is no file."""
    if not (version / WARMUP).is_file():
        return
    for record in tf.data.TFRecordDataset(str(version / WARMUP)).take(_MOST):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        yield request.model_spec.signature_name or "serving_default", inputs


def replay(servable: Servable, version: Path) -> None:
    """Run each of them; what fails, fails the version."""
    for signature, inputs in read_warmup(version):
        servable.run(signature, inputs, list(servable.signatures[signature].outputs))
