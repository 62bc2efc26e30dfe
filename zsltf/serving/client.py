"""Typed clients of TensorFlow Serving's protocol: REST and gRPC, each for plain and for asynchronous code.

    with RestClient("http://127.0.0.1:8501", "animals") as client:
        for prediction in client.run(classify([Path("photo.jpg")])):
            print(prediction.label)

They run the calls of `zsltf.serving.calls`. REST needs neither TensorFlow nor gRPC.
"""

import asyncio
import base64
import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import numpy as np

from zsltf.checks import check_positive
from zsltf.serving.calls import Call

__all__ = ["AsyncGrpcClient", "AsyncRestClient", "GrpcClient", "RestClient", "Retries", "ServerError"]

T = TypeVar("T")
_AGAIN = frozenset((429, 503))
_MESSAGE_BYTES = 2**31 - 1


class ServerError(Exception):
    """What the server answered instead: its HTTP status or gRPC code, and its message."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Another attempt where the server is busy, starting or gone: each pause is twice as long, less a random part."""

    attempts: int = 4
    """In all, >= 1."""
    first_pause: float = 0.1
    """Seconds."""

    def __post_init__(self) -> None:
        check_positive("Retries", attempts=self.attempts, first_pause=self.first_pause)

    def pauses(self) -> Iterator[float]:
        """Between the attempts."""
        for number in range(self.attempts - 1):
            yield self.first_pause * 2**number * random.uniform(0.5, 1)  # noqa: S311 (not a secret)


@dataclass(frozen=True, kw_only=True)
class _Target:
    """Which model, and which version of it: a number, a label, or the newest."""

    model: str
    version: int | None = None
    label: str | None = None

    @property
    def path(self) -> str:
        chosen = "" if self.version is None else f"/versions/{self.version}"
        return f"/v1/models/{self.model}{chosen if self.label is None else f'/labels/{self.label}'}"

    def request(self, call: Call[Any]) -> Any:
        """The proto of a gRPC request."""
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, call.signature
        if self.version is not None:
            request.model_spec.version.value = self.version
        if self.label is not None:
            request.model_spec.version_label = self.label
        for name, value in call.inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return request


class _Rest:
    """What both REST clients have."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: Retries | None = None,
        **options: Any,
    ) -> None:
        """Connect when the first call is run.

        Args:
            url: of the server, such as http://127.0.0.1:8501.
            model: its name there.
            version: a number; by default the newest.
            label: of a version, instead of a number.
            timeout: seconds that a call may take with all of its attempts.
            retries: when to try once more.
            options: of httpx's client, such as `verify` and `headers`.
        """
        check_positive(type(self).__name__, timeout=timeout)
        self._target = _Target(model=model, version=version, label=label)
        self._timeout, self._retries = timeout, retries or Retries()
        self._options = {"base_url": url, **options}

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """The `url` below the server's, and the `content` that is posted there."""
        content = {"signature_name": call.signature, "inputs": {n: _as_json(v) for n, v in call.inputs.items()}}
        return {"url": f"{self._target.path}:predict", "content": json.dumps(content)}


class RestClient(_Rest):
    """REST, blocking."""

    def __init__(self, url: str, model: str, **options: Any) -> None:
        super().__init__(url, model, **options)
        self._http = httpx.Client(**self._options)

    def run(self, call: Call[T]) -> T:
        """Run a call.

        Raises:
            ServerError: if the server refuses it.
            httpx.HTTPError: if there is no answer within the timeout.
        """
        deadline, pauses, posted = time.monotonic() + self._timeout, self._retries.pauses(), self.request(call)
        while True:
            try:
                answer = self._http.post(**posted, timeout=max(1e-3, deadline - time.monotonic()))
            except httpx.TransportError:
                pause = _next(pauses, deadline)
                if pause is None:
                    raise
            else:
                pause = _next(pauses, deadline) if answer.status_code in _AGAIN else None
                if pause is None:
                    return call.read(_outputs(answer))
            time.sleep(pause)

    def status(self) -> dict[str, Any]:
        """The versions and their states."""
        return _content(self._http.get(self._target.path, timeout=self._timeout))

    def metadata(self) -> dict[str, Any]:
        """The signatures."""
        return _content(self._http.get(f"{self._target.path}/metadata", timeout=self._timeout))

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncRestClient(_Rest):
    """REST, for asynchronous code."""

    def __init__(self, url: str, model: str, **options: Any) -> None:
        super().__init__(url, model, **options)
        self._http = httpx.AsyncClient(**self._options)

    async def run(self, call: Call[T]) -> T:
        """As RestClient.run."""
        deadline, pauses, posted = time.monotonic() + self._timeout, self._retries.pauses(), self.request(call)
        while True:
            try:
                answer = await self._http.post(**posted, timeout=max(1e-3, deadline - time.monotonic()))
            except httpx.TransportError:
                pause = _next(pauses, deadline)
                if pause is None:
                    raise
            else:
                pause = _next(pauses, deadline) if answer.status_code in _AGAIN else None
                if pause is None:
                    return call.read(_outputs(answer))
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


class _Grpc:
    """What both gRPC clients have; gRPC itself tries again."""

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: Retries | None = None,
        credentials: Any = None,
    ) -> None:
        """Connect when the first call is run.

        Args:
            address: HOST:PORT.
            model: its name there.
            version: a number; by default the newest.
            label: of a version, instead of a number.
            timeout: seconds that a call may take with all of its attempts.
            retries: when to try once more.
            credentials: grpc.ssl_channel_credentials(...); by default the connection is plain.
        """
        check_positive(type(self).__name__, timeout=timeout)
        self._target = _Target(model=model, version=version, label=label)
        self._timeout, self._address, self._credentials = timeout, address, credentials
        chosen = retries or Retries()
        policy = {
            "maxAttempts": min(5, chosen.attempts),  # gRPC's own limit
            "initialBackoff": f"{chosen.first_pause:g}s",
            "maxBackoff": f"{max(1.0, timeout):g}s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
        }
        methods = [{"name": [{"service": "tensorflow.serving.PredictionService"}], "retryPolicy": policy}]
        self._channel_options = [
            ("grpc.service_config", json.dumps({"methodConfig": methods if chosen.attempts > 1 else []})),
            ("grpc.max_receive_message_length", _MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MESSAGE_BYTES),
        ]

    def request(self, call: Call[Any]) -> Any:
        """The PredictRequest of a call."""
        return self._target.request(call)

    def _channel(self, grpc: Any) -> Any:
        if self._credentials is None:
            return grpc.insecure_channel(self._address, options=self._channel_options)
        return grpc.secure_channel(self._address, self._credentials, options=self._channel_options)


class GrpcClient(_Grpc):
    """gRPC, blocking."""

    def __init__(self, address: str, model: str, **options: Any) -> None:
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        super().__init__(address, model, **options)
        self._opened = self._channel(grpc)
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(self._opened)

    def run(self, call: Call[T]) -> T:
        """Run a call.

        Raises:
            ServerError: if the server refuses it, or there is no answer within the timeout.
        """
        return call.read(_arrays(self.send(self.request(call))))

    def send(self, request: Any) -> Any:
        """Send a PredictRequest, and return the PredictResponse.

        Raises:
            ServerError: as `run`.
        """
        import grpc

        try:
            return self._service.Predict(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise ServerError(error.code().name, error.details()) from error

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncGrpcClient(_Grpc):
    """gRPC, for asynchronous code; to be made where an event loop runs."""

    def __init__(self, address: str, model: str, **options: Any) -> None:
        import grpc.aio
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        super().__init__(address, model, **options)
        self._opened = self._channel(grpc.aio)
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(self._opened)

    async def run(self, call: Call[T]) -> T:
        """As GrpcClient.run."""
        import grpc.aio

        try:
            answer = await self._service.Predict(self.request(call), timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise ServerError(error.code().name, error.details() or "") from error
        return call.read(_arrays(answer))

    async def close(self) -> None:
        """Close the connection."""
        await self._opened.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


def _next(pauses: Iterator[float], deadline: float) -> float | None:
    """The next pause, where there is one that ends before the deadline."""
    pause = next(pauses, None)
    return None if pause is None or time.monotonic() + pause >= deadline else pause


def _as_json(value: np.ndarray) -> Any:
    if value.dtype == object:
        return [{"b64": base64.b64encode(entry).decode("ascii")} for entry in value]
    return value.tolist()


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = {"error": answer.text[:500]}
    if answer.status_code != 200 or "error" in content:
        raise ServerError(str(answer.status_code), str(content.get("error", answer.text[:500])))
    return content


def _outputs(answer: httpx.Response) -> dict[str, np.ndarray]:
    """Of a Predict in column form: one output stands there without its name."""
    outputs = _content(answer)["outputs"]
    named = outputs if isinstance(outputs, Mapping) else {"": outputs}
    return _Named({name: _from_json(value) for name, value in named.items()})


class _Named(dict[str, np.ndarray]):
    """Outputs by name; the only one answers to any."""

    def __missing__(self, name: str) -> np.ndarray:
        return self[""]


def _from_json(value: Any) -> np.ndarray:
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, str):
        return np.array([entry.encode("utf-8") for entry in value], object)
    return np.array(value, np.float32)


def _arrays(answer: Any) -> dict[str, np.ndarray]:
    import tensorflow as tf

    return {name: tf.make_ndarray(tensor) for name, tensor in answer.outputs.items()}
