"""REST, by TensorFlow Serving's URLs, documents and messages.

Sources: tensorflow_serving/model_servers/{http_server,http_rest_api_handler,http_rest_api_util}.cc.
"""

import logging
import re
import time
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from google.protobuf import json_format

from zsltf.serving.http_bodies import Bodies, when_it_is_read
from zsltf.serving.json_values import invalid, printed
from zsltf.serving.metrics import Metrics, known_name
from zsltf.serving.models import Models
from zsltf.serving.page import Page, add_page
from zsltf.serving.rest_calls import Chosen, on_examples, predict
from zsltf.serving.status import RequestError, as_request_error
from zsltf.serving.versions import State, Version

__all__ = ["METRICS_PATH", "application"]

_LOG = logging.getLogger("zsltf.serving")
METRICS_PATH = "/monitoring/prometheus/metrics"

_CHOICE = r"(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
_POST = re.compile(rf"(?i)/v1/models/([^/:]+){_CHOICE}:(classify|regress|predict)")
_GET = re.compile(rf"(?i)/v1/models(?:/([^/:]+))?{_CHOICE}(?:/(metadata))?")
_ORIGIN = re.compile(r"(?i)\Ahttps?://[^/?#]*")
"""Before the path, in requests that came through a proxy."""
_IDLE_SECONDS = 75.0
"""That a connection may take for the head of its next request."""
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}


def application(
    models: Models,
    *,
    metrics: Metrics | None = None,
    metrics_path: str = METRICS_PATH,
    cors: bool = False,
    timeout: float | None = 30.0,
    largest_body: int = 2**26,
    largest_bodies: int = 2**29,
    most_requests: int = 1000,
    page: Page | None = None,
) -> web.Application:
    """The server's side of REST.

    Args:
        models: what is served.
        metrics: counts; None shows no page.
        metrics_path: where the page is.
        cors: allow calls from pages of other origins.
        timeout: seconds that a call may take, from its first byte on.
        largest_body: of a request, in bytes.
        largest_bodies: of all requests that are answered at the same time, in bytes.
        most_requests: that are answered at the same time; states and metadata don't count.
        page: what is shown at /, where TensorFlow Serving has nothing; None for nothing.
    """
    bodies = Bodies(largest_body, largest_bodies, most_requests, timeout)
    handler = _Handler(models, metrics, cors, bodies)
    connections = {"auto_decompress": False, "keepalive_timeout": _IDLE_SECONDS, "logger": _connection_log()}
    app = web.Application(client_max_size=largest_body, handler_args=connections)
    app.on_response_prepare.append(_without_versions)
    if metrics is not None:

        async def shown(request: web.Request) -> web.Response:
            if request.query_string:
                return web.Response(status=400)
            return web.Response(text=metrics.text(), content_type="text/plain")

        app.router.add_route("*", metrics_path, shown)
    if page is not None:
        add_page(app, page, models, bodies)
    app.router.add_route("*", "/{anything:.*}", handler.answer, expect_handler=when_it_is_read)
    return app


class _Handler:
    def __init__(self, models: Models, metrics: Metrics | None, cors: bool, bodies: Bodies) -> None:
        self._models, self._metrics, self._cors, self._bodies = models, metrics, cors, bodies

    async def answer(self, request: web.Request) -> web.Response:
        """One request, whatever it is."""
        path = _ORIGIN.sub("", request.raw_path)
        if not re.fullmatch(r"(?i)/v1/.*", path, re.DOTALL):
            page = "<html><body><h1>Not Found</h1></body></html>"
            return web.Response(status=404, text=page, content_type="text/html")
        headers = _CORS if self._cors else {}
        if request.method == "OPTIONS":
            origin = request.headers.get("Origin", "")
            return web.Response(status=200 if re.search("https?://", origin) else 400, headers=headers)
        start, found = time.perf_counter(), _matched(request.method, path)
        model = unquote(found[1] or "") if found else ""
        try:
            if found is None:
                raise invalid(f"Malformed request: {request.method} {path}")
            body = await self._posted(request, found) if request.method == "POST" else self._got(found)
        except OverflowError:
            return web.Response(status=400, headers=headers)
        except Exception as error:  # noqa: BLE001 (whatever it is gets an answer)
            return self._failed(model, as_request_error(error), headers)
        if self._metrics is not None:
            call = found[4] if request.method == "POST" else ""
            name = known_name(self._models, model)
            self._metrics.count(name, "OK")
            self._metrics.latency(name, call, "REST", 1e6 * (time.perf_counter() - start))
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _failed(self, model: str, error: RequestError, headers: dict[str, str]) -> web.Response:
        if self._metrics is not None:
            self._metrics.count(known_name(self._models, model), error.code.name)
        text = f'{{\n    "error": {printed(error.message)}\n}}'.encode("utf-8", "surrogateescape")
        return web.Response(body=text, status=error.http_status, content_type="application/json", headers=headers)

    async def _posted(self, request: web.Request, found: re.Match[str]) -> bytes:
        given = _decoded(found)
        async with self._bodies.read(request) as body:
            if found[4] == "predict":
                return await predict(self._models, self._metrics, given, body)
            return await on_examples(self._models, self._metrics, given, body, regress=found[4] == "regress")

    def _got(self, found: re.Match[str]) -> bytes:
        if found[1] is None:
            raise invalid("Missing model name in request.")
        name, number, label = _decoded(found)
        return self._metadata(name, number, label) if found[4] == "metadata" else self._status(name, number)

    def _status(self, name: str, number: int | None) -> bytes:
        entries = [_state(version) for version in self._models.tracked(name, number)]
        return printed({"model_version_status": entries}).encode()

    def _metadata(self, name: str, number: int | None, label: str | None) -> bytes:
        version = self._models.version(name, number, label)
        with version.used() as servable:
            signatures = {
                key: json_format.MessageToDict(
                    value, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
                )
                for key, value in servable.signatures.items()
            }
        spec = {"name": name, "signature_name": "", "version": str(version.number)}
        return printed({"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}).encode()


def _matched(method: str, path: str) -> re.Match[str] | None:
    found = {"POST": _POST, "GET": _GET}[method].fullmatch(path) if method in ("POST", "GET") else None
    return None if found and method == "POST" and found[4] != found[4].lower() else found


async def _without_versions(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)


def _connection_log() -> logging.Logger:
    """Of what the HTTP server itself says, but for requests that are no HTTP."""
    log = _LOG.getChild("http")
    log.addFilter(_is_no_malformed_request)
    return log


def _is_no_malformed_request(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _decoded(found: re.Match[str]) -> Chosen:
    number = None if found[2] is None else int(found[2])
    if number is not None and number >= 2**63:
        raise OverflowError(found[2])
    return unquote(found[1]), number, None if found[3] is None else unquote(found[3])


def _state(version: Version) -> dict[str, Any]:
    failed = version.state is State.END and version.error
    status = {"error_code": "UNKNOWN" if failed else "OK", "error_message": version.error}
    return {"version": str(version.number), "state": version.state.name, "status": status}
