"""REST, by TensorFlow Serving's URLs, documents and messages.

Sources: tensorflow_serving/model_servers/{http_server,http_rest_api_handler,http_rest_api_util}.cc.
"""

import asyncio
import logging
import re
import time
from typing import Any
from urllib.parse import unquote

import grpc
import numpy as np
from aiohttp import web
from google.protobuf import json_format

from zsltf.serving import examples, inference
from zsltf.serving.json_inputs import read_inputs, signature_name
from zsltf.serving.json_outputs import write_outputs
from zsltf.serving.json_parsing import parse
from zsltf.serving.json_values import invalid, number_texts, printed
from zsltf.serving.metrics import Metrics
from zsltf.serving.models import Models
from zsltf.serving.status import RequestError
from zsltf.serving.versions import State, Version

__all__ = ["METRICS_PATH", "application"]

_LOG = logging.getLogger("zsltf.serving")
METRICS_PATH = "/monitoring/prometheus/metrics"

_CHOICE = r"(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
_POST = re.compile(rf"(?i)/v1/models/([^/:]+){_CHOICE}:(classify|regress|predict)")
_GET = re.compile(rf"(?i)/v1/models(?:/([^/:]+))?{_CHOICE}(?:/(metadata))?")
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
    most_requests: int = 1000,
) -> web.Application:
    """The server's side of REST.

    Args:
        models: what is served.
        metrics: counts; None shows no page.
        metrics_path: where the page is.
        cors: allow calls from pages of other origins.
        timeout: seconds that a call may take.
        largest_body: of a request, in bytes.
        most_requests: that are answered at the same time.
    """
    handler = _Handler(models, metrics, cors, timeout, most_requests)
    app = web.Application(client_max_size=largest_body)
    if metrics is not None:

        async def page(request: web.Request) -> web.Response:
            if request.query_string:
                return web.Response(status=400)
            return web.Response(text=metrics.text(), content_type="text/plain")

        app.router.add_route("*", metrics_path, page)
    app.router.add_route("*", "/{anything:.*}", handler.answer)
    return app


class _Handler:
    def __init__(
        self, models: Models, metrics: Metrics | None, cors: bool, timeout: float | None, most_requests: int
    ) -> None:
        self._models, self._metrics, self._cors, self._timeout = models, metrics, cors, timeout
        self._most_requests, self._open = most_requests, 0

    async def answer(self, request: web.Request) -> web.Response:
        """One request, whatever it is."""
        path = request.raw_path
        if not re.fullmatch(r"(?i)/v1/.*", path, re.DOTALL):
            page = "<html><body><h1>Not Found</h1></body></html>"
            return web.Response(status=404, text=page, content_type="text/html")
        headers = _CORS if self._cors else {}
        if request.method == "OPTIONS":
            origin = request.headers.get("Origin", "")
            return web.Response(status=200 if re.search("https?://", origin) else 400, headers=headers)
        start, found = time.perf_counter(), _POST.fullmatch(path) or _GET.fullmatch(path)
        model = unquote(found[1] or "") if found else ""
        self._open += 1
        try:
            call, body = await self._routed(request, path)
        except OverflowError:
            return web.Response(status=400, headers=headers)
        except Exception as error:  # noqa: BLE001 (whatever it is gets an answer)
            return self._failed(model, _as_request_error(error), headers)
        finally:
            self._open -= 1
        if self._metrics is not None:
            self._metrics.count(model, "OK")
            self._metrics.latency(model, call, "REST", 1e6 * (time.perf_counter() - start))
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _failed(self, model: str, error: RequestError, headers: dict[str, str]) -> web.Response:
        if self._metrics is not None:
            self._metrics.count(model, error.code.name)
        text = f'{{\n    "error": {printed(error.message)}\n}}'.encode("utf-8", "surrogateescape")
        return web.Response(body=text, status=error.http_status, content_type="application/json", headers=headers)

    async def _routed(self, request: web.Request, path: str) -> tuple[str, bytes]:
        if self._open > self._most_requests:
            raise RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many requests")
        malformed = invalid(f"Malformed request: {request.method} {path}")
        if request.method == "POST":
            found = _POST.fullmatch(path)
            if found is None or found[4] not in ("classify", "regress", "predict"):
                raise malformed
            name, number, label = _decoded(found)
            body = await request.read()
            work = self._predict if found[4] == "predict" else self._examples
            answer = await self._in_time(work(name, number, label, body, found[4]))
            return found[4], answer
        found = _GET.fullmatch(path) if request.method == "GET" else None
        if found is None:
            raise malformed
        if found[1] is None:
            raise invalid("Missing model name in request.")
        name, number, label = _decoded(found)
        return "", self._metadata(name, number, label) if found[4] == "metadata" else self._status(name, number)

    async def _in_time(self, work: Any) -> bytes:
        try:
            return await asyncio.wait_for(work, self._timeout)
        except TimeoutError as error:
            raise RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "Timed out") from error

    async def _predict(self, name: str, number: int | None, label: str | None, body: bytes, _: str) -> bytes:
        document = parse(body)
        signature = signature_name(document)
        version = self._models.version(name, number, label)
        with version.used() as servable:
            if signature not in servable.signatures:
                raise invalid(f'Serving signature name: "{signature}" not found in signature def')
            definition = servable.signatures[signature]
            if not definition.inputs:
                raise invalid(f"Failed to get input map for signature: {signature}")
            inputs, by_rows = read_inputs(document, definition)
            outputs = await self._models.run(version, signature, inputs, list(definition.outputs))
        if self._metrics is not None:
            first = next(iter(inputs.values()))
            self._metrics.examples(name, len(first) if first.ndim else 1)
        return write_outputs(outputs, by_rows=by_rows)

    async def _examples(self, name: str, number: int | None, label: str | None, body: bytes, verb: str) -> bytes:
        document = parse(body)
        signature, given = signature_name(document), examples.of_json(document)
        version = self._models.version(name, number, label)
        with version.used() as servable:
            definition = inference.example_signature(servable, signature, regress=verb == "regress")
            outputs = await self._models.run(version, signature, {"inputs": given}, list(definition.outputs))
        if verb == "regress":
            texts = number_texts(_floats(inference.regressed(outputs, len(given))))
            return f'{{\n    "results": [{", ".join(texts)}]\n}}'.encode()
        rows = []
        for row in inference.classified(outputs, len(given)):
            scores = number_texts(_floats([score for _, score in row]))
            pairs = (f"[{printed(text)}, {score}]" for (text, _), score in zip(row, scores, strict=True))
            rows.append(f"[{', '.join(pairs)}]")
        return f'{{\n    "results": [{", ".join(rows)}]\n}}'.encode("utf-8", "surrogateescape")

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


def _as_request_error(error: Exception) -> RequestError:
    """What the client is told; mistakes of ours are logged."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, error.text or "The request is too large")
    if isinstance(error, web.HTTPException | ValueError):
        return invalid(str(error))
    _LOG.exception("a request was not answered", exc_info=error)
    return RequestError(grpc.StatusCode.INTERNAL, "The server made a mistake; its log says which")


def _decoded(found: re.Match[str]) -> tuple[str, int | None, str | None]:
    """Model, version and label."""
    number = None if found[2] is None else int(found[2])
    if number is not None and number >= 2**63:
        raise OverflowError(found[2])
    return unquote(found[1]), number, None if found[3] is None else unquote(found[3])


def _floats(values: list[float]) -> np.ndarray:
    return np.array(values, np.float32)


def _state(version: Version) -> dict[str, Any]:
    failed = version.state is State.END and version.error
    status = {"error_code": "UNKNOWN" if failed else "OK", "error_message": version.error}
    return {"version": str(version.number), "state": version.state.name, "status": status}
