"""Export a run to SavedModel, TFLite and ONNX; each file is compared with Keras before it is published.

zsltf export runs/zero_shot --format all
"""

import itertools
import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.delivery import Proof, deliver, exporters
from zsltf.files import atomic_file
from zsltf.reports.html import write_report
from zsltf.runs import Run


@dataclass(frozen=True, kw_only=True)
class Config:
    """Write, read back by the real runtime, compare with Keras on the golden batch, publish."""

    run: tyro.conf.Positional[Path]
    """A run folder."""
    format: str = "all"
    """saved_model, tflite, onnx, some of them with commas between, or all."""
    out: Path | None = None
    """Where to; by default RUN/export."""
    overwrite: bool = False
    """Replace an earlier export."""


def main(config: Config) -> None:
    """Run folder -> files, the table of differences, and the report with that table in it."""
    out = config.out or config.run / "export"
    proofs = deliver(Run(config.run), exporters(config.format), out, overwrite=config.overwrite)
    with atomic_file(config.run / "export.json") as path:
        path.write_text(json.dumps([asdict(proof) for proof in proofs], indent=1), "utf-8")
    write_report(Run(config.run))
    Console().print(_table(proofs))
    for file in sorted({proof.file for proof in proofs}):
        print(shlex.join(["zsltf", "predict", str(out / file), "PHOTO"]), "  # --classes rows.csv adds classes")


def _table(proofs: list[Proof]) -> Table:
    title = "Scores against Keras: largest difference, relative to their spread over classes"
    headings = ("file", "MB", "seconds", "classes", "batch", "difference", "limit", "same top")
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for file, group in itertools.groupby(proofs, key=lambda proof: proof.file):
        rows = list(group)
        worst = max(rows, key=lambda proof: proof.difference)
        counts = (", ".join(map(str, sorted({getattr(p, field) for p in rows}))) for field in ("classes", "batch"))
        figures = (f"{worst.difference:.1e}", f"{worst.tolerance:.0e}", f"{min(p.agreement for p in rows):.0%}")
        table.add_row(file, f"{worst.megabytes:.1f}", f"{worst.seconds:.1f}", *counts, *figures)
    return table


if __name__ == "__main__":
    main(tyro.cli(Config))
