"""Clients of TensorFlow Serving's gRPC, for plain and for asynchronous code."""

import json
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from zsltf.checks import check_positive
from zsltf.serving.calls import Call
from zsltf.serving.target import Retries, ServerError, Target

__all__ = ["AsyncGrpcClient", "GrpcClient"]

T = TypeVar("T")
_MESSAGE_BYTES = 2**31 - 1


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
        self._target = Target(model=model, version=version, label=label)
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


def _arrays(answer: Any) -> dict[str, np.ndarray]:
    import tensorflow as tf

    return {name: tf.make_ndarray(tensor) for name, tensor in answer.outputs.items()}
