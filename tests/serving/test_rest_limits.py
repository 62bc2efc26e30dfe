"""What clients may do to REST's server: huge, deep, half, hurried and malformed requests hurt nobody but themselves."""

import asyncio
import contextlib
import gzip
import json
import logging
import socket
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from serving.contract_models import write
from serving.local_server import models_config, running
from serving.test_contract_rest import ask

from zsltf.serving import rest
from zsltf.serving.models import Models
from zsltf.serving.server import ServerOptions

PREDICT = "/v1/models/m:predict"
GOOD = b'{"instances": [2.0]}'


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The config of a small model."""
    root = tmp_path_factory.mktemp("small")
    write("half_plus_two", root)
    return models_config({"m": root})


@pytest.fixture(scope="module")
def address(small):
    options = ServerOptions(rest_port=0, grpc_port=None, timeout=2.0, most_requests=2, largest_request=2**24)
    with running(small, options) as addresses:
        yield addresses.rest


@contextlib.contextmanager
def sent(address, *lines, body=b""):
    """A connection to which this was sent."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode() + body)
        yield connection


def counts(address):
    with urllib.request.urlopen(f"{address}/monitoring/prometheus/metrics", timeout=60) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    return [line for line in lines if line.startswith(":tensorflow:serving:request_count{")]


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "body",
    [b"[" + b"1," * 2_000_000 + b"1]", b'{"instances": [' + b"0.125," * 600_000 + b'"x"]}'],
    ids=["no object", "one wrong value"],
)
def test_long_documents_do_not_stop_others(address, body):
    answers, slowest = [], 0.0
    client = threading.Thread(target=lambda: answers.append(ask(address, "POST", PREDICT, body)))
    client.start()
    while client.is_alive():
        start = time.monotonic()
        assert ask(address, "GET", "/v1/models/m")[0] == 200
        slowest = max(slowest, time.monotonic() - start)
    assert slowest < 1.5
    assert answers[0][0] in (400, 504)
    assert len(answers[0][2]) < 1000


@pytest.mark.parametrize("depth", [65, 400, 5000])
def test_deep_documents_are_refused(address, depth):
    deep = b"[" * depth + b"]" * depth
    for body in (deep, b'{"instances": ' + deep + b"}", b'{"inputs": ' + deep + b"}"):
        status, _, content = ask(address, "POST", PREDICT, body)
        assert (status, list(json.loads(content))) == (400, ["error"])


@pytest.mark.parametrize(
    "body",
    [GOOD, gzip.compress(GOOD)[:-9], gzip.compress(b" " * (10 * 2**20 + 1)), b""],
    ids=["plain", "cut", "large", "empty"],
)
def test_what_is_no_gzip_counts_as_empty(address, body):
    status, _, content = ask(address, "POST", PREDICT, body, {"Content-Encoding": "gzip"})
    assert (status, json.loads(content)) == (400, {"error": "JSON Parse error: The document is empty"})


def test_gzip_is_inflated_up_to_its_limit(address):
    for body in (GOOD, GOOD + b" " * (10 * 2**20 - len(GOOD))):
        status, _, content = ask(address, "POST", PREDICT, gzip.compress(body), {"Content-Encoding": "x-gzip"})
        assert (status, json.loads(content)) == (200, {"predictions": [3.0]})


def test_half_a_body_ends_with_the_timeout_and_leaves_the_rest_of_the_server(address):
    head = (f"POST {PREDICT} HTTP/1.1", "Host: x", "Content-Length: 1000")
    with sent(address, *head, body=b"{") as one, sent(address, *head, body=b"{"):
        until(lambda: ask(address, "POST", PREDICT, GOOD)[0] == 429)  # both are being read
        assert ask(address, "GET", "/v1/models/m")[0] == 200
        assert ask(address, "GET", "/v1/models/m/metadata")[0] == 200
        assert counts(address)
        assert one.recv(1000).startswith(b"HTTP/1.1 504 ")
        until(lambda: ask(address, "POST", PREDICT, GOOD)[0] == 200)


@contextlib.asynccontextmanager
async def listening(app):
    """Address of a server of this application."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}".format(*runner.addresses[0])
    await runner.cleanup()


def test_bodies_have_a_limit_together():
    head = (f"POST {PREDICT} HTTP/1.1", "Host: x")

    async def main():
        with ThreadPoolExecutor(1) as executor:
            app = rest.application(Models(executor), largest_body=1000, largest_bodies=1500)
            async with listening(app) as address:
                await asyncio.to_thread(attempts, address)

    def attempts(address):
        with sent(address, *head, "Content-Length: 1000", body=b"{"):
            until(lambda: ask(address, "POST", PREDICT, b" " * 501)[0] == 429)
            assert ask(address, "POST", PREDICT, b" " * 500)[0] == 400
            assert ask(address, "POST", PREDICT, iter([b" "]))[0] == 429  # may be any size
        until(lambda: ask(address, "POST", PREDICT, iter([b" "]))[0] == 400)

    asyncio.run(main())


def test_half_a_head_is_waited_for_so_long_and_no_longer(monkeypatch):
    monkeypatch.setattr(rest, "_IDLE_SECONDS", 0.3)

    async def main():
        with ThreadPoolExecutor(1) as executor:
            async with listening(rest.application(Models(executor))) as address:
                await asyncio.to_thread(attempt, address)

    def attempt(address):
        with sent(address, "GET /v1/models/m HTTP/1.1", "Host: x", body=b"") as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
            connection.sendall(b"GET /v1/models/m HTTP/1.1\r\nHost:")
            assert connection.recv(1000) == b""

    asyncio.run(main())


def test_who_hangs_up_is_no_mistake_of_ours(address, caplog):
    with sent(address, f"POST {PREDICT} HTTP/1.1", "Host: x", "Content-Length: 1000", body=b"{"):
        time.sleep(0.2)
    until(lambda: any('model_name="m",status="CANCELLED"' in line for line in counts(address)))
    assert not any("INTERNAL" in line for line in counts(address))
    assert caplog.records == []


def test_a_body_over_the_limit_is_refused_before_it_is_sent(address):
    head = (f"POST {PREDICT} HTTP/1.1", "Host: x", "Content-Length: 99999999999", "Expect: 100-continue")
    with sent(address, *head) as connection:
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    message = "Maximum request body size 16777216 exceeded, actual body size 99999999999"
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"error": message}


def test_chunks_over_the_limit_are_refused(small):
    options = ServerOptions(rest_port=0, grpc_port=None, largest_request=1000)
    with running(small, options) as addresses:
        status, _, content = ask(addresses.rest, "POST", PREDICT, iter([b" " * 999, b" " * 2]))
        assert (status, json.loads(content)) == (413, {"error": "Maximum request body size 1000 exceeded"})


def test_who_asks_first_is_told_to_continue(address):
    head = (f"POST {PREDICT} HTTP/1.1", "Host: x", f"Content-Length: {len(GOOD)}", "Expect: 100-continue")
    with sent(address, *head) as connection:
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(GOOD)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_proxy_may_name_the_whole_address(address):
    status, _, content = ask(address, "POST", f"http://x.example:80{PREDICT}", GOOD)
    assert (status, json.loads(content)) == (200, {"predictions": [3.0]})
    status, _, content = ask(address, "GET", "http://x.example/v1/models/http://y")
    assert (status, json.loads(content)) == (400, {"error": "Malformed request: GET /v1/models/http://y"})


def test_answers_do_not_tell_versions(address):
    assert "Server" not in ask(address, "GET", "/v1/models/m")[1]
    assert "Server" not in ask(address, "POST", PREDICT, b"{")[1]


@pytest.mark.parametrize(
    "lines",
    [("GET / HTTP/1.1", "Host x"), (f"POST {PREDICT} HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "", "x")],
    ids=["head", "chunk"],
)
def test_what_is_no_http_is_not_logged(address, caplog, lines):
    with caplog.at_level(logging.DEBUG, "zsltf"), sent(address, *lines) as connection:
        assert connection.recv(1000).split()[1] == b"400"
    assert caplog.records == []


def test_invented_names_count_as_none(address):
    ask(address, "GET", "/v1/models/invented")
    ask(address, "POST", "/v1/models/invented:predict", GOOD)
    ask(address, "PUT", "/v1/models/m")
    found = counts(address)
    assert not any("invented" in line for line in found)
    assert any('model_name="",status="NOT_FOUND"' in line for line in found)
    assert any('model_name="",status="INVALID_ARGUMENT"' in line for line in found)
