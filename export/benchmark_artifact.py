"""Benchmark the exported files of a run on labelled photos that it did not train on.

zsltf benchmark runs/linear_probe --images photos/     (a folder with one folder a class)
zsltf benchmark runs/linear_probe --images photos/ --least-accuracy 0.9     (status 1 if a file is below: a gate for CI)
"""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.artifacts.manifest import read_manifest
from zsltf.benchmarking import Measured, benchmark, common_classes
from zsltf.checks import fail
from zsltf.data.fitted_photos import FittedPhotos
from zsltf.files import atomic_file


@dataclass(frozen=True, kw_only=True)
class Config:
    """Time each file, test it, and compare it with Keras once more."""

    run: tyro.conf.Positional[Path]
    """A run folder with its export, or the folder of an export."""
    images: Path
    """Photos, one folder a class."""
    least_accuracy: float = 0.0
    """Status 1 if a file is less accurate, from 0 to 1, or does not pass."""


def main(config: Config) -> int:
    """Export -> table, benchmark.json, and the report with the table in it."""
    if not 0 <= config.least_accuracy <= 1:
        fail("--least-accuracy", "a share from 0 to 1", f"{config.least_accuracy:g}", "Write 0.9 for 90 %.")
    inside = (config.run / "manifest.json").is_file()
    folder = config.run if inside else config.run / "export"
    manifest = read_manifest(folder)
    facts, names = manifest["preprocessing"], common_classes(manifest)
    photos = FittedPhotos.read(config.images, names, size=facts["size"], resize=facts["resize"])
    rows = list(benchmark(folder, photos, names))
    Console(width=None if sys.stdout.isatty() else 110).print(_table(rows, len(photos)))
    if not inside:
        from zsltf.reports.html import write_report
        from zsltf.runs import Run

        with atomic_file(config.run / "benchmark.json") as path:
            machine = f"{platform.machine()}, {os.cpu_count()} cores"
            files = [asdict(row) for row in rows]
            path.write_text(json.dumps({"photos": len(photos), "machine": machine, "files": files}, indent=1), "utf-8")
        write_report(Run(config.run))
    below = [row for row in rows if row.status != "passed" or (row.accuracy or 0.0) < config.least_accuracy]
    for row in below:
        if row.status == "passed":
            why = f"accuracy {row.accuracy:.3f} is below {config.least_accuracy:g}"
        else:
            why = f"{row.status}: {row.reason}"
        print(f"{row.file}: {why}", file=sys.stderr)
    return int(bool(below))


def _table(rows: list[Measured], photos: int) -> Table:
    title = (
        f"{photos} photos; accuracy is the mean over classes; ms of a call with one photo; peak memory of the process;"
        " LiteRT: median ms by litert-benchmark, one thread"
    )
    headings = ("file", "status", "MB", "accuracy", "difference", "ms p50", "p95", "images/s", "peak MB", "LiteRT")
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=heading == "file")
    forms = ("{:.1f}", "{:.3f}", "{:.1e}", "{:.1f}", "{:.1f}", "{:.1f}", "{:.0f}", "{:.1f}")
    times = ("p50", "p95", "images_per_second", "peak_megabytes", "litert_milliseconds")
    fields = ("megabytes", "accuracy", "difference", *times)
    for row in rows:
        values = (getattr(row, field) for field in fields)
        cells = ("" if value is None else form.format(value) for form, value in zip(forms, values, strict=True))
        table.add_row(row.file, row.status, *cells)
    return table


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
