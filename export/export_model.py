"""Export a run or a saved Classifier to SavedModel, TFLite and ONNX; each file is compared with Keras first.

zsltf export runs/zero_shot --format all
zsltf export runs/any_shot.keras --format onnx                  (into runs/any_shot/export)
zsltf export runs/finetune --format serving --name animals      (a folder for TensorFlow Serving)
zsltf export runs/finetune --format web --runtime litert        (a web page that runs the model in the browser)
zsltf export runs/finetune --format mobile                      (TFLite files, and Kotlin and Swift for this model)
zsltf export runs/finetune --format tflite --int8 --budget 0.5pt --calibrate photos/   (labelled, not trained on)
"""

import itertools
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.budget import Found
from zsltf.checks import check_choice, fail
from zsltf.delivery import Delivered, deliver
from zsltf.discovery import names
from zsltf.export_options import ExportOptions
from zsltf.files import atomic_file, check_writable
from zsltf.proof import Proof
from zsltf.reports.html import write_report
from zsltf.reports.next_step import predict_command
from zsltf.runs import Run, opened
from zsltf.serving.mobile_folder import write_mobile
from zsltf.serving.web_folder import WebOptions, write_web_folder


@dataclass(frozen=True, kw_only=True)
class Config:
    """Write, read back by the real runtime, compare with Keras on the golden batch, publish."""

    run: tyro.conf.Positional[Path]
    """A run folder, or a .keras file with a Classifier from images."""
    format: str = "all"
    """saved_model, tflite, onnx, some of them with commas between, or all; or serving: a folder for TensorFlow Serving,
    where each export is the next version; web: a folder with a web page, for any web server; or mobile: what an app
    for phones needs."""
    options: tyro.conf.OmitArgPrefixes[ExportOptions] = field(default_factory=ExportOptions)
    web: tyro.conf.OmitArgPrefixes[WebOptions] = field(default_factory=WebOptions)
    name: str | None = None
    """Of the model: by default model with --format serving, and as the run with --format web."""
    label: str = "stable"
    """Of the new version, with --format serving."""
    out: Path | None = None
    """Where to; by default RUN/export, or RUN/serving, web or mobile, where RUN is a .keras file's path without the
    suffix."""
    overwrite: Annotated[bool, tyro.conf.arg(aliases=["--force"])] = False
    """Replace an earlier export."""


def main(config: Config) -> None:
    """Run folder -> files, the tables of differences and of integer files, and the report with both in it."""
    asked = [name.strip() for name in config.format.split(",")]
    for name in asked:
        check_choice("--format", name, (*names("exporters"), "all", *_ALONE))
    if len(asked) > 1 and (alone := _ALONE.keys() & set(asked)):
        fail("--format", f"{min(alone)} by itself", config.format, "Export once for each.")
    if config.format != "web" and config.web != WebOptions():
        fail("--runtime and --runtime-files", "--format web, which they are for", config.format, "Leave them out.")
    folder = config.run.with_suffix("") if config.run.suffix == ".keras" else config.run
    with opened(config.run) as run:
        if config.format in _ALONE:
            _ALONE[config.format](config, run, config.out or folder / config.format)
        else:
            _export(config, run, config.out or folder / "export")


def _export(config: Config, run: Run, out: Path) -> None:
    by_itself = run.path != config.run
    if not by_itself:
        check_writable(run.path / "export.json", overwrite=True)  # and the report, after the slow work
    done = deliver(run, out, formats=config.format, options=config.options, overwrite=config.overwrite)
    if not by_itself:
        _add_to_report(run, done)
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(_table(done.proofs))
    if done.found is not None:
        console.print(_steps(done.found))
        console.print(_cost(done.found), highlight=False)
    for file in sorted({proof.file for proof in done.proofs}):
        print(predict_command(out / file, done.opens_by))
    print(shlex.join(["zsltf", "verify", str(out)]), "  # on any machine: python verify_artifact.py EXPORT")
    measured = run.path if config.out is None and not by_itself else out
    print(shlex.join(["zsltf", "benchmark", str(measured)]), "--images FOLDER  # labelled photos, not trained on")


def _add_to_report(run: Run, done: Delivered) -> None:
    found = None if done.found is None else done.found.described()
    with atomic_file(run.path / "export.json") as path:
        content = {"proofs": [asdict(proof) for proof in done.proofs], "quantisation": found}
        path.write_text(json.dumps(content, indent=1), "utf-8")
    write_report(run)


def _publish(config: Config, run: Run, root: Path) -> None:
    """The next version in a folder for TensorFlow Serving."""
    from zsltf.serving.kit import Kit, publish

    kit = Kit(name=Kit.name if config.name is None else config.name, label=config.label)
    done = publish(run, root, kit)
    Console(width=None if sys.stdout.isatty() else 110).print(_table(done.delivered.proofs))
    print(f"{done.path}: version {done.version} of {kit.name}")
    print(shlex.join(["zsltf", "serve", str(root)]), "  # development; TensorFlow Serving takes the same folder:")
    print(shlex.join(["docker", "compose", "--file", str(root / "compose.yaml"), "up"]))


def _web(config: Config, run: Run, out: Path) -> None:
    """A folder with the page."""
    page, name = Path(__file__).with_name("web"), config.name or run.path.resolve().name
    done = write_web_folder(
        run, out, page=page, name=name, web=config.web, options=config.options, overwrite=config.overwrite
    )
    Console(width=None if sys.stdout.isatty() else 110).print(_table(done.proofs))
    loaded = [path for path in out.rglob("*") if path.is_file() and "runtime" not in path.parts]
    print(f"{out}: {sum(path.stat().st_size for path in loaded) / 1e6:.1f} MB to load, besides the runtime")
    print(shlex.join(["python", "-m", "http.server", "--directory", str(out), "--bind", "127.0.0.1", "8080"]))


def _mobile(config: Config, run: Run, out: Path) -> None:
    """A folder for an app."""
    if config.options != ExportOptions():
        fail("--format mobile", "none of the formats' options", "some", "Leave them out: it writes both TFLite files.")
    done = write_mobile(run, out, config.overwrite)
    Console(width=None if sys.stdout.isatty() else 110).print(_table(done.proofs))
    print(f"{out}/README.md says what belongs into an app")


def _table(proofs: Sequence[Proof]) -> Table:
    title = "Scores against Keras: largest difference, relative to their spread over classes"
    headings = ("file", "MB", "seconds", "classes", "batch", "difference", "limit", "same top")
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for file, group in itertools.groupby(proofs, key=lambda proof: proof.file):
        rows = list(group)
        worst = max(rows, key=lambda proof: proof.difference)
        counts = (", ".join(map(str, sorted({getattr(p, field) for p in rows}))) for field in ("classes", "batch"))
        figures = (
            f"{worst.difference:.1e}",
            "" if worst.tolerance is None else f"{worst.tolerance:.0e}",
            f"{min(p.agreement for p in rows):.0%}",
        )
        table.add_row(file, f"{worst.megabytes:.1f}", f"{worst.seconds:.1f}", *counts, *figures)
    return table


def _steps(found: Found) -> Table:
    title = (
        f"Integer files on {found.photos[1]} photos; float32 {found.choice_accuracy:.3f}, budget {found.points:g} pt"
    )
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("precision", "float32 layers", "MB", "accuracy", "same top", "within", ""):
        table.add_column(heading, no_wrap=True)
    for step in found.steps:
        figures = (f"{step.megabytes:.2f}", f"{step.accuracy:.3f}", f"{step.agreement:.1%}")
        marks = ("yes" if step.within else "no", "chosen" if step == found.chosen else "")
        table.add_row(step.precision, str(step.float_layers), *figures, *marks)
    return table


def _cost(found: Found) -> str:
    low, high = (100 * bound for bound in found.interval)
    return (
        f"{found.chosen.precision} on {found.photos[2]} photos that neither calibrated nor chose: accuracy"
        f" {found.accuracy:.3f}, float32 {found.float_accuracy:.3f}; right answers {low:+.1f} to {high:+.1f} points"
        f" (95 %), same top class {found.agreement:.1%}."
    )


_ALONE = {"serving": _publish, "web": _web, "mobile": _mobile}
"""What is written by itself, and not beside other formats."""

if __name__ == "__main__":
    main(tyro.cli(Config))
