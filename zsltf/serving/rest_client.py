"""Clients of TensorFlow Serving's REST, for plain and for asynchronous code; without TensorFlow and gRPC."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

import httpx
import numpy as np

from zsltf.checks import check_positive
from zsltf.serving.calls import Call
from zsltf.serving.target import Retries, ServerError, Target

__all__ = ["AsyncRestClient", "RestClient"]

T = TypeVar("T")
_Outcome: TypeAlias = httpx.Response | httpx.TransportError
_AGAIN = frozenset((429, 503))


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
        self._target = Target(model=model, version=version, label=label)
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
                outcome: _Outcome = self._http.post(**posted, timeout=max(1e-3, deadline - time.monotonic()))
            except httpx.TransportError as error:
                outcome = error
            pause = _pause(outcome, pauses, deadline)
            if pause is None:
                return call.read(_outputs(outcome))
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
                outcome: _Outcome = await self._http.post(**posted, timeout=max(1e-3, deadline - time.monotonic()))
            except httpx.TransportError as error:
                outcome = error
            pause = _pause(outcome, pauses, deadline)
            if pause is None:
                return call.read(_outputs(outcome))
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


def _pause(outcome: _Outcome, pauses: Iterator[float], deadline: float) -> float | None:
    """Before another attempt, where one is worth it and ends before the deadline."""
    if isinstance(outcome, httpx.Response) and outcome.status_code not in _AGAIN:
        return None
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


def _outputs(outcome: _Outcome) -> dict[str, np.ndarray]:
    """Of a Predict in column form: one output stands there without its name."""
    if isinstance(outcome, httpx.TransportError):
        raise outcome
    outputs = _content(outcome)["outputs"]
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
