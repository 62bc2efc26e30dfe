"""Serve exported models on this machine, by TensorFlow Serving's protocol: for development and small deployments.

zsltf serve serving/                                      (the folder of zsltf export --format serving)
zsltf serve animals=runs/mine/export/saved_model          (or a .onnx, a .tflite, a folder of version folders)
zsltf serve runs/told/export/model.onnx encoder:onnx-text --tokenizer FILE        (the page takes sentences for classes)
"""

import asyncio
import contextlib
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from zsltf.checks import fail
from zsltf.discovery import one_of
from zsltf.serving.batching import BatchingOptions
from zsltf.serving.config import config_of
from zsltf.serving.page import Page
from zsltf.serving.page_files import page_files
from zsltf.serving.sentences import Sentences
from zsltf.serving.server import ServerOptions, serving
from zsltf.serving.status import RequestError


@dataclass(frozen=True, kw_only=True)
class Config:
    """REST and gRPC until SIGTERM or Ctrl-C; requests that are being answered then are answered."""

    models: tyro.conf.Positional[tuple[str, ...]]
    """NAME=PATH or PATH each: a SavedModel, a .onnx, a .tflite, a folder of versions, or of models.config."""
    server: tyro.conf.OmitArgPrefixes[ServerOptions] = field(default_factory=ServerOptions)
    enable_batching: bool = False
    """Join requests that arrive together, where a signature has one input."""
    batching: tyro.conf.OmitArgPrefixes[BatchingOptions] = field(default_factory=BatchingOptions)
    page: bool = True
    """Show a web page at / of REST, for exports whose classes are open."""
    encoder: Annotated[Any, one_of("text_encoders", "encoder", optional=True), tyro.conf.OmitArgPrefixes] = None
    """By which the page makes classes of sentences: the one that the models' semantics are of."""

    def __post_init__(self) -> None:
        if not self.models:
            fail("models", "one or more", "none", "Give the folder of zsltf export --format serving, for one.")


def main(config: Config) -> int:
    """Serve until a signal comes."""
    try:
        asyncio.run(_serve(config))
    except RequestError as error:
        print(f"zsltf serve: {error.message}", file=sys.stderr)
        return 1
    _leave_calls()
    return 0


async def _serve(config: Config) -> None:
    read = functools.partial(config_of, config.models)
    page, batching = _page(config), config.batching if config.enable_batching else None
    with _signals() as stop:
        async with serving(read, config.server, batching, page) as addresses:
            shown = page and f"{addresses.rest}/"
            for protocol, address in (("REST", addresses.rest), ("gRPC", addresses.grpc), ("page", shown)):
                if address:
                    print(f"{protocol}: {address}", flush=True)
            logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
            logging.getLogger("zsltf.serving").setLevel(logging.INFO)
            await stop.wait()
            print("stopping: requests that are being answered are answered", flush=True)


def _page(config: Config) -> Page | None:
    if not config.page or config.server.rest_port is None:
        if config.encoder is not None:
            fail("encoder", "the page, which it is for", "none", "Leave --no-page and --rest-port None out.")
        return None
    sentences = None if config.encoder is None else Sentences(config.encoder)
    return Page(files=page_files(Path(__file__).with_name("web")), sentences=sentences)


def _leave_calls() -> None:
    """TensorFlow stops no call that runs, and Python would wait for its thread."""
    for thread in threading.enumerate():
        if thread.name.startswith(("model", "load")):
            thread.join(1)
            if thread.is_alive():
                print("a call has not ended: it is left", flush=True)
                os._exit(0)


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """Set by SIGTERM or Ctrl-C, on Windows too; the second one ends the process at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def asked(number: int, _: Any) -> None:
        if stop.is_set():
            os._exit(128 + number)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
