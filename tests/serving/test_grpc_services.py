"""What gRPC's services do beyond the contract's cases: roll-overs, defaults, and what is counted."""

import asyncio
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from serving.contract_models import write
from serving.local_server import models_config, running
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from zsltf.serving.grpc_services import PredictionService
from zsltf.serving.inference import check_inputs
from zsltf.serving.metrics import Metrics
from zsltf.serving.models import Models
from zsltf.serving.server import ServerOptions
from zsltf.serving.status import RequestError
from zsltf.serving.versions import State

v1 = tf.compat.v1


def with_defaults(base):
    """y = x + a + b, where a and b have defaults."""
    with tf.Graph().as_default(), v1.Session() as session:
        inputs = {name: v1.placeholder(tf.float32, None, name) for name in ("x", "a", "b")}
        infos = {name: v1.saved_model.utils.build_tensor_info(tensor) for name, tensor in inputs.items()}
        y = v1.saved_model.utils.build_tensor_info(tf.add_n(list(inputs.values())))
        method = "tensorflow/serving/predict"
        signature = v1.saved_model.signature_def_utils.build_signature_def(infos, {"y": y}, method)
        for name, value in (("a", 10.0), ("b", 100.0)):
            signature.defaults[name].CopyFrom(tf.make_tensor_proto(np.float32(value)))
        builder = v1.saved_model.Builder(str(base / "1"))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map={"serving_default": signature})
        builder.save()
    return signature


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Of half_plus_two."""
    found = tmp_path_factory.mktemp("half")
    write("half_plus_two", found)
    return found


@pytest.fixture
def addresses(base):
    with running(models_config({"half": base}), ServerOptions(rest_port=0, grpc_port=0)) as found:
        yield found


@pytest.fixture
def channel(addresses):
    with grpc.insecure_channel(addresses.grpc) as opened:
        yield opened


def two_tasks():
    request = inference_pb2.MultiInferenceRequest()
    for signature in ("regress_x_to_y", "regress_x_to_y2"):
        task = request.tasks.add(method_name="tensorflow/serving/regress")
        task.model_spec.name, task.model_spec.signature_name = "half", signature
    example = request.input.example_list.examples.add()
    example.features.feature["x"].float_list.value.append(2.0)
    return request


def test_a_version_is_held_for_all_tasks_of_a_multi_inference(base, monkeypatch):
    async def during_a_roll_over():
        with ThreadPoolExecutor(1) as executor:
            models = Models(executor)
            await models.configure(models_config({"half": base}))
            version, run, closing = models.version("half"), models.run, []

            async def run_and_roll(*given):
                outputs = await run(*given)
                if not closing:
                    closing.append(asyncio.create_task(models.close()))
                    while version.state is State.AVAILABLE:
                        await asyncio.sleep(0)
                    await asyncio.sleep(0.05)  # in which a version that nobody uses is closed
                return outputs

            monkeypatch.setattr(models, "run", run_and_roll)
            answer = await PredictionService(models, Metrics()).MultiInference(two_tasks(), None)
            await closing[0]
            return [result.regression_result.regressions[0].value for result in answer.results], version.state

    assert asyncio.run(during_a_roll_over()) == ([3.0, 4.0], State.END)


def test_an_input_with_a_default_may_be_left_out(tmp_path):
    with_defaults(tmp_path)
    expected = {("x",): 111.0, ("x", "a"): 102.0, ("b", "x"): 12.0, ("a", "b", "x"): 3.0}
    with (
        running(models_config({"m": tmp_path}), ServerOptions(rest_port=None, grpc_port=0)) as addresses,
        grpc.insecure_channel(addresses.grpc) as channel,
    ):
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for names, value in expected.items():
            request = predict_pb2.PredictRequest(inputs={name: tf.make_tensor_proto(1.0) for name in names})
            request.model_spec.name = "m"
            assert list(service.Predict(request, timeout=120).outputs["y"].float_val) == [value]
        with pytest.raises(grpc.RpcError) as refused:
            service.Predict(predict_pb2.PredictRequest(model_spec={"name": "m"}), timeout=120)
    told = "Signature input alias: x(feed name: x:0) not found in request and no default value provided. "
    told += "Inputs expected to be in the request {}, or default input alias set: a,b"
    assert refused.value.details() == told


def test_defaults_excuse_no_wrong_names(tmp_path):
    signature = with_defaults(tmp_path)
    with pytest.raises(RequestError, match="input tensor alias not found in signature: z"):
        check_inputs(["x", "z"], signature)
    with pytest.raises(RequestError, match="input size does not match signature: 4!=3"):
        check_inputs(["a", "b", "x", "z"], signature)


def page(addresses):
    """Series -> value."""
    with urllib.request.urlopen(f"{addresses.rest}/monitoring/prometheus/metrics", timeout=120) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    pairs = (line.removeprefix(":tensorflow:serving:").rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def refused(call, request):
    with pytest.raises(grpc.RpcError):
        call(request, timeout=120)


def test_names_that_are_not_served_do_not_grow_the_metrics_page(addresses, channel):
    service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    for name in ("a" * 1000, "b", "half"):
        refused(service.Predict, predict_pb2.PredictRequest(model_spec={"name": name}))
        refused(service.Classify, classification_pb2.ClassificationRequest(model_spec={"name": name}))
    counts = {name: value for name, value in page(addresses).items() if name.startswith("request_count")}
    assert counts == {
        'request_count{model_name="",status="NOT_FOUND"}': 4,
        'request_count{model_name="half",status="INVALID_ARGUMENT"}': 2,
    }


def test_what_the_binary_does_not_count_is_not_counted(addresses, channel, base):
    prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    service, spec = model_service_pb2_grpc.ModelServiceStub(channel), {"name": "half"}
    prediction.MultiInference(two_tasks(), timeout=120)
    metadata = {"model_spec": spec, "metadata_field": ["signature_def"]}
    prediction.GetModelMetadata(get_model_metadata_pb2.GetModelMetadataRequest(**metadata), timeout=120)
    service.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(model_spec=spec), timeout=120)
    reload = model_management_pb2.ReloadConfigRequest(config=models_config({"half": base}))
    service.HandleReloadConfigRequest(reload, timeout=120)
    refused(service.GetModelStatus, get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "no"}))
    assert not [name for name in page(addresses) if name.startswith(("request_count", "request_latency"))]


def test_runs_and_their_rows_are_counted(addresses, channel):
    service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    for rows in (1, 3):
        request = predict_pb2.PredictRequest(inputs={"x": tf.make_tensor_proto(np.ones((rows, 1), np.float32))})
        request.model_spec.name = "half"
        service.Predict(request, timeout=120)
    request = classification_pb2.ClassificationRequest(input=two_tasks().input)
    request.model_spec.name, request.model_spec.signature_name = "half", "classify_x_to_y"
    service.Classify(request, timeout=120)
    found = page(addresses)
    assert found['request_count{model_name="half",status="OK"}'] == 3
    assert found['request_example_count_total{model="half"}'] == 5
    counts = [found[f'request_example_counts_bucket{{model="half",le="{2**i}"}}'] for i in range(15)]
    assert counts == [2, 2, *[3] * 13]
    assert found['request_example_counts_sum{model="half"}'] == 5
    for api, runs in (("Predict", 2), ("Classify", 1)):
        labels = f'model_name="half",API="{api}",runtime="TF1"'
        assert found[f"runtime_latency_count{{{labels}}}"] == runs
        assert found[f'runtime_latency_bucket{{{labels},le="+Inf"}}'] == runs
        (latency,) = (found[name] for name in found if re.match(f'request_latency_sum.*API="{api}",.*"GRPC"', name))
        assert found[f"runtime_latency_sum{{{labels}}}"] <= latency
