"""Time what should be fast against bare Keras and TensorFlow in one run; print the ratios as a Markdown table.

python tests/benchmarks/speed.py
"""

import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import speed_export
import speed_images
import speed_training
import tensorflow as tf
import tyro
from rich.console import Console
from speed_comparison import HEADER
from speed_materials import Pictures, Scale

ROWS = {
    "steps": speed_training.steps,
    "cached_phase": speed_training.cached_phase,
    "head_step": speed_training.head_step,
    "pipeline": speed_images.pipeline,
    "extraction": speed_images.extraction,
    "bfloat16": speed_images.bfloat16,
    "exported": speed_export.exported,
}
FULL = Scale(
    rounds=7,
    step_rounds=11,
    size=224,
    small_size=96,
    images=256,
    phase_images=500,
    phase_epochs=10,
    phase_rounds=3,
    megapixel_size=(4000, 3000),
)
QUICK = Scale(
    rounds=1,
    step_rounds=1,
    size=32,
    small_size=32,
    images=160,
    phase_images=64,
    phase_epochs=2,
    phase_rounds=1,
    megapixel_size=(400, 300),
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What to time."""

    rows: tuple[
        Literal["steps", "cached_phase", "head_step", "pipeline", "extraction", "bfloat16", "exported"], ...
    ] = tuple(ROWS)
    data: Path | None = None
    """A folder of photos; by default pictures are drawn."""
    threads: int = 2
    """Cores that everything runs on."""
    quick: bool = False
    """Tiny sizes, to see that the rows run; their figures mean nothing."""


def main(config: Config) -> None:
    """A line a comparison, as soon as it is known."""
    pin(config.threads)
    console = Console(soft_wrap=True)
    with tempfile.TemporaryDirectory() as scratch:
        pictures = Pictures(config.data, Path(scratch))
        for cells in (HEADER, ("---",) * len(HEADER)):
            console.print(line(cells), markup=False, highlight=False)
        for row in config.rows:
            for comparison in ROWS[row](pictures, QUICK if config.quick else FULL):
                console.print(line(comparison.cells()), markup=False, highlight=False)
    load, versions = os.getloadavg()[0], f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
    console.print(f"\n{processor()}, {config.threads} threads, load {load:.1f} at the end, {versions}", highlight=False)


def pin(threads: int) -> None:
    """To as many cores as threads, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def processor() -> str:
    """Its name, as far as it is known."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    names = [text.partition(":")[2].strip() for text in lines if text.startswith("model name")]
    return names[0] if names else platform.machine()


def line(cells: Sequence[str]) -> str:
    """Of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(tyro.cli(Config))
