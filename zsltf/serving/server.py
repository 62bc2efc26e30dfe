"""The local server: REST and gRPC over the same folders as TensorFlow Serving's binary, in one event loop."""

import asyncio
import contextlib
import logging
import os
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import grpc.aio
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from zsltf.checks import check_positive, fail
from zsltf.serving.batching import BatchingOptions
from zsltf.serving.grpc_services import ModelService, PredictionService
from zsltf.serving.metrics import Metrics
from zsltf.serving.models import Models, read_config
from zsltf.serving.rest import METRICS_PATH, application
from zsltf.serving.status import RequestError

__all__ = ["Addresses", "ServerOptions", "serving"]

Config: TypeAlias = model_server_config_pb2.ModelServerConfig | Path
_LOG = logging.getLogger("zsltf.serving")


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How the server listens, and what it takes."""

    host: str = "127.0.0.1"
    """The interface; 0.0.0.0 answers other machines, too."""
    rest_port: int | None = 8501
    """0 takes a free one; None leaves REST out."""
    grpc_port: int | None = 8500
    """0 takes a free one; None leaves gRPC out."""
    poll_seconds: float = 1.0
    """How often base paths are looked at for versions; 0 looks once."""
    config_poll_seconds: float = 0.0
    """How often the file of the config is read again; 0 never."""
    threads: int = os.cpu_count() or 1
    """That load and run models."""
    labels_in_advance: bool = False
    """A new label may name a version that isn't loaded."""
    largest_request: int = 2**26
    """Bytes."""
    largest_image: int = 10**8
    """Pixels that an encoded image may claim."""
    most_requests: int = 1000
    """Over either protocol at the same time; others are told that there are too many."""
    timeout: float = 30.0
    """Seconds that a call over REST may take."""
    cors: bool = False
    """Let pages of other origins call REST."""
    metrics: bool = True
    """Show the metrics page."""
    certificate: Path | None = None
    """PEM file for TLS, over both protocols."""
    key: Path | None = None
    """Its private key."""
    drain_seconds: float = 30.0
    """How long requests may go on after a stop."""

    def __post_init__(self) -> None:
        check_positive("ServerOptions", threads=self.threads, largest_request=self.largest_request)
        check_positive("ServerOptions", timeout=self.timeout, drain_seconds=self.drain_seconds)
        check_positive("ServerOptions", largest_image=self.largest_image, most_requests=self.most_requests)
        if (self.certificate is None) != (self.key is None):
            fail("ServerOptions", "a certificate and its key", "one of them", "Give both, or neither.")


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where it listens."""

    rest: str | None
    grpc: str | None


@contextlib.asynccontextmanager
async def serving(
    config: Config,
    options: ServerOptions | None = None,
    batching: BatchingOptions | None = None,
) -> AsyncIterator[Addresses]:
    """Serve while the block runs; requests that are being answered when it ends are answered.

    Args:
        config: which models, or a file that says so.
        options: of the server.
        batching: options of the queues, or None.

    Raises:
        RequestError: if a model does not become available.
        OSError: if a port is taken.
    """
    options = options or ServerOptions()
    executor = ThreadPoolExecutor(options.threads, thread_name_prefix="model")
    models = Models(
        executor, batching, labels_in_advance=options.labels_in_advance, largest_image=options.largest_image
    )
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(executor.shutdown, wait=False)
        await models.configure(read_config(config) if isinstance(config, Path) else config)
        stack.push_async_callback(models.close)
        watcher = asyncio.create_task(_watch(models, config, options))
        stack.push_async_callback(_cancelled, watcher)
        rest = await stack.enter_async_context(_rest(models, metrics, options))
        grpc_address = await stack.enter_async_context(_grpc(models, metrics, options))
        yield Addresses(rest=rest, grpc=grpc_address)


@contextlib.asynccontextmanager
async def _rest(models: Models, metrics: Metrics, options: ServerOptions) -> AsyncIterator[str | None]:
    if options.rest_port is None:
        yield None
        return
    app = application(
        models,
        metrics=metrics if options.metrics else None,
        metrics_path=METRICS_PATH,
        cors=options.cors,
        timeout=options.timeout,
        largest_body=options.largest_request,
        most_requests=options.most_requests,
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=options.drain_seconds)
    await runner.setup()
    context = None
    if options.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    try:
        await web.TCPSite(runner, options.host, options.rest_port, ssl_context=context).start()
        host, port = runner.addresses[0][:2]
        yield f"{'https' if context else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _grpc(models: Models, metrics: Metrics, options: ServerOptions) -> AsyncIterator[str | None]:
    if options.grpc_port is None:
        yield None
        return
    limits = [("grpc.max_receive_message_length", options.largest_request), ("grpc.max_send_message_length", -1)]
    server = grpc.aio.server(options=limits, maximum_concurrent_rpcs=options.most_requests)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(models, metrics), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models, metrics), server)
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    address = f"{options.host}:{options.grpc_port}"
    if options.certificate is None or options.key is None:
        port = server.add_insecure_port(address)
    else:
        pair = (options.key.read_bytes(), options.certificate.read_bytes())
        port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    await server.start()
    await state.set("", health_pb2.HealthCheckResponse.SERVING)
    try:
        yield f"{options.host}:{port}"
    finally:
        await state.enter_graceful_shutdown()
        await server.stop(options.drain_seconds)


async def _watch(models: Models, config: Config, options: ServerOptions) -> None:
    """Look for versions, and for another config."""
    if options.poll_seconds <= 0 and options.config_poll_seconds <= 0:
        return
    since = 0.0
    pause = min(seconds for seconds in (options.poll_seconds, options.config_poll_seconds) if seconds > 0)
    while True:
        await asyncio.sleep(pause)
        since += pause
        try:
            if isinstance(config, Path) and 0 < options.config_poll_seconds <= since:
                since = 0.0
                await models.configure(read_config(config))
            elif options.poll_seconds > 0:
                await models.refresh()
        except (RequestError, OSError) as error:
            _LOG.warning("%s", error)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
