"""The web page as a static folder: a run's model, the page, and the runtime that runs one in the other."""

import shutil
import tempfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from zsltf.artifacts.artifact import Artifact
from zsltf.checks import check_choice, fail
from zsltf.delivery import Delivered, deliver
from zsltf.export_options import ExportOptions
from zsltf.exporters._calibration import check_calibration
from zsltf.exporters._tflite_fixed import FixedTFLite
from zsltf.exporters.onnx import Onnx, project_path, table_path
from zsltf.files import atomic_directory, check_writable
from zsltf.runs import Run
from zsltf.serving.browser_runtime import RUNTIMES
from zsltf.serving.model_json import model_json
from zsltf.serving.page_files import CONTENT_TYPES, page_files

__all__ = ["WebOptions", "write_web_folder"]

Runtime = Literal["onnxruntime-web", "litert"]

_TAKEN = {"onnxruntime-web": ("precision", "opset", "memory", "calibrate"), "litert": ("precision",)}
_PRECISIONS = {"onnxruntime-web": Onnx.PRECISIONS, "litert": FixedTFLite.PRECISIONS}
_MODEL = "model/model.json"
_README = """# {name}

A web page that classifies photos with this model, and edits its classes, in the browser: photos stay on the machine,
and nothing is asked of any other server. Any web server serves it, such as

    python -m http.server --directory {folder} --bind 127.0.0.1 8080

after which it is at http://127.0.0.1:8080. On other machines the camera needs https.

- `index.html` and beside it: the page, of zsltf (Apache-2.0).
- `model/`: the network ({precision}), and `model.json` with its class table.
- `runtime/`: {runtime} as its authors publish it, with its licence.

What is edited in the page lasts as long as the page. Download `classes.json` there, and

    zsltf classes FILE apply classes.json

writes it into an exported file of the same run; `zsltf export RUN --format web` makes this folder anew.
"""


@dataclass(frozen=True, kw_only=True)
class WebOptions:
    """How browsers run the model."""

    runtime: Runtime = "onnxruntime-web"
    """With --format web: runs ONNX, or LiteRT.js, which runs TFLite."""
    runtime_files: Path | None = None
    """With --format web: a node_modules folder that has the runtime; by default it is fetched from npm, once."""

    def __post_init__(self) -> None:
        check_choice("--runtime", self.runtime, get_args(Runtime))


def write_web_folder(
    run: Run,
    out: Path,
    *,
    page: Path,
    name: str,
    web: WebOptions,
    options: ExportOptions | None = None,
    overwrite: bool = False,
) -> Delivered:
    """Write it; nothing appears unless the model's files say what Keras says.

    Args:
        run: what is exported.
        out: a new folder.
        page: the folder of the page's own files.
        name: of the model, for people.
        web: the browser's side.
        options: of the exporter; the precision is float16 by default.
        overwrite: replace an earlier page.

    Raises:
        ValueError: if a file differs from Keras, the runtime can't be had, or the options don't do.
    """
    options = _checked(options or ExportOptions(), web)
    check_writable(out, overwrite=overwrite, ours=_ours(out))
    runtime, beside = RUNTIMES[web.runtime].read(web.runtime_files), page_files(page)
    with tempfile.TemporaryDirectory() as scratch, atomic_directory(out, overwrite=overwrite) as folder:
        delivered, artifact, parts = _WRITERS[web.runtime](run, Path(scratch) / "export", options)
        there = {part: path for part, path in parts.items() if path.is_file()}
        files = {part: f"{part}{path.suffix}" for part, path in there.items()}
        described = model_json(
            name,
            web.runtime,
            artifact.card,
            artifact.class_vectors,
            artifact.class_bias,
            files={"network": None, "project": None, "compare": None, **files},
            runtime_files={"module": f"../runtime/{RUNTIMES[web.runtime].module}", "wasm": "../runtime/"},
        )
        told = {"precision": artifact.card.precision, "runtime": web.runtime, "folder": out.name}
        beside |= {f"runtime/{file}": content for file, content in runtime.items()}
        beside |= {_MODEL: described.encode(), "README.md": _README.format(name=name, **told).encode()}
        for file, content in beside.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(content)
        for part, path in there.items():
            shutil.copyfile(path, folder / "model" / files[part])
    return delivered


def _checked(options: ExportOptions, web: WebOptions) -> ExportOptions:
    """With one precision, and none that the page makes no use of."""
    taken = _TAKEN[web.runtime]
    for option in fields(options):
        if option.name not in taken and getattr(options, option.name) != option.default:
            known = ", ".join(f"--{name}" for name in taken)
            given = f"--{option.name.replace('_', '-')}"
            fail("--format web", f"with {web.runtime} no more than {known}", given, "Leave it out.")
    precisions = options.precisions("float16")
    if len(precisions) > 1:
        fail("--precision", "one, for a page has one model", ", ".join(precisions), "Write a folder for each.")
    check_choice("--precision", precisions[0], _PRECISIONS[web.runtime])
    checked = replace(options, precision=precisions)
    checked.search()
    if precisions[0] == "int8" and options.calibrate is None:
        check_calibration("--format web", "int8", None)
    return checked


def _onnx(run: Run, folder: Path, options: ExportOptions) -> tuple[Delivered, Artifact, dict[str, Path]]:
    """A proved network, read back, and where its parts lie, as far as there are such."""
    delivered = deliver(run, folder, formats="onnx", options=replace(options, open_variant=True))
    (network,) = folder.glob("*.open.onnx")
    return delivered, Onnx.read(network), {"network": network, "project": project_path(table_path(network))}


def _litert(run: Run, folder: Path, options: ExportOptions) -> tuple[Delivered, Artifact, dict[str, Path]]:
    """The same."""
    precision: Any = options.precisions()[0]
    exporter = FixedTFLite(precision=precision)
    delivered = deliver(run, folder, exporters=[exporter])
    network = folder / f"model{exporter.variant}{exporter.SUFFIX}"
    beside = {"project": exporter.project_path(network), "compare": exporter.compare_path(network)}
    return delivered, exporter.read(network), {"network": network, **beside}


def _ours(out: Path) -> tuple[str, ...]:
    """What an earlier page has put there, which may be replaced."""
    names = [path.name for path in out.iterdir() if path.suffix in CONTENT_TYPES] if out.is_dir() else []
    return (_MODEL, "model", "runtime", "README.md", *names)


_WRITERS = {"onnxruntime-web": _onnx, "litert": _litert}
