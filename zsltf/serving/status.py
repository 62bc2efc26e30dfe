"""A request that failed, as both protocols tell it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import tensorflow as tf

__all__ = ["HTTP_STATUS", "RequestError", "as_request_error", "runtime_errors"]

_LOG = logging.getLogger("zsltf.serving")

HTTP_STATUS = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
"""What REST answers for a code; others are 500."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class RequestError(Exception):
    """A canonical code and the message that the client gets.

    Args:
        code: of gRPC.
        message: for the client.
        http_status: of REST's answer, where it isn't the code's.
    """

    def __init__(self, code: grpc.StatusCode, message: str, *, http_status: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.http_status = http_status or HTTP_STATUS.get(code, 500)


@contextmanager
def runtime_errors() -> Iterator[None]:
    """What a runtime raises on a client's numbers, as a RequestError."""
    try:
        yield
    except RequestError:
        raise
    except tf.errors.OpError as error:
        raise RequestError(_CODES.get(error.error_code, grpc.StatusCode.INTERNAL), str(error.message)) from error
    except (ValueError, TypeError) as error:
        raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error


def as_request_error(error: Exception) -> RequestError:
    """What the client is told; mistakes of ours are logged."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, ValueError):
        return RequestError(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    _LOG.exception("a request was not answered", exc_info=error)
    return RequestError(grpc.StatusCode.INTERNAL, "The server made a mistake; its log says which")
