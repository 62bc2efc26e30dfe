"""Serve exported models on this machine, by TensorFlow Serving's protocol: for development and small deployments.

zsltf serve serving/                                      (the folder of zsltf export --format serving)
zsltf serve animals=runs/mine/export/saved_model          (or a .onnx, a .tflite, a folder of version folders)
"""

import asyncio
import signal
import sys
from dataclasses import dataclass, field

import tyro

from zsltf.checks import fail
from zsltf.serving.batching import BatchingOptions
from zsltf.serving.config import config_of
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
    return 0


async def _serve(config: Config) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    given = config_of(config.models)
    async with serving(given, config.server, config.batching if config.enable_batching else None) as addresses:
        for protocol, address in (("REST", addresses.rest), ("gRPC", addresses.grpc)):
            if address:
                print(f"{protocol}: {address}", flush=True)
        await stop.wait()
        print("stopping: requests that are being answered are answered", flush=True)


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
