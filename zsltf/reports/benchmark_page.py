"""The benchmark's page: every method on every set, beside the published figures."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zsltf.reports.benchmark_summary import summarise
from zsltf.reports.html import write_page

__all__ = ["write_benchmark_page"]


def write_benchmark_page(folder: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write `report.html`: a section a set, best on the validation classes first.

    Args:
        folder: to write into.
        rows: of `BenchmarkTable`.
    """
    context = {"title": "Zero-shot benchmark", "sets": summarise(rows)}
    return write_page(folder / "report.html", "benchmark", context)
