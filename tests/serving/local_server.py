"""The local server in a thread of its own."""

import asyncio
import contextlib
import json
import threading
import time
import urllib.error
import urllib.request

from tensorflow_serving.config import model_server_config_pb2

from zsltf.serving.server import ServerOptions, serving


class Running:
    """A server that a test may call over the network."""

    def __init__(self, config, options=None, batching=None, page=None):
        self.loop = asyncio.new_event_loop()
        self.stop, self.started = asyncio.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(config, options, batching, page))
        self.error = None

    def _run(self, *given):
        async def main():
            try:
                async with serving(*given) as self.addresses:
                    self.started.set()
                    await self.stop.wait()
            except Exception as error:  # noqa: BLE001 (raised where it was started)
                self.error = error
                self.started.set()

        self.loop.run_until_complete(main())
        self.loop.close()

    def __enter__(self):
        self.thread.start()
        self.started.wait()
        if self.error is not None:
            self.thread.join()
            raise self.error
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()


@contextlib.contextmanager
def running(config, options=None, batching=None, page=None):
    with Running(config, options or ServerOptions(rest_port=0, grpc_port=0), batching, page) as server:
        yield server.addresses


def models_config(bases, labels=None, policies=None):
    """Name -> base path, as a ModelServerConfig."""
    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.SetInParent()
    for name, base in bases.items():
        given = config.model_config_list.config.add(name=name, base_path=str(base), model_platform="tensorflow")
        for number in (policies or {}).get(name, ()):
            given.model_version_policy.specific.versions.append(number)
        given.version_labels.update((labels or {}).get(name, {}))
    return config


def post(address, path, body, timeout=120):
    """Status and document."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"{address}/v1/models/{path}", data, timeout) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def states(address, name="m"):
    with urllib.request.urlopen(f"{address}/v1/models/{name}", timeout=120) as answer:  # noqa: S310
        entries = json.load(answer)["model_version_status"]
    return {int(entry["version"]): (entry["state"], entry["status"]["error_message"]) for entry in entries}


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.05)
