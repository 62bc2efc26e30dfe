"""What the contract's cases don't reach: changing versions, batches, limits, signals, bad folders, metrics, TLS."""

import asyncio
import base64
import concurrent.futures
import io
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image
from serving.local_server import models_config, post, running, states, until

from zsltf.serving.batching import Batcher, BatchingOptions
from zsltf.serving.calls import classify, classify_arrays
from zsltf.serving.client import GrpcClient, RestClient, ServerError
from zsltf.serving.config import config_of
from zsltf.serving.server import ServerOptions
from zsltf.serving.status import RequestError

REST = ServerOptions(rest_port=0, grpc_port=None, poll_seconds=0.1)
IMAGES = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3), dtype=np.uint8)


def publish(half_plus_two, base, number):
    shutil.copytree(half_plus_two, base / f".{number}.partial")
    (base / f".{number}.partial").rename(base / str(number))


def rolled(half_plus_two, base, address, seconds):
    """Errors and answers of 8 clients while versions come and go."""
    stop, errors, answers = threading.Event(), [], []

    def client():
        while not stop.is_set():
            status, answer = post(address, "m:predict", {"instances": [2.0]})
            (answers if (status, answer) == (200, {"predictions": [3.0]}) else errors).append((status, answer))

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    end, number = time.monotonic() + seconds, 2
    while time.monotonic() < end:
        publish(half_plus_two, base, number)
        until(lambda number=number: states(address).get(number, ("", ""))[0] == "AVAILABLE")
        time.sleep(0.2)
        shutil.rmtree(base / str(number))  # back to version 1
        until(lambda number=number: states(address)[number][0] == "END")
        until(lambda: states(address)[1][0] == "AVAILABLE")
        number += 1
    stop.set()
    for thread in threads:
        thread.join()
    return errors, answers, number - 2


def test_rolling_forth_and_back_drops_no_request(half_plus_two, base):
    with running(models_config({"m": base}), REST) as addresses:
        errors, answers, rounds = rolled(half_plus_two, base, addresses.rest, 4)
    assert errors == []
    assert rounds >= 1
    assert len(answers) > 8


@pytest.mark.slow
def test_rolling_for_a_minute_drops_no_request(half_plus_two, base):
    with running(models_config({"m": base}), REST) as addresses:
        errors, answers, rounds = rolled(half_plus_two, base, addresses.rest, 60)
    assert errors == []
    assert rounds >= 10
    assert len(answers) > 1000


def test_a_version_that_fails_to_load_leaves_the_old_one_serving(half_plus_two, base):
    with running(models_config({"m": base}), REST) as addresses:
        (base / "2").mkdir()
        (base / "2" / "saved_model.pb").write_bytes(b"half a file")
        until(lambda: states(addresses.rest).get(2, ("", ""))[0] == "END")
        assert "expected a SavedModel with the tag serve" in states(addresses.rest)[2][1]
        assert post(addresses.rest, "m:predict", {"instances": [2.0]}) == (200, {"predictions": [3.0]})
        shutil.rmtree(base / "2")
        publish(half_plus_two, base, 2)  # mended
        until(lambda: states(addresses.rest)[2][0] == "AVAILABLE")
        until(lambda: states(addresses.rest)[1][0] == "END")
        assert post(addresses.rest, "m/versions/1:predict", {"instances": [2.0]})[0] == 404


def test_a_copy_in_progress_is_no_version(half_plus_two, base):
    shutil.copytree(half_plus_two, base / ".2.partial")
    with running(models_config({"m": base}), REST) as addresses:
        time.sleep(0.5)
        assert list(states(addresses.rest)) == [1]


def test_a_base_path_without_a_version_does_not_start(tmp_path):
    (tmp_path / "empty").mkdir()
    with (
        pytest.raises(RequestError, match=r"1 model\(s\) did not become available: {{{name: m version: 0} due to"),
        running(models_config({"m": tmp_path / "empty"}), REST),
    ):
        pass


def test_requests_run_in_batches_and_each_gets_its_rows(base):
    options = BatchingOptions(max_batch_size=8, batch_timeout_micros=50_000, num_batch_threads=1)
    with running(models_config({"m": base}), REST, options) as addresses:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            rows = [[float(i), float(i + 100)] for i in range(16)]
            answers = list(
                pool.map(lambda row: post(addresses.rest, "m:predict", {"instances": [[v] for v in row]}), rows)
            )
        assert answers == [(200, {"predictions": [[0.5 * v + 2] for v in row]}) for row in rows]
        status, answer = post(addresses.rest, "m:predict", {"instances": [[1.0]] * 9})
        assert (status, answer) == (400, {"error": "Task size 9 is larger than maximum input batch size 8"})


class Recorder:
    """A servable that notes the sizes of what it runs, and waits for a word to go on."""

    def __init__(self):
        self.sizes, self.go = [], threading.Event()
        self.signatures = {"s": type("Signature", (), {"outputs": {"y": None}})}

    def run(self, name, inputs, outputs):
        self.go.wait()
        self.sizes.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise ValueError("negative")
        return {"y": inputs["x"] * 2}


def batched(options, sizes, values=None):
    """What a Batcher makes of requests that arrive at once, and the sizes that ran."""
    recorder = Recorder()

    async def main():
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            batcher = Batcher(recorder, "s", options, pool)
            inputs = [np.full((n, 1), (values or range(len(sizes)))[i], np.float32) for i, n in enumerate(sizes)]
            tasks = [asyncio.create_task(batcher({"x": x})) for x in inputs]
            await asyncio.sleep(0.2)
            recorder.go.set()
            return inputs, await asyncio.gather(*tasks, return_exceptions=True)

    inputs, answers = asyncio.run(main())
    return inputs, answers, recorder.sizes


def test_a_batch_is_closed_when_it_is_full():
    inputs, answers, sizes = batched(BatchingOptions(max_batch_size=4, batch_timeout_micros=1000), [1, 2, 1, 3, 1])
    assert sizes == [4, 4]
    for x, answer in zip(inputs, answers, strict=True):
        np.testing.assert_array_equal(answer["y"], 2 * x)


def test_a_batch_is_filled_up_to_an_allowed_size():
    options = BatchingOptions(max_batch_size=8, batch_timeout_micros=1000, allowed_batch_sizes=(2, 4, 8))
    inputs, answers, sizes = batched(options, [1, 2])
    assert sizes == [4]
    np.testing.assert_array_equal(answers[1]["y"], 2 * inputs[1])


def test_a_full_queue_refuses_as_tensorflow_serving_does():
    _, answers, _ = batched(BatchingOptions(max_batch_size=1, max_enqueued_batches=2), [1, 1, 1])
    assert isinstance(answers[2], RequestError)
    assert answers[2].http_status == 503
    assert answers[2].message == "The batch scheduling queue to which this task was submitted is full"


def test_a_bad_request_spoils_no_other_of_its_batch():
    inputs, answers, _ = batched(BatchingOptions(max_batch_size=3, batch_timeout_micros=1000), [1, 1, 1], [1, -1, 2])
    assert isinstance(answers[1], ValueError)
    for i in (0, 2):
        np.testing.assert_array_equal(answers[i]["y"], 2 * inputs[i])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_batch_size": 0}, "max_batch_size: expected 1 or more, received 0"),
        ({"allowed_batch_sizes": (2, 4)}, "allowed_batch_sizes: expected ascending sizes up to 32"),
        ({"allowed_batch_sizes": (32, 4)}, "allowed_batch_sizes: expected ascending sizes up to 32"),
    ],
)
def test_batching_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        BatchingOptions(**options)


def gif_bomb():
    """A small file that claims 30,000 x 30,000 pixels."""
    content = io.BytesIO()
    Image.new("L", (8, 8)).save(content, "GIF")
    data = bytearray(content.getvalue())
    data[6:10] = (30_000).to_bytes(2, "little") * 2
    return bytes(data)


def cut(image_format):
    content = io.BytesIO()
    Image.fromarray(IMAGES[0]).save(content, image_format)
    return content.getvalue()[: len(content.getvalue()) // 2]


@pytest.mark.parametrize("content", [b"", b"text", gif_bomb(), cut("PNG"), cut("JPEG")], ids=range(5))
def test_images_that_are_none_get_an_answer(shapes, content):
    encoded = [{"b64": base64.b64encode(content).decode()}]
    status, answer = post(
        shapes.rest, "shapes:predict", {"signature_name": "from_bytes", "inputs": {"encoded": encoded}}
    )
    assert status == 400
    assert answer["error"]
    with GrpcClient(shapes.grpc, "shapes", timeout=120) as client, pytest.raises(ServerError) as refused:
        client.run(classify([content]))
    assert refused.value.status == "INVALID_ARGUMENT"
    assert post(shapes.rest, "shapes:predict", {"inputs": IMAGES.tolist()})[0] == 200


def test_wrong_shapes_get_an_answer(shapes):
    for inputs in ([1, 2], [[[1]]], [[[[1, 2]]]], []):
        status, answer = post(shapes.rest, "shapes:predict", {"inputs": inputs})
        assert (status, "error" in answer) == (400, True), answer
    assert post(shapes.rest, "shapes:predict", {"inputs": IMAGES.tolist()})[0] == 200


def test_for_our_models_classify_and_regress_are_refused_as_there(shapes):
    for verb, kind in (("classify", "classification"), ("regress", "regression")):
        status, answer = post(shapes.rest, f"shapes:{verb}", {"examples": [{"x": 1.0}]})
        assert status == 400
        assert answer["error"].startswith(f"No {kind} inputs found in SignatureDef: ")


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 310, "1" + "0" * 310 + ".5"])
def test_numbers_beyond_any_type_are_no_json(base, number):
    with running(models_config({"m": base}), REST) as addresses:
        status, answer = post(addresses.rest, "m:predict", f'{{"instances": [{number}]}}'.encode())
    assert status == 400
    assert answer["error"].startswith("JSON Parse error: Number too big to be stored in double. at offset: ")


def test_a_body_over_the_limit_is_refused(base):
    options = ServerOptions(rest_port=0, grpc_port=None, largest_request=1000)
    with running(models_config({"m": base}), options) as addresses:
        status, answer = post(addresses.rest, "m:predict", {"instances": [1.0] * 1000})
        assert status == 413
        assert "Maximum request body size 1000 exceeded" in answer["error"]
        assert post(addresses.rest, "m:predict", {"instances": [2.0]})[0] == 200


def test_too_many_requests_are_told_so(base):
    options = ServerOptions(rest_port=0, grpc_port=None, most_requests=1)
    slow = BatchingOptions(max_batch_size=8, batch_timeout_micros=3_000_000)
    with (
        running(models_config({"m": base}), options, slow) as addresses,
        concurrent.futures.ThreadPoolExecutor(4) as pool,
    ):
        asked = [pool.submit(post, addresses.rest, "m:predict", {"instances": [[2.0]]}) for _ in range(4)]
        found = sorted(one.result()[0] for one in asked)
    assert found[0] == 200
    assert found[-1] == 429


def test_metrics_count_what_was_answered(shapes):
    assert post(shapes.rest, "shapes:predict", {"inputs": IMAGES.tolist()})[0] == 200
    assert post(shapes.rest, "nobody:predict", {"inputs": [1]})[0] == 404
    with urllib.request.urlopen(f"{shapes.rest}/monitoring/prometheus/metrics", timeout=120) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    assert "# TYPE :tensorflow:serving:request_count counter" in lines
    counts = [line for line in lines if line.startswith(":tensorflow:serving:request_count{")]
    assert any('model_name="shapes",status="OK"' in line and int(line.split()[-1]) >= 1 for line in counts)
    assert any('model_name="",status="NOT_FOUND"' in line for line in counts)
    buckets = [
        int(line.split()[-1])
        for line in lines
        if line.startswith(
            ':tensorflow:serving:request_latency_bucket{model_name="shapes",API="predict",entrypoint="REST"'
        )
    ]
    assert buckets == sorted(buckets)
    assert len(buckets) == 34


def test_health_is_told_by_grpc(shapes):
    with grpc.insecure_channel(shapes.grpc) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=120)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_both_protocols_speak_tls(base, kit, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    options = ServerOptions(rest_port=0, grpc_port=0, labels_in_advance=True, certificate=certificate, key=key)
    with running(config_of([str(kit)]), options) as addresses:
        assert addresses.rest.startswith("https://")
        context = ssl.create_default_context(cafile=certificate)
        with RestClient(addresses.rest, "shapes", verify=context, timeout=120) as client:
            rest = client.run(classify_arrays(IMAGES))[0]
        credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
        with GrpcClient(addresses.grpc, "shapes", credentials=credentials, timeout=120) as client:
            other = client.run(classify_arrays(IMAGES))[0]
    np.testing.assert_allclose(rest.scores, other.scores, rtol=1e-5)


def test_a_certificate_needs_its_key(tmp_path):
    with pytest.raises(ValueError, match="ServerOptions: expected a certificate and its key, received one of them"):
        ServerOptions(certificate=tmp_path / "c.pem")


@pytest.fixture
def served(kit):
    """`zsltf serve` in a process of its own, with its REST address."""
    command = [sys.executable, "-m", "zsltf", "serve", str(kit), "--rest-port", "0", "--grpc-port", "0"]
    command += ["--enable-batching", "--batch-timeout-micros", "3000000"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    try:
        address = process.stdout.readline().partition(": ")[2].strip()
        assert process.stdout.readline().startswith("gRPC: 127.0.0.1:")
        yield process, address
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_sigterm_under_load_answers_what_is_in_flight(served):
    process, address = served
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(post, address, "shapes:predict", {"inputs": IMAGES.tolist()}) for _ in range(8)]
        time.sleep(1.5)  # they wait for their batch
        process.send_signal(signal.SIGTERM)
        assert [one.result()[0] for one in asked] == [200] * 8
    assert process.wait(120) == 0
    page, stopping = process.stdout.read().splitlines()
    assert page == f"page: {address}/"
    assert stopping == "stopping: requests that are being answered are answered"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("nowhere",), "nowhere: expected a model, or a folder of models, received none. Check the path."),
        (("KIT", "KIT"), "models: expected a name each, received shapes twice. Write NAME=PATH."),
        (("EMPTY",), "1 model(s) did not become available"),
    ],
)
def test_what_can_not_be_served_ends_in_one_line(kit, tmp_path, given, message):
    (tmp_path / "empty").mkdir()
    places = {"KIT": str(kit), "EMPTY": str(tmp_path / "empty")}
    command = [sys.executable, "-m", "zsltf", "serve", *(places.get(one, one) for one in given)]
    command += ["--rest-port", "0", "--grpc-port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
