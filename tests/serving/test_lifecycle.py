"""Versions, configs and calls over time: what comes, goes, fails, is away for a while, or takes too long."""

import asyncio
import concurrent.futures
import logging
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from serving.local_server import models_config, post, running, states, until
from tensorflow_serving.apis import (
    model_management_pb2,
    model_service_pb2_grpc,
)

from zsltf.prediction import open_artifact
from zsltf.serving.batching import Batcher, BatchingOptions
from zsltf.serving.config import config_of
from zsltf.serving.models import Models
from zsltf.serving.servable import load
from zsltf.serving.server import ServerOptions
from zsltf.serving.status import RequestError

v1 = tf.compat.v1
REST = ServerOptions(rest_port=0, grpc_port=None, poll_seconds=0.1)
TWO = {"instances": [2.0]}


def save(path, signature):
    """A SavedModel of one signature: placeholders by name, and what it makes of them."""
    with v1.Graph().as_default(), v1.Session() as session:
        inputs, outputs = signature()
        builder = v1.saved_model.Builder(str(path))
        definition = v1.saved_model.predict_signature_def(inputs, outputs)
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": definition})
        builder.save()
    return path


def endless():
    x = v1.placeholder(tf.float32, [None], "x")
    return {"x": x}, {"y": tf.while_loop(lambda _: True, lambda y: y + 0 * tf.reduce_sum(y), [x])[0]}


def positive():
    x = v1.placeholder(tf.float32, [None], "x")
    y = tf.boolean_mask(x, x > 0)
    y.set_shape([None])
    return {"x": x}, {"y": y}


def test_a_base_path_that_is_away_unloads_nothing(base, caplog):
    with running(models_config({"m": base}), REST) as addresses:
        base.rename(base.with_name("away"))
        until(lambda: "Could not find base path" in caplog.text)
        assert post(addresses.rest, "m:predict", TWO) == (200, {"predictions": [3.0]})
        base.with_name("away").rename(base)
        shutil.copytree(base / "1", base / "2")
        until(lambda: states(addresses.rest).get(2, ("", ""))[0] == "AVAILABLE")


def test_what_is_no_int64_is_no_version_and_of_two_names_the_last_counts(base, half_plus_two):
    for name in ("20240101120000123456", "٣", "01"):
        shutil.copytree(half_plus_two, base / name)
    shutil.rmtree(base / "01" / "variables", ignore_errors=True)
    (base / "01" / "saved_model.pb").write_bytes(b"sorts before 1")
    with running(models_config({"m": base}), REST) as addresses:
        assert states(addresses.rest) == {1: ("AVAILABLE", "")}


def test_what_is_loaded_unloaded_or_fails_is_logged(base, half_plus_two, caplog):
    caplog.set_level(logging.INFO, "zsltf.serving")
    with running(models_config({"m": base}), REST) as addresses:
        (base / "3").mkdir()
        (base / "3" / "saved_model.pb").write_bytes(b"half a file")
        until(lambda: "m: version 3 was not loaded: " in caplog.text)
        shutil.rmtree(base / "3")
        shutil.copytree(half_plus_two, base / "2")
        until(lambda: states(addresses.rest)[1][0] == "END")
    assert "m: version 1 is available" in caplog.text
    assert "m: version 1 was unloaded" in caplog.text


class Slow:
    """Loads that wait for a word, and how many there were."""

    def __init__(self, monkeypatch):
        self.go, self.loads = threading.Event(), 0
        monkeypatch.setattr("zsltf.serving.models.load", self._load)

    def _load(self, path):
        self.loads += 1
        self.go.wait()
        return load(path)


def test_a_load_keeps_no_request_waiting(base, half_plus_two, monkeypatch):
    with running(models_config({"m": base}), replace(REST, threads=1)) as to:
        slow = Slow(monkeypatch)
        shutil.copytree(half_plus_two, base / "2")
        until(lambda: slow.loads)
        assert post(to.rest, "m:predict", TWO, timeout=20) == (200, {"predictions": [3.0]})
        slow.go.set()
        until(lambda: states(to.rest)[2][0] == "AVAILABLE")


def test_a_reload_goes_on_when_its_caller_has_left(base, half_plus_two, monkeypatch):
    options = ServerOptions(rest_port=0, grpc_port=0, poll_seconds=0)
    shutil.copytree(half_plus_two, base.with_name("other") / "1")
    with running(models_config({"m": base}), options) as to, grpc.insecure_channel(to.grpc) as channel:
        slow, service = Slow(monkeypatch), model_service_pb2_grpc.ModelServiceStub(channel)
        both = models_config({"m": base, "n": base.with_name("other")})
        with pytest.raises(grpc.RpcError, match="DEADLINE_EXCEEDED"):
            service.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(config=both), timeout=0.5)
        slow.go.set()
        until(lambda: states(to.rest, "n") == {1: ("AVAILABLE", "")})


def test_configs_are_carried_out_one_after_the_other(base, half_plus_two):
    shutil.copytree(half_plus_two, base.with_name("other") / "1")
    one, both = models_config({"m": base}), models_config({"m": base, "n": base.with_name("other")})

    async def main():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            models = Models(pool)
            await models.configure(both)
            await asyncio.gather(*(models.configure(config) for config in (one, one, both, one, both)))
            found = models.version("n").number
            await models.close()
            return found

    assert asyncio.run(main()) == 1


def test_a_changed_config_file_is_followed(base, half_plus_two, tmp_path):
    file = tmp_path / "models.config"

    def describe(label, bases):
        file.write_text(text_format.MessageToString(models_config(bases, {"m": {"stable": label}})), "utf-8")

    describe(1, {"m": base})
    with running(lambda: config_of([str(file)]), REST) as addresses:
        assert post(addresses.rest, "m/labels/stable:predict", TWO)[0] == 200
        shutil.copytree(half_plus_two, base / "2")
        describe(2, {"m": base, "n": half_plus_two})
        until(lambda: post(addresses.rest, "n:predict", TWO)[0] == 200)
        assert post(addresses.rest, "m/labels/stable:predict", TWO) == (200, {"predictions": [3.0]})
        file.write_text("no config", "utf-8")  # what is served goes on
        time.sleep(0.5)
        assert post(addresses.rest, "m/labels/stable:predict", TWO)[0] == 200


def test_a_call_that_does_not_end_is_left_when_the_server_stops(tmp_path):
    save(tmp_path / "m" / "1", endless)
    given = ("--rest-port", "0", "--grpc-port", "None", "--timeout", "1", "--drain-seconds", "1")
    command = [sys.executable, "-m", "zsltf", "serve", str(tmp_path / "m"), *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().partition(": ")[2].strip()
            assert post(address, "m:predict", TWO) == (504, {"error": "Timed out"})
            server.terminate()
            assert server.wait(60) == 0
            assert "a call has not ended: it is left" in server.stdout.read()
        finally:
            server.kill()


def test_rows_that_a_model_leaves_out_are_nobody_elses(tmp_path):
    servable = load(save(tmp_path / "m", positive))

    async def main():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            batcher = Batcher(servable, "serving_default", BatchingOptions(batch_timeout_micros=50_000), pool)
            inputs = [np.array([value], np.float32) for value in (-5, 6)]
            return await asyncio.gather(*(batcher({"x": x}) for x in inputs), return_exceptions=True)

    refused, answered = asyncio.run(main())
    assert isinstance(refused, RequestError)
    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.message.startswith("Batched output tensor's 0th dimension does not equal the sum of")
    np.testing.assert_array_equal(answered["y"], [6])


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_an_artifact_may_be_called_by_several_threads(finished, name):
    artifact = open_artifact(finished / "export" / name)
    photos = np.random.default_rng(0).integers(0, 256, (24, 1, 40, 40, 3), dtype=np.uint8)
    expected = [artifact(photo)["scores"] for photo in photos]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: artifact(photos[i % 24])["scores"], range(240)))
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected * 10))


def test_a_taken_port_is_told(base):
    config = models_config({"m": base})
    with running(config, ServerOptions(rest_port=None, grpc_port=0)) as addresses:
        port = int(addresses.grpc.rpartition(":")[2])
        with pytest.raises(OSError, match=rf"can't listen on 127\.0\.0\.1:{port}; the port may be taken"):
            running(config, ServerOptions(rest_port=None, grpc_port=port)).__enter__()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rest_port": 99_999}, r"expected two ports in 0\.\.65535, received 99999, 8500\. Choose free ones\."),
        ({"rest_port": 9000, "grpc_port": 9000}, r"expected two ports in 0\.\.65535, received 9000, 9000"),
        ({"certificate": Path("no"), "key": Path("no")}, r"no: expected a PEM file, received none\. Check the path\."),
    ],
)
def test_server_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        ServerOptions(**options)
