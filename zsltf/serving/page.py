"""The page at / of the server: its files, and what it asks of models besides TensorFlow Serving's protocol."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import grpc
from aiohttp import web

from zsltf.serving.http_bodies import Bodies, when_it_is_read
from zsltf.serving.json_values import invalid
from zsltf.serving.model_json import model_json
from zsltf.serving.models import Models
from zsltf.serving.page_files import CONTENT_TYPES
from zsltf.serving.sentences import Sentences
from zsltf.serving.servable import Described
from zsltf.serving.status import RequestError, as_request_error

__all__ = ["Page", "add_page"]

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",  # the page itself says what it may load
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_Work = Callable[[web.Request], Awaitable[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """What is shown."""

    files: Mapping[str, bytes]
    """By name; index.html is at /."""
    sentences: Sentences | None = None
    """Makes classes of sentences."""


def add_page(app: web.Application, page: Page, models: Models, bodies: Bodies) -> None:
    """Add its routes; every other path is left to those that come after.

    Args:
        app: the server's side of HTTP.
        page: what is shown.
        models: what is served.
        bodies: the limits of requests.
    """
    for name, content in page.files.items():
        shown = _file(name, content)
        for path in (f"/{name}", "/") if name == "index.html" else (f"/{name}",):
            app.router.add_get(path, shown)
    asked = _Asked(models, page.sentences, bodies)
    app.router.add_get("/model/models.json", _answered(asked.names))
    app.router.add_get("/model/model.json", _answered(asked.model))
    app.router.add_post("/model/sentence", _answered(asked.sentence), expect_handler=when_it_is_read)


class _Asked:
    """What the page asks; answers are JSON."""

    def __init__(self, models: Models, sentences: Sentences | None, bodies: Bodies) -> None:
        self._models, self._sentences, self._bodies = models, sentences, bodies

    async def names(self, _: web.Request) -> str:
        return json.dumps(self._shown())

    async def model(self, request: web.Request) -> str:
        name = request.query.get("model") or next(iter(self._shown()), "")
        return await self._with(name, self._told)

    async def sentence(self, request: web.Request) -> str:
        async with self._bodies.read(request) as body:
            asked = _document(body)
            if self._sentences is None:
                raise invalid("This server has no text encoder: start it with encoder:NAME after the models")
            sentences, words = self._sentences, asked["sentence"]
            return await self._with(
                asked["model"],
                lambda name, described: json.dumps(
                    {"semantics": sentences.semantics(words, described[0].columns).tolist()}
                ),
            )

    def _told(self, name: str, described: Described) -> str:
        fits = self._sentences is not None and self._sentences.fit(described[0].columns)
        return model_json(name, "server", *described, sentences=fits)

    def _shown(self) -> list[str]:
        """Names of the models that the page can run."""
        found = []
        for name in self._models.available():
            with self._models.version(name).used() as servable:
                found += [name] if servable.described else []
        return found

    async def _with(self, name: str, work: Callable[[str, Described], str]) -> str:
        """What is made of a model's card and table, in a thread."""
        if name not in self._shown():
            message = f"No model {name!r:.80} that the page can show: it takes exports of zsltf whose classes are open"
            raise RequestError(grpc.StatusCode.NOT_FOUND, message)
        with self._models.version(name).used() as servable:
            described: Any = servable.described
            return await asyncio.to_thread(lambda: work(name, described()))


def _document(body: bytes) -> dict[str, str]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not all(isinstance(asked.get(key), str) for key in ("model", "sentence")):
        raise invalid('Expected {"model": NAME, "sentence": TEXT}')
    return asked


def _file(name: str, content: bytes) -> Callable[[web.Request], Awaitable[web.Response]]:
    kind = CONTENT_TYPES[PurePath(name).suffix]

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=_HEADERS)

    return show


def _answered(work: _Work) -> Callable[[web.Request], Awaitable[web.Response]]:
    """JSON, or what was wrong with the request."""

    async def answer(request: web.Request) -> web.Response:
        status = 200
        try:
            text = await work(request)
        except Exception as error:  # noqa: BLE001 (whatever it is gets an answer)
            told = as_request_error(error)
            status, text = told.http_status, json.dumps({"error": told.message})
        return web.Response(text=text, status=status, content_type="application/json", headers=_HEADERS)

    return answer
