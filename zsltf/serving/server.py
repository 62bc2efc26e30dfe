"""The local server: REST and gRPC over the same folders as TensorFlow Serving's binary, in one event loop."""

import asyncio
import contextlib
import errno
import logging
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
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
from zsltf.serving.models import Models
from zsltf.serving.page import Page
from zsltf.serving.rest import METRICS_PATH, application

__all__ = ["Addresses", "ServerOptions", "serving"]

Config: TypeAlias = model_server_config_pb2.ModelServerConfig
_Stop: TypeAlias = Callable[[], Awaitable[None]]
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
    """How often base paths are looked at for versions, and config files for changes; 0 looks once."""
    threads: int = os.cpu_count() or 1
    """That run models."""
    labels_in_advance: bool = True
    """A new label may name a version that isn't loaded: --allow_version_labels_for_unavailable_models there."""
    largest_request: int = 2**26
    """Bytes."""
    largest_image: int = 10**8
    """Pixels that an encoded image may claim."""
    largest_requests: int = 2**29
    """Bytes of all bodies over REST that are there at the same time."""
    most_requests: int = 1000
    """Over either protocol at the same time; others are told that there are too many."""
    timeout: float = 30.0
    """Seconds that a call over REST may take; over gRPC the client's deadline counts."""
    cors: bool = False
    """Let pages of other origins call REST."""
    metrics: bool = True
    """Show the metrics page."""
    certificate: Path | None = None
    """PEM file for TLS, over both protocols."""
    key: Path | None = None
    """Its private key."""
    drain_seconds: float = 20.0
    """How long requests may go on after a stop; Kubernetes kills after 30."""

    def __post_init__(self) -> None:
        check_positive("ServerOptions", threads=self.threads, largest_request=self.largest_request)
        check_positive("ServerOptions", timeout=self.timeout, drain_seconds=self.drain_seconds)
        check_positive("ServerOptions", largest_image=self.largest_image, most_requests=self.most_requests)
        if (self.certificate is None) != (self.key is None):
            fail("ServerOptions", "a certificate and its key", "one of them", "Give both, or neither.")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                fail(str(file), "a PEM file", "none", "Check the path.")
        ports = [port for port in (self.rest_port, self.grpc_port) if port]
        if not all(0 < port < 2**16 for port in ports) or len(set(ports)) < len(ports):
            fail("ServerOptions", "two ports in 0..65535", f"{self.rest_port}, {self.grpc_port}", "Choose free ones.")


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where it listens."""

    rest: str | None
    grpc: str | None


@contextlib.asynccontextmanager
async def serving(
    config: Config | Callable[[], Config],
    options: ServerOptions | None = None,
    batching: BatchingOptions | None = None,
    page: Page | None = None,
) -> AsyncIterator[Addresses]:
    """Serve while the block runs; requests that are being answered when it ends are answered.

    Args:
        config: which models, or what reads that anew, so that a changed file counts.
        options: of the server.
        batching: options of the queues, or None.
        page: what REST shows at /, or None.

    Raises:
        RequestError: if a model does not become available.
        OSError: if a port is taken.
    """
    options = options or ServerOptions()
    read = config if callable(config) else lambda: config
    executor = ThreadPoolExecutor(options.threads, thread_name_prefix="model")
    models = Models(
        executor, batching, labels_in_advance=options.labels_in_advance, largest_image=options.largest_image
    )
    metrics, stops = Metrics(), list[_Stop]()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(executor.shutdown, wait=False)
        stack.push_async_callback(models.close)
        given = read()
        await models.configure(given)
        watcher = asyncio.create_task(_watch(models, given, read, options.poll_seconds))
        stack.push_async_callback(_cancelled, watcher)
        stack.push_async_callback(_all_stopped, stops)
        rest = await _rest(models, metrics, options, page, stops)
        yield Addresses(rest=rest, grpc=await _grpc(models, metrics, options, stops))


async def _rest(
    models: Models, metrics: Metrics, options: ServerOptions, page: Page | None, stops: list[_Stop]
) -> str | None:
    if options.rest_port is None:
        return None
    app = application(
        models,
        metrics=metrics if options.metrics else None,
        metrics_path=METRICS_PATH,
        cors=options.cors,
        timeout=options.timeout,
        largest_body=options.largest_request,
        largest_bodies=options.largest_requests,
        most_requests=options.most_requests,
        page=page,
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=options.drain_seconds)
    stops.append(runner.cleanup)
    await runner.setup()
    context = None
    if options.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    await web.TCPSite(runner, options.host, options.rest_port, ssl_context=context).start()
    host, port = runner.addresses[0][:2]
    return f"{'https' if context else 'http'}://{host}:{port}"


async def _grpc(models: Models, metrics: Metrics, options: ServerOptions, stops: list[_Stop]) -> str | None:
    if options.grpc_port is None:
        return None
    channel = {
        "grpc.max_receive_message_length": options.largest_request,
        "grpc.max_send_message_length": -1,
        "grpc.so_reuseport": 0,  # two servers would share the port, and each get some of the calls
    }
    server = grpc.aio.server(options=list(channel.items()), maximum_concurrent_rpcs=options.most_requests)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models, metrics, options.largest_request), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), server)
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    address = f"{options.host}:{options.grpc_port}"
    try:
        if options.certificate is None or options.key is None:
            port = server.add_insecure_port(address)
        else:
            pair = (options.key.read_bytes(), options.certificate.read_bytes())
            port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    except RuntimeError as error:
        raise OSError(errno.EADDRINUSE, f"gRPC can't listen on {address}; the port may be taken") from error

    async def stop() -> None:
        await state.enter_graceful_shutdown()
        await server.stop(options.drain_seconds)

    stops.append(stop)
    await server.start()
    await state.set("", health_pb2.HealthCheckResponse.SERVING)
    return f"{options.host}:{port}"


async def _watch(models: Models, given: Config, read: Callable[[], Config], seconds: float) -> None:
    """Look for another config, and for versions."""
    if seconds <= 0:
        return
    told = ""
    while True:
        await asyncio.sleep(seconds)
        try:
            await models.refresh()
            wanted = read()
            if wanted != given:
                await models.configure(wanted)
                given = wanted
            told = ""
        except Exception as error:  # noqa: BLE001 (whatever it is, what is served goes on)
            if str(error) != told:
                _LOG.warning("%s", error)
            told = str(error)


async def _all_stopped(stops: list[_Stop]) -> None:
    """Both protocols at once: neither takes requests while the other finishes its own."""
    await asyncio.gather(*(stop() for stop in stops))


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
