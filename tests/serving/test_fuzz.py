"""Requests that make no sense, by the thousand: the server answers each, says whose fault it is, and doesn't grow."""

import contextlib
import http.client
import json
import os
import random
import subprocess
import sys
from urllib.parse import urlsplit

import grpc
import psutil
import pytest
from serving.contract_models import write
from tensorflow_serving.apis import predict_pb2

NAMES = (
    "m",
    "shapes",
    "nobody",
    "",
    "m/versions/1",
    "m/versions/99999999999999999999",
    "m/labels/x",
    "m%00",
    "%C3%A9%ff",
)
VERBS = (":predict", ":classify", ":regress", "/metadata", "", ":x", "?q", "/")
METHODS = ("POST", "POST", "POST", "POST", "GET", "PUT", "OPTIONS")
ODD = (
    None,
    True,
    -1,
    0,
    1.5,
    1e308,
    2**70,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    {"b64": "####"},
    {"b64": "aGk="},
    {"x": 1},
)
SIGNATURES = ("serving_default", "from_bytes", "open_vocabulary", "table", "regress_x_to_y")
SERVICES = ("PredictionService/Predict", "PredictionService/Classify", "PredictionService/GetModelMetadata")


def value(rng, depth=0):
    """A JSON value that may be nested and ragged."""
    if depth > 3 or rng.random() < 0.4:
        return rng.choice(ODD)
    return [value(rng, depth + 1) for _ in range(rng.randrange(4))]


def body(rng):
    """A document that is nearly right, a mangled one, or bytes."""
    if rng.random() < 0.2:
        return rng.randbytes(rng.randrange(200))
    keys = ("instances", "inputs", "signature_name", "examples", "context", "x")
    document = {rng.choice(keys): value(rng) for _ in range(rng.randrange(4))}
    if rng.random() < 0.3:
        document["signature_name"] = rng.choice(SIGNATURES)
    text = json.dumps(document).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3 and text:
        at = rng.randrange(len(text))
        text = text[:at] + rng.randbytes(rng.randrange(3)) + text[at + 1 :]
    return text


def message(rng):
    """A PredictRequest, whole or mangled, or bytes."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(100))
    request = predict_pb2.PredictRequest()
    request.model_spec.name = rng.choice(("m", "shapes", "nobody", ""))
    request.model_spec.signature_name = rng.choice(("", "serving_default", "from_bytes", "open_vocabulary", "no"))
    for name in rng.sample(("x", "images", "encoded", "class_vectors", "class_bias"), rng.randrange(4)):
        tensor = request.inputs[name]
        tensor.dtype = rng.randrange(24)
        for _ in range(rng.randrange(5)):
            tensor.tensor_shape.dim.add(size=rng.choice((-1, 0, 1, 2, 3, 2**40)))
        tensor.float_val.extend([1.0] * rng.randrange(4))
        tensor.tensor_content = rng.randbytes(rng.choice((0, 0, 4, 12)))
    content = request.SerializeToString()
    return content if rng.random() < 0.7 else content[: rng.randrange(len(content) + 1)]


@pytest.fixture
def process(kit, tmp_path):
    """`zsltf serve` over the kit and a small model, with its addresses."""
    write("half_plus_two", tmp_path / "m")
    command = [sys.executable, "-m", "zsltf", "serve", str(kit), f"m={tmp_path / 'm'}", "--labels-in-advance"]
    command += ["--rest-port", "0", "--grpc-port", "0"]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with (tmp_path / "log").open("w") as log:
        started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=quiet)
    try:
        addresses = [started.stdout.readline().strip().partition(": ")[2] for _ in range(2)]
        yield started, addresses
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def fuzz(process, count):
    """Statuses over REST, codes over gRPC, and the process's memory after a tenth and at the end."""
    started, (rest, address) = process
    rng, parts = random.Random(0), urlsplit(rest)  # noqa: S311 (not a secret)
    statuses, codes, memory = set(), set(), []
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    with contextlib.closing(connection), grpc.insecure_channel(address) as channel:
        calls = [channel.unary_unary(f"/tensorflow.serving.{service}") for service in SERVICES]
        for i in range(count):
            if i % 4:
                path = f"/v1/models/{rng.choice(NAMES)}{rng.choice(VERBS)}"
                connection.putrequest(rng.choice(METHODS), path, skip_accept_encoding=True)
                content = body(rng)
                connection.putheader("Content-Length", str(len(content)))
                connection.endheaders(content)
                answer = connection.getresponse()
                answer.read()
                statuses.add(answer.status)
            else:
                try:
                    rng.choice(calls)(message(rng), timeout=60)
                    codes.add("OK")
                except grpc.RpcError as error:
                    garbage = "DecodeError" in error.details()  # for which grpc has a code of its own
                    codes.add("no message" if garbage else error.code().name)
            if i + 1 in (count // 10, count):
                memory.append(psutil.Process(started.pid).memory_info().rss)
    assert started.poll() is None
    return statuses, codes, memory


def test_odd_requests_are_answered(process, tmp_path):
    statuses, codes, _ = fuzz(process, 600)
    assert statuses <= {200, 400, 404, 501}
    assert {200, 400, 404} <= statuses
    assert codes <= {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED", "no message"}
    assert "made a mistake" not in (tmp_path / "log").read_text("utf-8")


@pytest.mark.slow
def test_twenty_thousand_odd_requests_leave_no_trace(process):
    statuses, _, (early, late) = fuzz(process, 20_000)
    assert statuses <= {200, 400, 404, 501}
    assert late < 1.05 * early
