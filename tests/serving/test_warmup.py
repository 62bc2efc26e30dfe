"""Warmup records of every kind, as tensorflow_serving/servables/tensorflow/saved_model_warmup_util.cc treats them."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from zsltf.serving.servable import Servable, load
from zsltf.serving.status import RequestError
from zsltf.serving.warmup import WARMUP, replay, write_warmup


@pytest.fixture
def replayed(half_plus_two, tmp_path):
    """A function that replays records, and says which signatures ran with which inputs."""
    version = shutil.copytree(half_plus_two, tmp_path / "1")
    servable, ran = load(version), []

    def run(name, inputs, outputs):
        ran.append((name, sorted(inputs), len(next(iter(inputs.values()))), sorted(outputs)))
        return servable.run(name, inputs, outputs)

    def replay_all(*records, signatures=servable.signatures):
        (version / WARMUP).parent.mkdir(exist_ok=True)
        with tf.io.TFRecordWriter(str(version / WARMUP)) as writer:
            for record in records:
                writer.write(record if isinstance(record, bytes) else record.SerializeToString())
        replay(Servable(signatures=signatures, run=run), version)
        return ran

    yield replay_all
    servable.close()


def example(value):
    return tf.train.Example(features=tf.train.Features(feature={"x": feature(value)}))


def feature(value):
    return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))


def predict(signature="", **inputs):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = signature
    for name, value in inputs.items():
        log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(np.float32(value)))
    return log


def by_examples(kind, signature):
    log = prediction_log_pb2.PredictionLog()
    request = getattr(log, kind).request
    request.model_spec.signature_name = signature
    request.input.example_list.examples.extend([example(1.0), example(2.0)])
    return log


def multi_inference(*tasks):
    log = prediction_log_pb2.PredictionLog()
    request = log.multi_inference_log.request
    for signature, method in tasks:
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.signature_name = signature
    request.input.example_list.examples.append(example(1.0))
    return log


def test_each_kind_is_replayed_in_its_own_way(replayed):
    both = multi_inference(("regress_x_to_y", "regress"), ("classify_x_to_y", "classify"))
    assert replayed(
        predict(x=[[2.0]]),
        by_examples("classify_log", "classify_x_to_y"),
        by_examples("regress_log", "regress_x_to_y2"),
        both,
    ) == [
        ("serving_default", ["x"], 1, ["y"]),
        ("classify_x_to_y", ["inputs"], 2, ["scores"]),
        ("regress_x_to_y2", ["inputs"], 2, ["outputs"]),
        ("regress_x_to_y", ["inputs"], 1, ["outputs"]),
        ("classify_x_to_y", ["inputs"], 1, ["scores"]),
    ]


def test_an_input_that_is_left_out_has_its_default(replayed, half_plus_two):
    servable = load(half_plus_two)
    default = tf.make_tensor_proto(np.float32([[1.0], [2.0], [3.0]]))
    servable.signatures["serving_default"].defaults["x"].CopyFrom(default)
    servable.close()
    assert replayed(predict(), signatures=servable.signatures) == [("serving_default", ["x"], 3, ["y"])]


def test_a_record_without_a_log_is_skipped(replayed):
    assert replayed(prediction_log_pb2.PredictionLog()) == []


def test_a_file_without_a_record_is_none(replayed):
    assert replayed() == []


@pytest.mark.parametrize(
    ("record", "code", "message"),
    [
        (predict("nobody"), "FAILED_PRECONDITION", 'Serving signature key "nobody" not found.'),
        (predict(), "INVALID_ARGUMENT", "input size does not match signature: 0!=1"),
        (by_examples("classify_log", "serving_default"), "INVALID_ARGUMENT", "No classification inputs found"),
        (by_examples("regress_log", "nobody"), "INVALID_ARGUMENT", "No signature was found with the name: nobody"),
        (multi_inference(("regress_x_to_y", "predict")), "UNIMPLEMENTED", "Unsupported signature method_name"),
        (
            prediction_log_pb2.PredictionLog(session_run_log=prediction_log_pb2.SessionRunLog()),
            "UNIMPLEMENTED",
            "Unsupported log_type for warmup: 5",
        ),
        (b"\xff\xff", "INVALID_ARGUMENT", "Failed to parse warmup record: "),
    ],
)
def test_a_record_that_fails_fails_the_version(replayed, record, code, message):
    with pytest.raises(RequestError, match=message) as failed:
        replayed(predict(x=[[2.0]]), record)
    assert failed.value.code.name == code


def test_what_is_no_tfrecord_fails_the_version(half_plus_two, tmp_path):
    version = shutil.copytree(half_plus_two, tmp_path / "1")
    (version / WARMUP).parent.mkdir()
    (version / WARMUP).write_bytes(b"no TFRecord, but long enough for one")
    with pytest.raises(RequestError, match="Please verify your warmup data is in TFRecord format") as failed:
        replay(load(version), version)
    assert failed.value.code.name == "DATA_LOSS"


def test_more_than_1000_records_fail_the_version(replayed):
    assert len(replayed(*[predict(x=[[2.0]])] * 1000)) == 1000
    with pytest.raises(RequestError, match=r"Number of warmup records exceeds the maximum \(1000\) at .*requests"):
        replayed(*[predict(x=[[2.0]])] * 1001)


def test_too_many_warmup_records_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="warmup: expected at most 1000 requests, received 1001"):
        write_warmup(tmp_path, "m", [("s", {})] * 1001)
