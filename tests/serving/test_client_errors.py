"""What the clients tell when they are called wrongly, or the other side is slow, gone, or no server of ours."""

import asyncio
import contextlib
import inspect
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from serving.contract_models import write
from serving.local_server import models_config, running

from zsltf.serving.calls import Call, classify, table
from zsltf.serving.client import AsyncGrpcClient, AsyncRestClient, GrpcClient, RestClient, Retries, ServerError
from zsltf.serving.server import ServerOptions

KINDS = (RestClient, AsyncRestClient, GrpcClient, AsyncGrpcClient)
REST = (RestClient, AsyncRestClient)
GRPC = (GrpcClient, AsyncGrpcClient)


def run(kind, address, call, model="m", **options):
    """One call by a client of this kind."""
    if kind in (RestClient, GrpcClient):
        with kind(address, model, **options) as client:
            return client.run(call)

    async def once():
        async with kind(address, model, **options) as client:
            return await client.run(call)

    return asyncio.run(once())


def failed(kind, address, call, **options):
    with pytest.raises(ServerError) as error:
        run(kind, address, call, **options)
    return error.value


@contextlib.contextmanager
def answering(*parts, pause=0.0):
    """A server that sends these parts to whoever connects; yields its port and the requests so far."""
    requests, stop = [], threading.Event()

    def serve():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    requests.append(connection.recv(2**16))
                    for part in parts:
                        connection.sendall(part)
                        stop.wait(pause)
                    stop.wait(0.0 if parts else 60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1], requests
        finally:
            stop.set()
            thread.join()


def http_answer(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize("kind", REST)
def test_an_answer_by_bits_ends_at_the_deadline(kind):
    whole = http_answer(b" " * 1000)
    head, body = whole[:-1000], whole[-1000:]
    with answering(head, *(body[i : i + 1] for i in range(len(body))), pause=0.05) as (port, _):
        start = time.monotonic()
        error = failed(kind, f"http://127.0.0.1:{port}", table(), timeout=0.5)
        assert time.monotonic() - start < 5
    assert str(error) == "DEADLINE_EXCEEDED: no answer within the timeout"


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_the_same_error_over_both_protocols(kind):
    with answering() as (port, _):
        scheme = "http://" if kind in REST else ""
        error = failed(kind, f"{scheme}127.0.0.1:{port}", table(), timeout=0.5)
    assert error.status == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_there_is_the_same_error_over_both_protocols(kind):
    scheme = "http://" if kind in REST else ""
    start = time.monotonic()
    error = failed(kind, f"{scheme}127.0.0.1:9", table(), timeout=20, retries=Retries(attempts=2, first_pause=0.01))
    assert time.monotonic() - start < 20
    assert error.status == "UNAVAILABLE"
    assert error.message


NO_DOCUMENTS = {
    "blanks": (b" " * 40, "200: the answer is no JSON object: 40 blank bytes"),
    "html": (b"<html>Welcome</html>", "200: the answer is no JSON object: <html>Welcome</html>"),
    "list": (b"[1]", r"200: the answer is no JSON object: \[1\]"),
    "bytes": (b"\xff\xfe", "200: the answer is no JSON object: "),
    "no outputs": (b'{"predictions": [1]}', "200: the answer has no outputs: {'predictions'"),
}


@pytest.mark.parametrize("kind", REST)
@pytest.mark.parametrize(("body", "message"), NO_DOCUMENTS.values(), ids=NO_DOCUMENTS)
def test_an_answer_that_is_no_document_is_told_as_what_it_is(kind, body, message):
    with answering(http_answer(body)) as (port, _), pytest.raises(ServerError, match=message):
        run(kind, f"http://127.0.0.1:{port}", table())


@pytest.mark.parametrize("kind", REST)
@pytest.mark.parametrize(("status", "attempts"), [("429 Too Many", 2), ("503 Busy", 2), ("413 Too Large", 1)])
def test_only_what_may_pass_is_tried_again(kind, status, attempts):
    with answering(http_answer(b'{"error": "no"}', status)) as (port, requests):
        retries = Retries(attempts=2, first_pause=0.01)
        error = failed(kind, f"http://127.0.0.1:{port}", table(), retries=retries)
        assert (error.status, error.message) == (status[:3], "no")
        assert len(requests) == attempts


@pytest.fixture(scope="module")
def strings(tmp_path_factory):
    """A server whose model has a name and a label that URLs don't take as they are."""
    base = tmp_path_factory.mktemp("strings")
    write("ident_string", base)
    config = models_config({"a/b c": base}, {"a/b c": {"new:est": 1}})
    options = ServerOptions(rest_port=0, grpc_port=0, largest_request=2**16, labels_in_advance=True)
    with running(config, options) as addresses:
        yield addresses


def sent(texts):
    """A call that gets back what it sends."""
    return Call(
        signature="serving_default", inputs={"x": np.array(texts, object)}, read=lambda outputs: outputs["y"].tolist()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_labels_may_be_any_text(kind, strings):
    address = strings.rest if kind in REST else strings.grpc
    assert run(kind, address, sent([b"one"]), model="a/b c") == [b"one"]
    assert run(kind, address, sent([b"two"]), model="a/b c", label="new:est") == [b"two"]


def test_status_and_metadata_of_any_name(strings):
    with RestClient(strings.rest, "a/b c", headers={"Authorization": "Bearer x"}) as client:
        assert client.status()["model_version_status"][0]["state"] == "AVAILABLE"
        assert client.metadata()["model_spec"]["name"] == "a/b c"


@pytest.mark.parametrize("kind", GRPC)
def test_a_message_that_is_too_large_is_not_sent_again(kind, strings):
    retries, start = Retries(attempts=3, first_pause=30), time.monotonic()
    error = failed(kind, strings.grpc, sent([bytes(2**17)]), model="a/b c", timeout=120, retries=retries)
    assert error.status == "RESOURCE_EXHAUSTED"
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_and_a_label_are_not_both_given(kind):
    async def made():
        kind("http://127.0.0.1:9", "m", version=1, label="stable")

    message = "version and label: expected one of them, received version 1 and label 'stable'. Leave one out."
    with pytest.raises(ValueError, match=message):
        asyncio.run(made())


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_has_its_name(kind):
    names = {"version", "label", "timeout", "retries"}
    found = inspect.signature(kind).parameters
    assert names <= set(found)
    assert not [one for one in found.values() if one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]


WRONG_IMAGES = {
    "text": (["photo.jpg"], r"images\[0\]: expected bytes or a pathlib.Path, received str 'photo.jpg'. Write Path"),
    "array": ([b"", np.zeros((2, 2))], r"images\[1\]: expected bytes or a pathlib.Path, received ndarray"),
    "one path": (Path("photo.jpg"), r"images: expected a list of bytes or pathlib.Paths, received \w*Path"),
    "one text": ("photo.jpg", "images: expected a list of bytes or pathlib.Paths, received str"),
    "one file": (b"content", "images: expected a list of bytes or pathlib.Paths, received bytes"),
}


@pytest.mark.parametrize(("images", "message"), WRONG_IMAGES.values(), ids=WRONG_IMAGES)
def test_what_is_no_list_of_images_is_told(images, message):
    with pytest.raises(ValueError, match=message):
        classify(images)
