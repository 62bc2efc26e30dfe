"""How a gRPC method's outcome is told: to the client, and on the metrics page."""

import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from zsltf.serving.metrics import known_name
from zsltf.serving.status import RequestError

__all__ = ["answered", "counted"]

Method = Callable[..., Awaitable[Any]]
_LOG = logging.getLogger("zsltf.serving")
_LONGEST = 1024  # characters of a message


def answered(method: Method) -> Method:
    """The method, with its RequestErrors as gRPC's status, and a mistake of ours as INTERNAL."""

    @functools.wraps(method)
    async def call(self: Any, request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await method(self, request)
        except RequestError as error:
            message = error.message
            cut = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}...TRUNCATED"
            await context.abort(error.code, cut)
        except Exception:  # noqa: BLE001 (whatever it is gets an answer)
            _LOG.exception("%s", method.__name__)
            await context.abort(grpc.StatusCode.INTERNAL, "The server made a mistake; its log says which")

    return call


def counted(method: Method) -> Method:
    """The method, whose outcomes and latencies are counted under its model's name."""

    @functools.wraps(method)
    async def call(self: Any, request: Any) -> Any:
        start, name = time.perf_counter(), known_name(self.models, request.model_spec.name)
        try:
            answer = await method(self, request)
        except Exception as error:
            self.metrics.count(name, error.code.name if isinstance(error, RequestError) else "INTERNAL")
            raise
        self.metrics.count(name, "OK")
        self.metrics.latency(name, method.__name__, "GRPC", 1e6 * (time.perf_counter() - start))
        return answer

    return call
