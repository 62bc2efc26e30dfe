"""Recorded requests that a server replays before it answers others: what is slow the first time is over then.

Messages are those of tensorflow_serving/servables/tensorflow/saved_model_warmup_util.cc and saved_model_warmup.cc.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import inference_pb2, input_pb2, model_pb2, predict_pb2, prediction_log_pb2

from zsltf.checks import fail
from zsltf.serving import examples, inference
from zsltf.serving.json_values import invalid
from zsltf.serving.servable import Servable
from zsltf.serving.status import RequestError
from zsltf.serving.tensor_protos import to_array

__all__ = ["WARMUP", "read_warmup", "replay", "write_warmup"]

WARMUP = "assets.extra/tf_serving_warmup_requests"
"""Where TensorFlow Serving looks for it in a version's folder."""
_MOST = 1000  # records that the binary takes
_UNSUPPORTED = prediction_log_pb2.PredictionLog.SESSION_RUN_LOG_FIELD_NUMBER
_METHODS = {"tensorflow/serving/classify": False, "tensorflow/serving/regress": True}


def write_warmup(version: Path, model: str, requests: Sequence[tuple[str, Mapping[str, np.ndarray]]]) -> None:
    """Write a TFRecord of PredictionLog into a version's folder.

    Args:
        version: the folder, a SavedModel.
        model: its name in requests.
        requests: signature and inputs, at most 1000.
    """
    if len(requests) > _MOST:
        fail("warmup", f"at most {_MOST} requests", str(len(requests)), "The server takes no more.")
    (version / WARMUP).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(version / WARMUP)) as writer:
        for signature, inputs in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = model, signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())


def read_warmup(version: Path) -> Iterator[prediction_log_pb2.PredictionLog]:
    """Each record; none where there is no file.

    Raises:
        RequestError: if it is no TFRecord of PredictionLog, or has more than 1000.
    """
    path = str(version / WARMUP)
    if not (version / WARMUP).is_file():
        return
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(path).as_numpy_iterator()):
            if number == _MOST:
                raise invalid(f"Number of warmup records exceeds the maximum ({_MOST}) at {path}")
            yield prediction_log_pb2.PredictionLog.FromString(record)
    except tf.errors.DataLossError as error:
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise RequestError(grpc.StatusCode.DATA_LOSS, message) from error
    except DecodeError as error:
        raise invalid(f"Failed to parse warmup record: {record.decode('utf-8', 'replace')} from {path}") from error


def replay(servable: Servable, version: Path) -> None:
    """Run each record as a request of its kind; what fails, fails the version.

    Raises:
        RequestError: if a record is no request of this model's, or of a kind that isn't replayed.
    """
    for log in read_warmup(version):
        kind = log.WhichOneof("log_type")
        if kind == "predict_log":
            _predict(servable, log.predict_log.request)
        elif kind == "classify_log":
            _by_examples(servable, log.classify_log.request.model_spec, log.classify_log.request.input, regress=False)
        elif kind == "regress_log":
            _by_examples(servable, log.regress_log.request.model_spec, log.regress_log.request.input, regress=True)
        elif kind == "multi_inference_log":
            _multi_inference(servable, log.multi_inference_log.request)
        elif kind == "session_run_log":
            message = f"Unsupported log_type for warmup: {_UNSUPPORTED}"
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message)


def _predict(servable: Servable, request: predict_pb2.PredictRequest) -> None:
    name = request.model_spec.signature_name or "serving_default"
    if name not in servable.signatures:
        raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    signature = servable.signatures[name]
    inference.check_inputs(list(request.inputs), signature)
    sent, defaults = request.inputs, signature.defaults
    inputs = {key: to_array(sent[key] if key in sent else defaults[key]) for key in signature.inputs}
    inference.check_types(inputs, signature)
    servable.run(name, inputs, inference.wanted_outputs(request.output_filter, signature))


def _by_examples(servable: Servable, spec: model_pb2.ModelSpec, given: input_pb2.Input, *, regress: bool) -> None:
    name = spec.signature_name or "serving_default"
    signature = inference.example_signature(servable, name, regress=regress)
    rows = examples.of_input(given)
    outputs = servable.run(name, {"inputs": rows}, list(signature.outputs))
    (inference.regressed if regress else inference.classified)(outputs, len(rows))


def _multi_inference(servable: Servable, request: inference_pb2.MultiInferenceRequest) -> None:
    for task in request.tasks:
        if task.method_name not in _METHODS:
            message = f"Unsupported signature method_name: {task.method_name}"
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message)
        _by_examples(servable, task.model_spec, request.input, regress=_METHODS[task.method_name])
