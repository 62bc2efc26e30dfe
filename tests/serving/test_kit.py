"""The folder for TensorFlow Serving's binary, checked by what stands in for it: protos, the v1 loader, replay."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from zsltf.cli import main
from zsltf.prediction import open_artifact
from zsltf.serving.servable import load
from zsltf.serving.warmup import read_warmup, replay

INT64, BOOL, STRING, MESSAGE = (
    getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name}") for name in ("INT64", "BOOL", "STRING", "MESSAGE")
)
# Fields as tensorflow_serving/servables/tensorflow/session_bundle_config.proto numbers them.
BATCHING = {
    "max_batch_size": (1, "google.protobuf.Int64Value"),
    "batch_timeout_micros": (2, "google.protobuf.Int64Value"),
    "max_enqueued_batches": (3, "google.protobuf.Int64Value"),
    "num_batch_threads": (4, "google.protobuf.Int64Value"),
    "thread_pool_name": (5, "google.protobuf.StringValue"),
    "pad_variable_length_inputs": (7, BOOL),
}
# Fields as tensorflow_serving/config/monitoring_config.proto numbers them.
PROMETHEUS = {"enable": (1, BOOL), "path": (2, STRING)}
MONITORING = {"prometheus_config": (1, "checked.PrometheusConfig")}


@pytest.fixture(scope="module")
def messages():
    """Messages that are not in tensorflow-serving-api, from the tables of their fields."""
    file = descriptor_pb2.FileDescriptorProto(name="checked.proto", package="checked", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    tables = {"PrometheusConfig": PROMETHEUS, "MonitoringConfig": MONITORING, "BatchingParameters": BATCHING}
    for name, fields in tables.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            added = message.field.add(name=field, number=number, label=1)
            if isinstance(kind, str):
                added.type, added.type_name = MESSAGE, f".{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.Default()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"checked.{name}")) for name in tables}


def versions(kit):
    return sorted((kit / "models" / "shapes").iterdir())


def test_each_export_is_the_next_version_and_nothing_else_is_there(kit):
    assert [entry.name for entry in versions(kit)] == ["1", "2"]
    assert {entry.name for entry in kit.iterdir()} == {
        "models",
        "models.config",
        "batching.config",
        "monitoring.config",
        "compose.yaml",
        "health.sh",
        "requests",
        "README.md",
    }
    for version in versions(kit):
        assert {entry.name for entry in version.iterdir()} >= {"saved_model.pb", "variables", "assets", "assets.extra"}


def test_the_config_names_the_model_its_versions_and_labels(kit):
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((kit / "models.config").read_text("utf-8"), config)
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("shapes", "/models/shapes", "tensorflow")
    assert model.model_version_policy.latest.num_versions == 3  # from the oldest with a label to the one to come
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}


def test_the_other_configs_have_the_fields_of_their_messages(kit, messages):
    batching = text_format.Parse((kit / "batching.config").read_text("utf-8"), messages["BatchingParameters"]())
    assert batching.max_batch_size.value == 32
    assert batching.num_batch_threads.value == 2
    monitoring = text_format.Parse((kit / "monitoring.config").read_text("utf-8"), messages["MonitoringConfig"]())
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_the_compose_file_names_the_image_by_tag_and_checks_its_health(kit):
    service = yaml.safe_load((kit / "compose.yaml").read_text("utf-8"))["services"]["serving"]
    assert service["image"].startswith("tensorflow/serving:2.")
    assert service["healthcheck"]["test"] == ["CMD", "bash", "/config/health.sh"]
    assert "./:/config:ro" in service["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for option in (
        "--model_config_file=/config/models.config",
        "--monitoring_config_file=/config/monitoring.config",
        "--model_config_file_poll_wait_seconds=10",
        "--file_system_poll_wait_seconds=5",
    ):
        assert option in service["command"]


def health(kit, port):
    done = subprocess.run(["/bin/bash", str(kit / "health.sh"), str(port)], capture_output=True, check=False)
    return done.returncode


def test_the_health_is_good_when_each_labelled_version_answers_and_only_then(kit, shapes, tmp_path):
    port = shapes.rest.rpartition(":")[2]
    assert health(kit, port) == 0
    text = (kit / "health.sh").read_text("utf-8")
    assert "for path in shapes/versions/1 shapes/versions/2; do" in text
    for changed in ("shapes/versions/3", "other"):  # a version that failed, a model that did
        (tmp_path / "health.sh").write_text(text.replace("shapes/versions/2", changed))
        assert health(tmp_path, port) == 1


def test_the_health_is_bad_when_no_server_listens(kit):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert health(kit, bound.getsockname()[1]) == 1


def test_the_readme_names_models_versions_and_the_runtimes(kit):
    text = (kit / "README.md").read_text("utf-8")
    assert "- `shapes`: label `stable` is version 1, label `canary` is version 2" in text
    service = yaml.safe_load((kit / "compose.yaml").read_text("utf-8"))["services"]["serving"]
    assert f"written by TensorFlow {tf.__version__}; the image is `{service['image']}`" in text


def test_warmup_records_are_requests_that_the_model_answers(kit):
    for version in versions(kit):
        specs = [log.predict_log.request.model_spec for log in read_warmup(version)]
        assert {spec.name for spec in specs} == {"shapes"}
        assert {spec.signature_name for spec in specs} == {"from_bytes", "serving_default", "open_vocabulary"}
        replay(load(version), version)


def test_the_v1_loader_says_what_the_exported_file_says(kit, finished):
    artifact = open_artifact(finished / "export" / "saved_model")
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), dtype=np.uint8)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(versions(kit)[0]))
        signature = meta.signature_def["serving_default"]
        got = session.run(signature.outputs["scores"].name, {signature.inputs["images"].name: images})
    np.testing.assert_array_equal(got, artifact(images)["scores"])


def test_saved_model_cli_shows_the_signatures(kit):
    command = [str(Path(sys.executable).with_name("saved_model_cli")), "show", "--dir", str(versions(kit)[0]), "--all"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for signature in ("serving_default", "from_bytes", "open_vocabulary", "embed", "table"):
        assert f"signature_def['{signature}']" in shown


def test_sample_requests_are_json_in_column_form(kit):
    for name in ("from_bytes", "images", "open_vocabulary"):
        body = json.loads((kit / "requests" / "shapes" / f"{name}.json").read_text("utf-8"))
        assert set(body) == {"signature_name", "inputs"}


def curl(script, address):
    """Status and documents."""
    done = subprocess.run(["/bin/sh", str(script), address], capture_output=True, text=True, check=False)
    parts = re.split(r"(?<=^\})\n", done.stdout, flags=re.MULTILINE)
    return done.returncode, [json.loads(part) for part in parts if part]


def test_the_sample_requests_are_answered_each_by_lines_of_its_own(kit, shapes):
    status, answers = curl(kit / "requests" / "shapes" / "curl.sh", shapes.rest)
    assert status == 0
    assert [next(iter(answer)) for answer in answers] == ["model_version_status", "model_spec", *["outputs"] * 5]


def test_a_sample_request_that_fails_ends_the_script_in_an_error(kit, shapes, tmp_path):
    script = (kit / "requests" / "shapes" / "curl.sh").read_text("utf-8")
    assert "for label in canary stable; do" in script
    shutil.copytree(kit / "requests" / "shapes", tmp_path / "requests")
    (tmp_path / "requests" / "curl.sh").write_text(script.replace("canary", "nobody"))
    status, answers = curl(tmp_path / "requests" / "curl.sh", shapes.rest)
    assert status != 0
    assert answers[-1] == {"error": "Unrecognized servable version label: nobody"}


@pytest.fixture
def copied(kit, tmp_path):
    return shutil.copytree(kit, tmp_path / "kit")


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_model_leaves_what_is_of_the_first(copied, finished, capsys):
    (copied / "compose.yaml").write_text("services: {}  # mine")
    before = content(copied)
    assert main(["export", str(finished), "--format", "serving", "--name", "other", "--out", str(copied)]) == 0
    assert f"docker compose --file {copied / 'compose.yaml'} up" in capsys.readouterr().out
    after = content(copied)
    changed = {path.relative_to(copied).as_posix() for path, data in before.items() if after[path] != data}
    assert changed == {"models.config", "README.md", "health.sh"}
    assert (copied / "requests" / "other" / "curl.sh").is_file()
    assert "in shapes/versions/1 shapes/versions/2 other/versions/1;" in (copied / "health.sh").read_text("utf-8")
    readme = (copied / "README.md").read_text("utf-8")
    assert "- `shapes`: label `stable` is version 1, label `canary` is version 2\n- `other`: label" in readme


def test_a_damaged_config_is_refused_before_the_slow_work(copied, finished, capsys):
    (copied / "models.config").write_text("model_config_list {")
    before = content(copied)
    assert main(["export", str(finished), "--format", "serving", "--name", "shapes", "--out", str(copied)]) == 1
    assert "models.config: expected a ModelServerConfig as text, received " in capsys.readouterr().err
    assert content(copied) == before


def test_the_next_step_that_an_export_prints_serves_the_folder(kit):
    command = [sys.executable, "-m", "zsltf", "serve", str(kit), "--rest-port", "0", "--grpc-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().partition("REST: ")[2].strip()
            assert address, process.stderr.read()
            assert curl(kit / "requests" / "shapes" / "curl.sh", address)[0] == 0
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "a b", "ü"])
def test_names_that_are_no_part_of_a_url_are_refused(finished, tmp_path, capsys, name):
    assert main(["export", str(finished), "--format", "serving", "--name", name, "--out", str(tmp_path / "k")]) == 1
    assert "Kit.name: expected letters, digits, - and _, received " in capsys.readouterr().err
    assert not (tmp_path / "k").exists()


def test_a_version_that_fails_leaves_nothing(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("zsltf.serving.kit.write_warmup", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["export", str(finished), "--format", "serving", "--out", str(tmp_path / "k")])
    assert not list((tmp_path / "k" / "models" / "model").iterdir())
