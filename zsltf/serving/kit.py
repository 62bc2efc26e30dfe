"""A folder that TensorFlow Serving's binary takes as it is: versions, configs, warmup, sample requests."""

import base64
import io
import json
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorflow_serving.config import model_server_config_pb2

from zsltf.artifacts.manifest import GOLDEN
from zsltf.checks import fail
from zsltf.delivery import Delivered, deliver
from zsltf.files import atomic_directory, atomic_file, locked
from zsltf.runs import Run
from zsltf.serving.config import CONFIG
from zsltf.serving.warmup import write_warmup

__all__ = ["Kit", "Published", "publish"]

_FEW = 2  # photos of the sample requests and of the warmup


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What the folder is to say."""

    name: str = "model"
    """Of the model in requests."""
    label: str = "stable"
    """That the new version gets."""
    image: str = "tensorflow/serving:2.19.1"
    """The container image of the compose file."""
    keep: int = 2
    """How many versions, the newest ones, the server loads: the one before allows a way back."""

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("label", self.label)):
            if not text.replace("_", "").replace("-", "").isalnum() or not text.isascii():
                fail(f"Kit.{what}", "letters, digits, - and _", repr(text), "It is part of URLs.")
        if self.keep < 1:
            fail("Kit.keep", "1 or more", str(self.keep), "Start from the default.")


@dataclass(frozen=True, kw_only=True)
class Published:
    """A new version."""

    version: int
    path: Path
    delivered: Delivered


def publish(run: Run, root: Path, kit: Kit | None = None) -> Published:
    """Export a run's SavedModel, proved, as the next version under root/models/NAME, and write what belongs to it.

    The version appears at once and whole: a server that polls the folder never sees a part of it.

    Args:
        run: what is exported.
        root: the folder, new or of an earlier call.
        kit: names, and what the configs say.

    Raises:
        ValueError: if the SavedModel differs from Keras.
    """
    kit = kit or Kit()
    base = root / "models" / kit.name
    base.mkdir(parents=True, exist_ok=True)
    with locked(root):
        version = 1 + max((int(entry.name) for entry in base.iterdir() if entry.name.isdecimal()), default=0)
        with atomic_directory(base / str(version)) as staging:
            exported = staging.with_name(f"{staging.name}.export.partial")
            try:
                delivered = deliver(run, exported, formats="saved_model")
                photos, table = _golden(exported / GOLDEN)
                shutil.copytree(exported / "saved_model", staging, dirs_exist_ok=True)
            finally:
                shutil.rmtree(exported, ignore_errors=True)
            samples = _samples(photos, table)
            write_warmup(staging, kit.name, list(samples.values()))
        _write_about(root, kit, version, samples)
    return Published(version=version, path=base / str(version), delivered=delivered)


def _golden(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A few photos, and the class table."""
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["fitted"][:_FEW], {name: arrays[name] for name in ("class_vectors", "class_bias")}


def _samples(photos: np.ndarray, table: Mapping[str, np.ndarray]) -> dict[str, tuple[str, dict[str, np.ndarray]]]:
    """Name -> signature and inputs."""
    encoded = np.empty(len(photos), object)
    encoded[:] = [_png(photo) for photo in photos]
    return {
        "from_bytes": ("from_bytes", {"encoded": encoded}),
        "images": ("serving_default", {"images": photos[:1]}),
        "open_vocabulary": ("open_vocabulary", {"images": photos[:1], **table}),
    }


def _png(photo: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG")
    return buffer.getvalue()


def _write_about(root: Path, kit: Kit, version: int, samples: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    values = {"name": kit.name, "image": kit.image, "version": str(version), "label": kit.label}
    files = {CONFIG: _models_config(root / CONFIG, kit, version)}
    files |= {name: Template(text).substitute(values) for name, text in _TEXTS.items()}
    for name, (signature, inputs) in samples.items():
        body = {"signature_name": signature, "inputs": {key: _as_json(value) for key, value in inputs.items()}}
        files[f"requests/{name}.json"] = json.dumps(body)
    (root / "requests").mkdir(exist_ok=True)
    for file, text in files.items():
        with atomic_file(root / file) as path:
            path.write_text(text, "utf-8")
            if file.endswith(".sh"):
                path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _models_config(path: Path, kit: Kit, version: int) -> str:
    """The config of all models that the folder has, with this one brought up to date."""
    config = model_server_config_pb2.ModelServerConfig()
    if path.is_file():
        text_format.Parse(path.read_text("utf-8"), config)
    models = config.model_config_list.config
    given = next((model for model in models if model.name == kit.name), None) or models.add(name=kit.name)
    given.base_path, given.model_platform = f"/models/{kit.name}", "tensorflow"
    given.model_version_policy.latest.num_versions = kit.keep
    oldest = version - kit.keep + 1
    for label in [label for label, number in given.version_labels.items() if number < oldest]:
        del given.version_labels[label]
    given.version_labels[kit.label] = version
    return str(text_format.MessageToString(config))


def _as_json(value: np.ndarray) -> Any:
    if value.dtype == object:
        return [{"b64": base64.b64encode(entry).decode("ascii")} for entry in value]
    return value.tolist()


_TEXTS: Mapping[str, str] = {
    "batching.config": """\
max_batch_size { value: 32 }
batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
""",
    "monitoring.config": """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
""",
    "compose.yaml": """\
services:
  serving:
    image: $image
    command:
      - --model_config_file=/config/models.config
      - --model_config_file_poll_wait_seconds=60
      - --allow_version_labels_for_unavailable_models=true
      - --monitoring_config_file=/config/monitoring.config
    entrypoint: ["tensorflow_model_server", "--port=8500", "--rest_api_port=8501"]
    ports: ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    volumes:
      - ./models:/models:ro
      - ./:/config:ro
    healthcheck:
      test:
        - CMD
        - bash
        - -c
        - >-
          exec 3<>/dev/tcp/127.0.0.1/8501;
          printf 'GET /v1/models/$name HTTP/1.0\\r\\n\\r\\n' >&3;
          grep -q AVAILABLE <&3
      interval: 10s
      timeout: 5s
      retries: 6
""",
    "requests/curl.sh": """\
#!/bin/sh
# One request of each kind; the server's address may be given.
cd "$$(dirname "$$0")"
server=$${1:-http://127.0.0.1:8501}
curl -sS "$$server/v1/models/$name"
curl -sS "$$server/v1/models/$name/metadata"
for request in from_bytes images open_vocabulary; do
    curl -sS --data "@$$request.json" "$$server/v1/models/$name:predict"
done
curl -sS --data @from_bytes.json "$$server/v1/models/$name/labels/$label:predict"
""",
    "README.md": """\
# $name for TensorFlow Serving

    docker compose up                 # the binary, on 127.0.0.1:8500 (gRPC) and :8501 (REST)
    zsltf serve .                     # or zsltf's local server of the same protocol: development and small deployments
    sh requests/curl.sh               # sample requests

`models/$name/` holds a folder a version; the newest answers, and so does the label `$label`. `zsltf export RUN
--format serving --out .` adds the next version; running servers take it within seconds. Signatures: `from_bytes`
(encoded photos, a fraction of the bytes and of the time), `serving_default` (uint8 pixels), `open_vocabulary` (pixels,
class_vectors, class_bias), `embed`, `table`, and `project` where semantics are not the class vectors themselves.

`batching.config` is for `--enable_batching --batching_parameters_file=/config/batching.config`. The binary then joins
the inputs of every signature along their first axis and refuses calls whose inputs differ there, which those of
`open_vocabulary` do: leave it out if you need them.
""",
}
