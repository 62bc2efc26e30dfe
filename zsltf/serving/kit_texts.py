"""What stands beside the versions in a folder for TensorFlow Serving: configs, a compose file, a check, a README."""

from collections.abc import Mapping
from string import Template
from urllib.parse import quote

import tensorflow as tf
from tensorflow_serving.config import model_server_config_pb2

__all__ = ["about", "settings"]


def settings(image: str) -> dict[str, str]:
    """File -> content of what is written once, for it is the user's to change.

    Args:
        image: the container image of the compose file.
    """
    return {file: Template(text).substitute(image=image) for file, text in _SETTINGS.items()}


def about(config: model_server_config_pb2.ModelServerConfig, image: str) -> dict[str, str]:
    """File -> content of what follows from the models of the config.

    Args:
        config: of the whole folder.
        image: that `settings` got.
    """
    models = config.model_config_list.config
    values = {
        "image": image,
        "tensorflow": tf.__version__,
        "checked": " ".join(path for model in models for path in _checked(model)),
        "models": "\n".join(f"- `{model.name}`: {_labels(model)}" for model in models),
    }
    return {file: Template(text).substitute(values) for file, text in _ABOUT.items()}


def _checked(model: model_server_config_pb2.ModelConfig) -> list[str]:
    """By number: in a server that runs, a label stays with its version while the next one doesn't load."""
    name = quote(model.name, safe="")
    return [f"{name}/versions/{version}" for version in sorted(set(model.version_labels.values()))] or [name]


def _labels(model: model_server_config_pb2.ModelConfig) -> str:
    found = sorted(model.version_labels.items(), key=lambda item: item[1])
    return ", ".join(f"label `{label}` is version {version}" for label, version in found) or "no label"


_SETTINGS: Mapping[str, str] = {
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
      - --model_config_file_poll_wait_seconds=10
      - --file_system_poll_wait_seconds=5
      - --allow_version_labels_for_unavailable_models=true
      - --monitoring_config_file=/config/monitoring.config
    entrypoint: ["tensorflow_model_server", "--port=8500", "--rest_api_port=8501"]
    ports: ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    volumes:
      - ./models:/models:ro
      - ./:/config:ro
    healthcheck:
      test: ["CMD", "bash", "/config/health.sh"]
      interval: 10s
      timeout: 5s
      retries: 6
""",
}

_ABOUT: Mapping[str, str] = {
    "health.sh": """\
#!/bin/bash
# Status 0 if every version that has a label in models.config answers; the port of REST may be given.
for path in $checked; do
    exec 3<>"/dev/tcp/127.0.0.1/$${1:-8501}" || exit 1
    printf 'GET /v1/models/%s/metadata HTTP/1.0\\r\\n\\r\\n' "$$path" >&3
    grep -q '^HTTP/1.. 200' <&3 || exit 1
done
""",
    "README.md": """\
# Models for TensorFlow Serving

    docker compose up                 # the binary, on 127.0.0.1:8500 (gRPC) and :8501 (REST)
    zsltf serve .                     # or zsltf's local server of the same protocol: development and small deployments
    bash health.sh                    # status 0 if every version that has a label answers
    sh requests/NAME/curl.sh          # sample requests of a model, for curl 7.76 or newer

$models

`models/NAME/` holds a folder a version; requests that name neither version nor label go to the newest. `zsltf export
RUN --format serving --name NAME --out .` adds the next version, or another model. The binary of `compose.yaml` looks
for versions every 5 s and reads `models.config` every 10 s; a label that another version had moves once the new version
is loaded, and until then the version before answers to it.

Signatures: `from_bytes` (encoded photos, a fraction of the bytes and of the time), `serving_default` (uint8 pixels),
`open_vocabulary` (pixels, class_vectors, class_bias), `embed`, `table`, and `project` where semantics are not the class
vectors themselves.

`compose.yaml`, `batching.config` and `monitoring.config` are yours to change: an export leaves them as they are.
`batching.config` is for `--enable_batching --batching_parameters_file=/config/batching.config`. The binary then joins
the inputs of every signature along their first axis and refuses calls whose inputs differ there, which those of
`open_vocabulary` do: leave it out if you need them.

## The versions of TensorFlow

The last export was written by TensorFlow $tensorflow; the image is `$image` unless you changed it.
TensorFlow guarantees that a newer runtime reads what an older one has written, not the other way round, and the binary
was not run on these files. So try `docker compose up` and `bash health.sh` before you rely on it. If the server refuses
a version, name a newer image in `compose.yaml`, or export again with the TensorFlow of the image
(`pip install 'tensorflow==2.20.*'` for `tensorflow/serving:2.20.0`).
""",
}
