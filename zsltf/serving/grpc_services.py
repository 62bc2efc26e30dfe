"""gRPC: TensorFlow Serving's PredictionService and ModelService.

Messages are those of tensorflow_serving/servables/tensorflow and model_servers there; they are cut as there.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio
import numpy as np
from google.protobuf import any_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from zsltf.serving import examples, inference
from zsltf.serving.grpc_answers import answered, counted
from zsltf.serving.json_values import invalid
from zsltf.serving.metrics import Metrics, counted_run
from zsltf.serving.models import Models
from zsltf.serving.servable import Tensors
from zsltf.serving.status import RequestError
from zsltf.serving.tensor_protos import LARGEST_REPEAT, SMALL, from_array, is_large, to_array
from zsltf.serving.versions import State, Version

__all__ = ["ModelService", "PredictionService"]


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress, MultiInference and GetModelMetadata.

    Args:
        models: what is served.
        metrics: counts.
        largest_repeat: bytes that a value which a tensor repeats may fill.
    """

    def __init__(self, models: Models, metrics: Metrics, largest_repeat: int = LARGEST_REPEAT) -> None:
        self.models, self.metrics, self._largest_repeat = models, metrics, largest_repeat

    @answered
    @counted
    async def Predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:  # noqa: N802
        version, name = self._chosen(request)
        with version.used() as servable:
            if name not in servable.signatures:
                message = f'Serving signature key "{name}" not found.'
                raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, message)
            signature = servable.signatures[name]
            inference.check_inputs(list(request.inputs), signature)
            sent, defaults = request.inputs, signature.defaults
            protos = {key: sent[key] if key in sent else defaults[key] for key in signature.inputs}
            inference.check_types(protos, signature)
            inputs = {key: await self._array(key, proto) for key, proto in protos.items()}
            wanted = inference.wanted_outputs(request.output_filter, signature)
            outputs = await self._run("Predict", request.model_spec.name, version, name, inputs, wanted)
        answer = predict_pb2.PredictResponse(model_spec=_spec(request.model_spec.name, version, name))
        for key, value in outputs.items():
            large = value.size > SMALL
            answer.outputs[key].CopyFrom(await asyncio.to_thread(from_array, value) if large else from_array(value))
        return answer

    @answered
    @counted
    async def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest
    ) -> classification_pb2.ClassificationResponse:
        version, name = self._chosen(request)
        result = await self._classify(request.model_spec.name, version, name, request.input)
        spec = _spec(request.model_spec.name, version, name)
        return classification_pb2.ClassificationResponse(model_spec=spec, result=result)

    @answered
    @counted
    async def Regress(self, request: regression_pb2.RegressionRequest) -> regression_pb2.RegressionResponse:  # noqa: N802
        version, name = self._chosen(request)
        result = await self._regress(request.model_spec.name, version, name, request.input)
        spec = _spec(request.model_spec.name, version, name)
        return regression_pb2.RegressionResponse(model_spec=spec, result=result)

    @answered
    async def MultiInference(  # noqa: N802
        self, request: inference_pb2.MultiInferenceRequest
    ) -> inference_pb2.MultiInferenceResponse:
        names = [task.model_spec.name for task in request.tasks]
        version = self.models.version(names[0] if names else "", *_version_of(request.tasks[0]) if names else ())
        answer, seen = inference_pb2.MultiInferenceResponse(), set[str]()
        with version.used() as servable:
            for task in request.tasks:
                spec, name = task.model_spec, task.model_spec.signature_name or "serving_default"
                if not spec.name:
                    raise invalid("Found ModelSpec with an empty model name.")
                if spec.name != names[0]:
                    raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
                if name in seen:
                    raise invalid(f"Duplicate evaluation of signature: {name}")
                seen.add(name)
                if name not in servable.signatures:
                    raise invalid(f"Requested signature not found in model graph: {name}")
                given, result = (spec.name, version, name, request.input), answer.results.add()
                result.model_spec.CopyFrom(_spec(spec.name, version, name))
                if task.method_name == "tensorflow/serving/classify":
                    result.classification_result.CopyFrom(await self._classify(*given))
                elif task.method_name == "tensorflow/serving/regress":
                    result.regression_result.CopyFrom(await self._regress(*given))
                else:
                    message = f"Unsupported signature method_name: {task.method_name}"
                    raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message)
        return answer

    @answered
    async def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid(f"Metadata field {field} is not supported")
        version, _ = self._chosen(request)
        with version.used() as servable:
            table = get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signatures)
        packed = any_pb2.Any()
        packed.Pack(table)
        spec = model_pb2.ModelSpec(name=request.model_spec.name)
        spec.version.value = version.number
        return get_model_metadata_pb2.GetModelMetadataResponse(model_spec=spec, metadata={"signature_def": packed})

    async def _array(self, name: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
        """A message's tensor; a large one is read by another thread."""
        given = proto, self._largest_repeat
        try:
            return await asyncio.to_thread(to_array, *given) if is_large(proto) else to_array(*given)
        except (ValueError, TypeError, OverflowError, MemoryError) as error:
            raise invalid(f"tensor parsing error: {name}") from error

    def _chosen(self, request: Any) -> tuple[Version, str]:
        """The version and the signature that a request names."""
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        version = self.models.version(request.model_spec.name, *_version_of(request))
        return version, request.model_spec.signature_name or "serving_default"

    async def _run(
        self, call: str, model: str, version: Version, name: str, inputs: Tensors, outputs: Sequence[str]
    ) -> Tensors:
        """A signature's outputs; its time and its rows are counted."""
        return await counted_run(self.models, self.metrics, call, model, version, name, inputs, outputs)

    async def _classify(self, model: str, version: Version, name: str, given: Any) -> Any:
        with version.used() as servable:
            signature = inference.example_signature(servable, name, regress=False)
            rows = examples.of_input(given)
            outputs = await self._run("Classify", model, version, name, {"inputs": rows}, list(signature.outputs))
        result = classification_pb2.ClassificationResult()
        for row in inference.classified(outputs, len(rows)):
            classes = result.classifications.add()
            for label, score in row:
                classes.classes.add(label=label, score=score)
        return result

    async def _regress(self, model: str, version: Version, name: str, given: Any) -> Any:
        with version.used() as servable:
            signature = inference.example_signature(servable, name, regress=True)
            rows = examples.of_input(given)
            outputs = await self._run("Regress", model, version, name, {"inputs": rows}, list(signature.outputs))
        values = inference.regressed(outputs, len(rows))
        return regression_pb2.RegressionResult(regressions=[regression_pb2.Regression(value=v) for v in values])


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, models: Models) -> None:
        self.models = models

    @answered
    async def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        number = request.model_spec.version.value if request.model_spec.HasField("version") else None
        answer = get_model_status_pb2.GetModelStatusResponse()
        for version in self.models.tracked(request.model_spec.name, number):
            status = answer.model_version_status.add(version=version.number, state=int(version.state))
            if version.state is State.END and version.error:
                status.status.error_code, status.status.error_message = 2, version.error  # UNKNOWN
            else:
                status.status.error_code = 0
        return answer

    @answered
    async def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest
    ) -> model_management_pb2.ReloadConfigResponse:
        await self.models.configure(request.config)
        answer = model_management_pb2.ReloadConfigResponse()
        answer.status.error_code = 0
        return answer


def _version_of(request: Any) -> tuple[int | None, str | None]:
    spec = request.model_spec
    return spec.version.value if spec.HasField("version") else None, spec.version_label or None


def _spec(name: str, version: Version, signature: str) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    spec.version.value = version.number
    return spec
