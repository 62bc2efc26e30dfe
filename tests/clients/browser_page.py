"""Headless Chromium with a runtime's own files and one model: no line of zsltf's page runs in it."""

import base64
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from web.browser import chromium
from web.web_server import served

from zsltf.serving.browser_runtime import RUNTIMES

_PAGE = """<!doctype html>
<title>A runtime</title>
<script type="importmap">{ "imports": { "@litertjs/wasm-utils": "/wasm-utils.js" } }</script>
"""
_TENSORS = """
const typed = { uint8: Uint8Array, float32: Float32Array };
const arrays = (inputs) => Object.fromEntries(Object.entries(inputs).map(([name, { type, shape, data }]) => {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  return [name, { type, shape, data: new typed[type](bytes.buffer) }];
}));
"""


@contextmanager
def opened_page(runtime, files, start, call):
    """Yield what calls the model in the browser.

    Args:
        runtime: of zsltf.serving.browser_runtime.RUNTIMES.
        files: served beside the runtime, under their own names.
        start: JavaScript that makes the `model`, with `name` the first file.
        call: JavaScript that makes `scores`, with `inputs`: name -> type, shape and data.
    """
    node_modules = os.environ.get("ZSLTF_NODE_MODULES")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch, "site")
        folder.mkdir()
        for name, content in RUNTIMES[runtime].read(Path(node_modules) if node_modules else None).items():
            (folder / name).write_bytes(content)
        for file in files:
            shutil.copyfile(file, folder / file.name)
        (folder / "index.html").write_text(_PAGE, "utf-8")
        with served(folder) as server, chromium(Path(scratch, "chromium")) as page:
            page.driver.get(server.address)
            page.driver.set_script_timeout(120)
            _run(page, f"const [name] = inputs; {start} window.model = model; return null;", [files[0].name])

            def scores(**inputs):
                told = {name: _packed(values) for name, values in inputs.items()}
                return np.array(_run(page, f"{_TENSORS} const model = window.model; {call}", told), np.float32)

            yield scores


def _run(page, body, inputs):
    """What an asynchronous function's body returns; what it throws is raised."""
    answer = page.driver.execute_async_script(
        f"""
        const [inputs, done] = arguments;
        (async () => {{ {body} }})().then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));
        """,
        inputs,
    )
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["value"]


def _packed(values):
    return {"type": values.dtype.name, "shape": values.shape, "data": base64.b64encode(values.tobytes()).decode()}
