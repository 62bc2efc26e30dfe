"""Clients of TensorFlow Serving's REST, for plain and for asynchronous code; without TensorFlow and gRPC."""

import asyncio
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

import httpx

from zsltf.checks import check_positive
from zsltf.serving.calls import Call
from zsltf.serving.rest_messages import document, outputs, predict_content
from zsltf.serving.target import Retries, ServerError, Target

__all__ = ["AsyncRestClient", "RestClient"]

T = TypeVar("T")
_Answer: TypeAlias = tuple[int, bytes]
_AGAIN = frozenset((429, 503))


class RestClient:
    """REST, blocking."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: Retries | None = None,
        verify: ssl.SSLContext | bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Connect when the first call is run.

        Args:
            url: of the server, such as http://127.0.0.1:8501.
            model: its name there.
            version: a number; by default the newest.
            label: of a version, instead of a number.
            timeout: seconds that a call may take with all of its attempts.
            retries: when to try once more.
            verify: how the server's certificate is checked.
            headers: that are sent with each call, such as a token.
        """
        check_positive("RestClient", timeout=timeout)
        self._target = Target(model=model, version=version, label=label)
        self._timeout, self._retries = timeout, retries or Retries()
        self._http = httpx.Client(base_url=url, verify=verify, headers=headers)

    def run(self, call: Call[T]) -> T:
        """Run a call.

        Raises:
            ServerError: if the server refuses it, is not there (UNAVAILABLE), or takes too long (DEADLINE_EXCEEDED).
        """
        deadline, pauses, posted = time.monotonic() + self._timeout, self._retries.pauses(), self.request(call)
        while True:
            outcome = self._ask("POST", posted["url"], deadline, posted["content"])
            pause = _pause(outcome, pauses, deadline)
            if pause is None:
                return call.read(outputs(*_answer(outcome)))
            time.sleep(pause)

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """The `url` below the server's, and the `content` that is posted there."""
        return _request(self._target, call)

    def status(self) -> dict[str, Any]:
        """The versions and their states."""
        return self._get(self._target.path)

    def metadata(self) -> dict[str, Any]:
        """The signatures."""
        return self._get(f"{self._target.path}/metadata")

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _get(self, path: str) -> dict[str, Any]:
        return document(*_answer(self._ask("GET", path, time.monotonic() + self._timeout)))

    def _ask(self, method: str, path: str, deadline: float, content: str | None = None) -> _Answer | ServerError:
        left = max(1e-3, deadline - time.monotonic())  # httpx waits as long for each part of an answer
        try:
            with self._http.stream(method, path, content=content, timeout=left) as answer:
                return answer.status_code, b"".join(_in_time(answer.iter_bytes(), deadline))
        except httpx.RequestError as error:
            return _server_error(error)


class AsyncRestClient:
    """REST, for asynchronous code."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: Retries | None = None,
        verify: ssl.SSLContext | bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Connect when the first call is run; arguments as RestClient's."""
        check_positive("AsyncRestClient", timeout=timeout)
        self._target = Target(model=model, version=version, label=label)
        self._timeout, self._retries = timeout, retries or Retries()
        self._http = httpx.AsyncClient(base_url=url, verify=verify, headers=headers, timeout=timeout)

    async def run(self, call: Call[T]) -> T:
        """As RestClient.run."""
        deadline, pauses, posted = time.monotonic() + self._timeout, self._retries.pauses(), self.request(call)
        while True:
            outcome = await self._ask(posted, deadline)
            pause = _pause(outcome, pauses, deadline)
            if pause is None:
                return call.read(outputs(*_answer(outcome)))
            await asyncio.sleep(pause)

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """As RestClient.request."""
        return _request(self._target, call)

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, posted: Mapping[str, Any], deadline: float) -> _Answer | ServerError:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                answer = await self._http.post(**posted)
        except (httpx.RequestError, TimeoutError) as error:
            return _server_error(error)
        return answer.status_code, answer.content


def _request(target: Target, call: Call[Any]) -> dict[str, Any]:
    return {"url": f"{target.path}:predict", "content": predict_content(call)}


def _in_time(parts: Iterable[bytes], deadline: float) -> Iterator[bytes]:
    for part in parts:
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("")
        yield part


def _pause(outcome: _Answer | ServerError, pauses: Iterator[float], deadline: float) -> float | None:
    """Before another attempt, where one is worth it and ends before the deadline."""
    if not isinstance(outcome, ServerError) and outcome[0] not in _AGAIN:
        return None
    pause = next(pauses, None)
    return None if pause is None or time.monotonic() + pause >= deadline else pause


def _server_error(error: Exception) -> ServerError:
    """As gRPC tells it."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return ServerError("DEADLINE_EXCEEDED", "no answer within the timeout")
    return ServerError("UNAVAILABLE", str(error))


def _answer(outcome: _Answer | ServerError) -> _Answer:
    if isinstance(outcome, ServerError):
        raise outcome
    return outcome
