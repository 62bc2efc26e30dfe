"""Clients of TensorFlow Serving's gRPC, for plain and for asynchronous code."""

import json
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from zsltf.checks import check_positive
from zsltf.serving.calls import Call
from zsltf.serving.target import Retries, ServerError, Target

if TYPE_CHECKING:
    import grpc

__all__ = ["AsyncGrpcClient", "GrpcClient"]

T = TypeVar("T")
_MESSAGE_BYTES = 2**31 - 1


class GrpcClient:
    """gRPC, blocking; gRPC itself tries again."""

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: Retries | None = None,
        credentials: "grpc.ChannelCredentials | None" = None,
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
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        check_positive("GrpcClient", timeout=timeout)
        self._target, self._timeout = Target(model=model, version=version, label=label), timeout
        self._channel = _channel(grpc, address, credentials, timeout, retries or Retries())
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def run(self, call: Call[T]) -> T:
        """Run a call.

        Raises:
            ServerError: if the server refuses it, is not there (UNAVAILABLE), or takes too long (DEADLINE_EXCEEDED).
        """
        return call.read(_arrays(self.send(self.request(call))))

    def request(self, call: Call[Any]) -> Any:
        """The PredictRequest of a call."""
        return self._target.request(call)

    def send(self, request: Any) -> Any:
        """Send a PredictRequest, and return the PredictResponse.

        Raises:
            ServerError: as `run`.
        """
        import grpc

        try:
            return self._service.Predict(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise ServerError(error.code().name, error.details() or "") from error

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncGrpcClient:
    """gRPC, for asynchronous code; to be made where an event loop runs."""

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: Retries | None = None,
        credentials: "grpc.ChannelCredentials | None" = None,
    ) -> None:
        """Connect when the first call is run; arguments as GrpcClient's."""
        import grpc.aio
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        check_positive("AsyncGrpcClient", timeout=timeout)
        self._target, self._timeout = Target(model=model, version=version, label=label), timeout
        self._channel = _channel(grpc.aio, address, credentials, timeout, retries or Retries())
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    async def run(self, call: Call[T]) -> T:
        """As GrpcClient.run."""
        import grpc.aio

        try:
            answer = await self._service.Predict(self.request(call), timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise ServerError(error.code().name, error.details() or "") from error
        return call.read(_arrays(answer))

    def request(self, call: Call[Any]) -> Any:
        """As GrpcClient.request."""
        return self._target.request(call)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


def _channel(kind: Any, address: str, credentials: Any, timeout: float, retries: Retries) -> Any:
    """Of grpc or grpc.aio. RESOURCE_EXHAUSTED isn't tried again: a message that is too large is told by it."""
    policy = {
        "maxAttempts": min(5, retries.attempts),  # gRPC's own limit
        "initialBackoff": f"{retries.first_pause:g}s",
        "maxBackoff": f"{max(1.0, timeout):g}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    methods = [{"name": [{"service": "tensorflow.serving.PredictionService"}], "retryPolicy": policy}]
    options = [
        ("grpc.service_config", json.dumps({"methodConfig": methods if retries.attempts > 1 else []})),
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    if credentials is None:
        return kind.insecure_channel(address, options=options)
    return kind.secure_channel(address, credentials, options=options)


def _arrays(answer: Any) -> dict[str, np.ndarray]:
    import tensorflow as tf

    return {name: tf.make_ndarray(tensor) for name, tensor in answer.outputs.items()}
