"""What every client needs: which model is meant, when to try again, and how a refusal is told."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from zsltf.checks import check_positive, fail
from zsltf.serving.calls import Call

__all__ = ["Retries", "ServerError", "Target"]


class ServerError(Exception):
    """What the server answered instead: its HTTP status or gRPC code, and its message.

    Over either protocol the status is UNAVAILABLE if there is no connection, and DEADLINE_EXCEEDED if the timeout ends
    before an answer.
    """

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
class Target:
    """Which model, and which version of it: a number, a label, or the newest."""

    model: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            fail(
                "version and label", "one of them", f"version {self.version} and label '{self.label}'", "Leave one out."
            )

    @property
    def path(self) -> str:
        """Below the server's URL."""
        chosen = "" if self.version is None else f"/versions/{self.version}"
        if self.label is not None:
            chosen = f"/labels/{quote(self.label, safe='')}"
        return f"/v1/models/{quote(self.model, safe='')}{chosen}"

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
