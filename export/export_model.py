"""Export a run to SavedModel, TFLite and ONNX; each file is compared with Keras before it is published.

zsltf export runs/zero_shot --format all
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table
from zsltf.reports.html import write_report

from zsltf.delivery import Proof, deliver, exporters
from zsltf.files import atomic_file
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
        print(f"zsltf predict {out / file} PHOTO   # --classes rows.csv adds classes")


def _table(proofs: list[Proof]) -> Table:
    headings = ("file", "MB", "seconds", "classes", "batch", "max difference", "tolerance", "same top class")
    table = Table(*headings, title="Scores against Keras, relative to their spread over classes")
    for p in proofs:
        sizes = (p.file, f"{p.megabytes:.1f}", f"{p.seconds:.1f}", str(p.classes), str(p.batch))
        table.add_row(*sizes, f"{p.difference:.1e}", f"{p.tolerance:.0e}", f"{p.agreement:.0%}")
    return table


if __name__ == "__main__":
    main(tyro.cli(Config))
