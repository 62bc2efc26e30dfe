"""What the local server costs beside the model that it serves, in one run; print the figures as a Markdown table.

python tests/benchmarks/serving_load.py

ResNet50 at 224 px (random weights): the server's CPU time an image against the same SavedModel called in this process
in batches, and its throughput against calls of one image. The mean colour as a model: CPU time a request, and encoded
photos against JSON numbers. Threads of TensorFlow are the machine's cores on both sides.
"""

import concurrent.futures
import http.client
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import keras
import numpy as np
import psutil
import tyro
from PIL import Image
from rich.console import Console

from zsltf.backbones.mean_colour import mean_colour
from zsltf.backbones.resnet import resnet50
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.exporters.saved_model import SavedModel
from zsltf.serving.calls import Call, classify, classify_arrays
from zsltf.serving.client import GrpcClient, RestClient
from zsltf.serving.servable import load


@dataclass(frozen=True, kw_only=True)
class Config:
    seconds: float = 20.0
    """Of load for each row."""
    clients: int = 16
    """That call at the same time."""
    rounds: int = 3
    """Of the ratios' two ways, in turns; the median counts."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What clients saw, and what the server spent."""

    requests: int
    seconds: float
    cpu_seconds: float
    milliseconds: Sequence[float]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cpu(self) -> float:
        """Milliseconds a request."""
        return 1e3 * self.cpu_seconds / self.requests

    @property
    def percentiles(self) -> str:
        """p50, p95 and p99 of the clients' waiting in ms."""
        return " / ".join(f"{np.percentile(self.milliseconds, q):.1f}" for q in (50, 95, 99))


def main(config: Config) -> None:
    """Every row."""
    console = Console(width=200)
    console.print("| what | measured | against | ratio or limit | p50 / p95 / p99 ms |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for network in (resnet50("random"), mean_colour()):
            write(network, Path(place, network.name, "1"))
        for line in (*large(config, Path(place)), *small(config, Path(place))):
            console.print(f"| {' | '.join(line)} |")


def write(network: object, path: Path) -> None:
    """A SavedModel of ten random classes over a network."""
    rows = np.random.default_rng(0).normal(size=(10, network.feature_size))  # type: ignore[attr-defined]
    table = ClassTable(names=tuple("abcdefghij"), semantics=rows, seen=np.ones(10, bool))
    classifier = Classifier(network.features(), table, preprocess=network.preprocess)  # type: ignore[attr-defined]
    path.mkdir(parents=True)
    SavedModel().write(classifier, path)


def large(config: Config, place: Path) -> Iterator[tuple[str, ...]]:
    """ResNet50."""
    path = place / "resnet50"
    images = np.random.default_rng(0).integers(0, 256, (32, 224, 224, 3), dtype=np.uint8)
    servable = load(path / "1")
    names = list(servable.signatures["serving_default"].outputs)

    def in_process(batch: int) -> tuple[float, float]:
        """CPU milliseconds an image, and images a second."""
        run = lambda: servable.run("serving_default", {"images": images[:batch]}, names)  # noqa: E731
        run()
        return timed(run, batch, config.seconds / 2)

    efficiencies, speeds, loads = [], [], []
    for _ in range(config.rounds):
        own_cpu, _ = in_process(32)
        _, single_rate = in_process(1)
        with served(path, "--enable-batching", "--max-batch-size", "32", "--batch-timeout-micros", "20000") as server:
            found = load_of(server, config, [classify_arrays(images[i : i + 1]) for i in range(32)], by_grpc=True)
        efficiencies.append(own_cpu / found.cpu)
        speeds.append(found.rate / single_rate)
        loads.append((found, own_cpu, single_rate))
    found, own_cpu, single_rate = loads[int(np.argsort(efficiencies)[len(loads) // 2])]
    spread = f"{np.median(efficiencies):.2f} ({min(efficiencies):.2f} to {max(efficiencies):.2f}), wanted 0.93"
    served_cpu = f"{found.cpu:.1f} ms of CPU an image"
    yield (
        "ResNet50, 224 px, gRPC, batched",
        served_cpu,
        f"in process, batches of 32: {own_cpu:.1f}",
        spread,
        found.percentiles,
    )
    ratio = f"{np.median(speeds):.2f} ({min(speeds):.2f} to {max(speeds):.2f}), wanted 1"
    against = f"in process, one by one: {single_rate:.1f}"
    yield "the same", f"{found.rate:.1f} images/s", against, ratio, found.percentiles


def small(config: Config, place: Path) -> Iterator[tuple[str, ...]]:
    """The mean colour: the model itself costs next to nothing."""
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    big = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(big[0]).save(buffer, "JPEG")
    with served(place / "mean_colour") as server:
        small_load = load_of(server, config, [classify_arrays(image)], by_grpc=True)
        with echoed() as (process, address):
            request = GrpcClient(address, "m").request(classify_arrays(image)).SerializeToString()
            echo = grpc.insecure_channel(address).unary_unary("/echo/Echo")
            bare = loaded(process, config, [lambda _: echo(request)])
        yield (
            "mean colour, 32 px, gRPC",
            f"{small_load.cpu:.2f} ms of CPU a request",
            f"grpc.aio that sends the bytes back: {bare.cpu:.2f}",
            "wanted 0.8",
            small_load.percentiles,
        )
        encoded = load_of(server, config, [classify([buffer.getvalue()])], by_grpc=False)
        numbers = load_of(server, config, [classify_arrays(big)], by_grpc=False)
        ratio = f"{encoded.rate / numbers.rate:.1f}, wanted 5"
        against = f"as JSON numbers: {numbers.rate:.0f}"
        yield (
            "a photo of 224 px as b64 bytes, REST",
            f"{encoded.rate:.0f} requests/s",
            against,
            ratio,
            encoded.percentiles,
        )


def timed(run: Callable[[], object], images: int, seconds: float) -> tuple[float, float]:
    """CPU milliseconds an image of this process, and images a second."""
    start, cpu, calls = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds or calls < 2:
        run()
        calls += 1
    wall = time.perf_counter() - start
    return 1e3 * (time.process_time() - cpu) / (calls * images), calls * images / wall


@contextmanager
def served(path: Path, *options: str) -> Iterator[tuple[psutil.Process, str, str]]:
    """A server process and its addresses."""
    command = [sys.executable, "-m", "zsltf", "serve", f"m={path}", "--rest-port", "0", "--grpc-port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            rest, grpc = (process.stdout.readline().strip().partition(": ")[2] for _ in range(2))  # type: ignore[union-attr]
            yield psutil.Process(process.pid), rest, grpc
        finally:
            process.terminate()


ECHO = """
import asyncio, grpc

class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        async def echo(request, context):
            return request
        return grpc.unary_unary_rpc_method_handler(echo)

async def main():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()

asyncio.run(main())
"""


@contextmanager
def echoed() -> Iterator[tuple[psutil.Process, str]]:
    """A gRPC server in Python that does nothing: the least that ours could cost."""
    with subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield psutil.Process(process.pid), f"127.0.0.1:{process.stdout.readline().strip()}"  # type: ignore[union-attr]
        finally:
            process.kill()


def load_of(
    server: tuple[psutil.Process, str, str], config: Config, calls: Sequence[Call[object]], *, by_grpc: bool
) -> Load:
    """What these calls make of a server."""
    process, rest, address = server
    return loaded(process, config, [_by_grpc(address, call) if by_grpc else _by_rest(rest, call) for call in calls])


def loaded(process: psutil.Process, config: Config, asked: Sequence[Callable[[int], object]]) -> Load:
    """Clients that send ready-made requests as fast as they are answered, after two seconds for warming up."""
    end = [float("inf")]

    def client(number: int) -> list[tuple[float, float]]:
        done: list[tuple[float, float]] = []
        while time.perf_counter() < end[0]:
            start = time.perf_counter()
            asked[(number + len(done)) % len(asked)](number)
            done.append((start, time.perf_counter()))
        return done

    with concurrent.futures.ThreadPoolExecutor(config.clients) as pool:
        running = [pool.submit(client, number) for number in range(config.clients)]
        time.sleep(2)
        begin, cpu = time.perf_counter(), sum(process.cpu_times()[:2])
        time.sleep(config.seconds)
        finish, spent = time.perf_counter(), sum(process.cpu_times()[:2]) - cpu
        end[0] = finish
        spans = [span for one in running for span in one.result()]
    counted = [1e3 * (stop - start) for start, stop in spans if begin <= stop <= finish]
    return Load(requests=len(counted), seconds=finish - begin, cpu_seconds=spent, milliseconds=counted)


def _by_grpc(address: str, call: Call[object]) -> Callable[[int], object]:
    client = GrpcClient(address, "m", timeout=120)
    request = client.request(call)
    return lambda _: client.send(request)


def _by_rest(url: str, call: Call[object]) -> Callable[[int], object]:
    """Each client keeps its connection."""
    posted, parts = RestClient(url, "m").request(call), urlsplit(url)
    opened: dict[int, http.client.HTTPConnection] = {}

    def ask(number: int) -> bytes:
        if number not in opened:
            opened[number] = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        opened[number].request("POST", posted["url"], posted["content"])
        answer = opened[number].getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(content[:300])
        return content

    return ask


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    main(tyro.cli(Config))
