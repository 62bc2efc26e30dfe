"""Bodies of HTTP requests: how many and how large they may be, alone and together, how long they take, and gzip."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator

import grpc
from aiohttp import HttpVersion11, web

from zsltf.serving.json_values import invalid
from zsltf.serving.status import RequestError

__all__ = ["Bodies", "when_it_is_read"]

_LARGEST_INFLATED = 10 * 2**20
"""As kMaxUncompressedBytes of tensorflow_serving/util/net_http/compression/gzip_zlib.h."""


class Bodies:
    """Those of requests that are answered at the same time.

    Args:
        largest: bytes of one.
        largest_sum: bytes of all.
        most: how many.
        timeout: seconds that one may take, from its first byte to its answer.
    """

    def __init__(self, largest: int, largest_sum: int, most: int = 1000, timeout: float | None = None) -> None:
        self._largest, self._largest_sum, self._most, self._timeout = largest, largest_sum, most, timeout
        self._held = self._open = 0

    @contextlib.asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body, which counts while the block runs; one that is too large is refused before it is sent.

        Raises:
            RequestError: if it is too large, too much is held, it doesn't arrive, or the block takes too long.
        """
        if self._open >= self._most:
            raise RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many requests")
        self._open += 1
        try:
            async with asyncio.timeout(self._timeout), self._counted(request) as body:
                yield body
        except TimeoutError as error:
            raise RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "Timed out") from error
        finally:
            self._open -= 1

    @contextlib.asynccontextmanager
    async def _counted(self, request: web.Request) -> AsyncIterator[bytes]:
        size = self._claimed(request)
        if size > self._largest:
            raise self._too_large(f", actual body size {size}")
        if self._held + size > self._largest_sum:
            raise RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many requests")
        self._held += size
        try:
            yield await self._received(request)
        finally:
            self._held -= size

    def _claimed(self, request: web.Request) -> int:
        if not request.body_exists:
            return 0
        return self._largest if request.content_length is None else request.content_length

    async def _received(self, request: web.Request) -> bytes:
        if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise self._too_large("") from error
        except ConnectionError as error:
            raise RequestError(grpc.StatusCode.CANCELLED, "The client left") from error
        except web.RequestPayloadError as error:
            raise invalid(f"Malformed body: {error}") from error
        if "gzip" in request.headers.get("Content-Encoding", ""):
            return await asyncio.to_thread(_inflated, body)
        return body

    def _too_large(self, actual: str) -> RequestError:
        message = f"Maximum request body size {self._largest} exceeded{actual}"
        return RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, message, http_status=413)


async def when_it_is_read(_: web.Request) -> None:
    """For routes: answer "Expect: 100-continue" then, not before the body's size is known to be taken."""


def _inflated(body: bytes) -> bytes:
    """Empty where it is no gzip, not all of it, or too large."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = inflater.decompress(body, _LARGEST_INFLATED + 1)
    except zlib.error:
        return b""
    return content if inflater.eof and len(content) <= _LARGEST_INFLATED else b""
