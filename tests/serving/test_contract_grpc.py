"""TensorFlow Serving's gRPC contract, case by case; each names where it is from."""

import grpc
import pytest
import tensorflow as tf
from google.protobuf import json_format
from serving.contract_cases import GRPC
from serving.local_server import models_config, running
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from zsltf.serving.server import ServerOptions

REQUESTS = {
    "Predict": predict_pb2.PredictRequest,
    "Classify": classification_pb2.ClassificationRequest,
    "Regress": regression_pb2.RegressionRequest,
    "MultiInference": inference_pb2.MultiInferenceRequest,
    "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
    "HandleReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
}


@pytest.fixture(scope="module")
def channel(contract_config):
    options = ServerOptions(rest_port=None, grpc_port=0, labels_in_advance=True)
    with running(contract_config, options) as addresses, grpc.insecure_channel(addresses.grpc) as opened:
        yield opened


def model_spec(spec, target):
    target.SetInParent()
    for field in ("name", "signature_name", "version_label"):
        if field in spec:
            setattr(target, field, spec[field])
    if "version" in spec:
        target.version.value = spec["version"]


def tensor(described, target):
    target.dtype = types_pb2.DataType.Value(described["dtype"])
    target.tensor_shape.CopyFrom(tf.TensorShape(described.get("shape", [])).as_proto())
    if "tensor_content_hex" in described:
        target.tensor_content = bytes.fromhex(described["tensor_content_hex"])
    for field, values in described.items():
        if field.endswith("_val"):
            encoded = [v.encode() if isinstance(v, str) else v for v in values]
            getattr(target, field).extend(encoded)


def example(described, target):
    target.SetInParent()
    for name, feature in described.items():
        ((kind, values),) = feature.items()
        encoded = [v.encode() if isinstance(v, str) else v for v in values]
        getattr(target.features.feature[name], kind).value.extend(encoded)


def example_input(described, target):
    if "example_list" in described:
        target.example_list.SetInParent()
        for one in described["example_list"]:
            example(one, target.example_list.examples.add())
    if "example_list_with_context" in described:
        both = described["example_list_with_context"]
        example(both["context"], target.example_list_with_context.context)
        for one in both["examples"]:
            example(one, target.example_list_with_context.examples.add())


def request_of(rpc, described, places):
    request = REQUESTS[rpc]()
    if "model_spec" in described:
        model_spec(described["model_spec"], request.model_spec)
    for name, value in described.get("inputs", {}).items():
        tensor(value, request.inputs[name])
    if "input" in described:
        request.input.SetInParent()
        example_input(described["input"], request.input)
    for field in ("output_filter", "metadata_field"):
        if field in described:
            getattr(request, field).extend(described[field])
    for task in described.get("tasks", ()):
        added = request.tasks.add(method_name=task["method_name"])
        model_spec(task["model_spec"], added.model_spec)
    if "config" in described:
        config_proto(described["config"], request.config, places)
    return request


def config_proto(described, target, places):
    if "custom_model_config" in described:
        target.custom_model_config.SetInParent()
    if "model_config_list" not in described:
        return
    target.model_config_list.SetInParent()
    for model in described["model_config_list"]:
        given = target.model_config_list.config.add(name=model["name"])
        given.base_path = places.get(model.get("base_path"), model.get("base_path", ""))
        given.model_platform = model.get("model_platform", "")
        if "model_type" in model:
            given.model_type = model_server_config_pb2.ModelType.Value(model["model_type"])
        given.version_labels.update(model.get("version_labels", {}))


def test_there_are_enough_cases_with_their_sources():
    assert len(GRPC) >= 60
    assert all("tensorflow" in case["source"] for case in GRPC)


@pytest.mark.parametrize(
    "case", [case for case in GRPC if case["rpc"] != "HandleReloadConfigRequest"], ids=lambda c: c["name"]
)
def test_case(case, channel):
    check(case, channel, {})


@pytest.mark.parametrize(
    "case", [case for case in GRPC if case["rpc"] == "HandleReloadConfigRequest"], ids=lambda c: c["name"]
)
def test_reload(case, contract_bases, tmp_path):
    broken = tmp_path / "broken"
    (broken / "1").mkdir(parents=True)
    (broken / "1" / "saved_model.pb").write_bytes(b"broken")
    bases = {"$BASE": contract_bases["half_plus_two"], "$OTHER": contract_bases["ident_int32"], "$BROKEN": broken}
    in_advance = "allow_version_labels" in case.get("needs", "")
    config = models_config({"half_plus_two": contract_bases["half_plus_two"]})
    options = ServerOptions(rest_port=None, grpc_port=0, labels_in_advance=in_advance)
    with running(config, options) as addresses, grpc.insecure_channel(addresses.grpc) as opened:
        labelled = models_config(
            {"half_plus_two": contract_bases["half_plus_two"]}, {"half_plus_two": {"Version_Label": 123}}
        )
        service = model_service_pb2_grpc.ModelServiceStub(opened)
        service.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(config=labelled))
        check(case, opened, {name: str(path) for name, path in bases.items()})


def check(case, channel, places):
    stubs = (prediction_service_pb2_grpc.PredictionServiceStub, model_service_pb2_grpc.ModelServiceStub)
    stub = stubs[case["service"] == "ModelService"](channel)
    request = request_of(case["rpc"], case["request"], places)
    if case["code"] != "OK":
        with pytest.raises(grpc.RpcError) as raised:
            getattr(stub, case["rpc"])(request, timeout=120)
        assert raised.value.code().name == case["code"], raised.value.details()
        if "message" in case:
            assert raised.value.details() == case["message"]
        else:
            assert case["message_contains"] in raised.value.details()
        return
    assert answer_of(case["rpc"], getattr(stub, case["rpc"])(request, timeout=120)) == case["answer"]


def answer_of(rpc, answer):
    """The answer in the words of the cases."""
    found = {}
    if rpc in ("Predict", "Classify", "Regress", "GetModelMetadata"):
        found["model_spec"] = spec_of(answer.model_spec)
    if rpc == "Predict":
        found["outputs"] = {name: tensor_of(value) for name, value in answer.outputs.items()}
    elif rpc == "Classify":
        found["result"] = {"classifications": classifications_of(answer.result)}
    elif rpc == "Regress":
        found["result"] = {"regressions": [round(r.value, 6) for r in answer.result.regressions]}
    elif rpc == "MultiInference":
        found["results"] = [result_of(result) for result in answer.results]
    elif rpc == "GetModelMetadata":
        packed = answer.metadata["signature_def"]
        table = get_model_metadata_pb2.SignatureDefMap()
        assert packed.Unpack(table)
        names = sorted(table.signature_def)
        found["metadata"] = {"signature_def": {"type": packed.TypeName(), "signatures": names}}
    else:
        options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
        found = json_format.MessageToDict(answer, **options)
        found.pop("metric", None)  # of later versions of the message
        for status in found.get("model_version_status", ()):
            status["version"] = int(status["version"])
    return found


def spec_of(spec):
    return {"name": spec.name, "signature_name": spec.signature_name, "version": spec.version.value}


def tensor_of(proto):
    field = next(field.name for field, _ in proto.ListFields() if field.name.endswith("_val"))
    values = [v.decode() if isinstance(v, bytes) else v for v in getattr(proto, field)]
    shape = [dim.size for dim in proto.tensor_shape.dim]
    return {"dtype": types_pb2.DataType.Name(proto.dtype), field: values, "shape": shape}


def classifications_of(result):
    return [[{"label": c.label, "score": c.score} for c in row.classes] for row in result.classifications]


def result_of(result):
    found = {"model_spec": spec_of(result.model_spec)}
    if result.HasField("classification_result"):
        found["classification_result"] = classifications_of(result.classification_result)
    if result.HasField("regression_result"):
        found["regression_result"] = [regression.value for regression in result.regression_result.regressions]
    return found
