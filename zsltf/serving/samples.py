"""Sample requests of an exported model: for its warmup, and as JSON beside a script that sends them."""

import base64
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

__all__ = ["Samples", "sample_files", "sample_requests"]

Samples: TypeAlias = Mapping[str, tuple[str, Mapping[str, np.ndarray]]]
"""Name -> signature and inputs."""
_FEW = 2  # photos


def sample_requests(golden: Path) -> Samples:
    """One of each kind, from the golden photos and the class table of an export."""
    with np.load(golden, allow_pickle=False) as arrays:
        photos = arrays["fitted"][:_FEW]
        table = {name: arrays[name] for name in ("class_vectors", "class_bias")}
    encoded = np.empty(len(photos), object)
    encoded[:] = [_png(photo) for photo in photos]
    return {
        "from_bytes": ("from_bytes", {"encoded": encoded}),
        "images": ("serving_default", {"images": photos[:1]}),
        "open_vocabulary": ("open_vocabulary", {"images": photos[:1], **table}),
    }


def sample_files(samples: Samples, model: str, labels: Iterable[str]) -> dict[str, str]:
    """File -> content: a JSON file a request, and curl.sh, which sends them to the newest version and to each label."""
    files = {"curl.sh": Template(_CURL).substitute(name=model, labels=" ".join(sorted(labels)))}
    for name, (signature, inputs) in samples.items():
        body = {"signature_name": signature, "inputs": {key: _as_json(value) for key, value in inputs.items()}}
        files[f"{name}.json"] = json.dumps(body)
    return files


def _png(photo: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG")
    return buffer.getvalue()


def _as_json(value: np.ndarray) -> Any:
    if value.dtype == object:
        return [{"b64": base64.b64encode(entry).decode("ascii")} for entry in value]
    return value.tolist()


_CURL = """\
#!/bin/sh
# One request of each kind; the server's address may be given. It ends at the first that fails.
set -eu
cd "$$(dirname "$$0")"
model="$${1:-http://127.0.0.1:8501}/v1/models/$name"
ask() {
    curl -sS --fail-with-body --write-out '\\n' "$$@"
}
ask "$$model"
ask "$$model/metadata"
for request in from_bytes images open_vocabulary; do
    ask --data "@$$request.json" "$$model:predict"
done
for label in $labels; do
    ask --data @from_bytes.json "$$model/labels/$$label:predict"
done
"""
