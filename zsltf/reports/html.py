"""The HTML report of a run: one file that asks nothing of any server and runs no script."""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from zsltf.checks import check_choice, fail
from zsltf.files import atomic_file
from zsltf.proof import Proof
from zsltf.reports.adaptation_page import adaptation_content
from zsltf.reports.classification_page import classification_content
from zsltf.reports.few_shot_page import few_shot_content
from zsltf.reports.generalisation_page import generalisation_content
from zsltf.reports.instance_page import instance_content
from zsltf.reports.phrases import NOTHING, number, phrase
from zsltf.reports.schedule_figure import short_rate
from zsltf.reports.self_taught_page import self_taught_content
from zsltf.reports.support_page import support_content
from zsltf.reports.zero_shot_page import zero_shot_content
from zsltf.runs import Run

__all__ = ["jpeg_uri", "write_page", "write_report"]

_CONTENT = {
    "adaptation": adaptation_content,
    "zero_shot": zero_shot_content,
    "classification": classification_content,
    "support": support_content,
    "few_shot": few_shot_content,
    "generalisation": generalisation_content,
    "self_taught": self_taught_content,
    "instance": instance_content,
}


def write_report(run: Run) -> Path:
    """Write `report.html` from report.json, config.json, the samples and, after an export, export.json.

    Raises:
        ValueError: if the run folder lacks one of them, or is of no known kind; an earlier report stays.
    """
    report = run.read_json("report.json")
    kind = report.get("kind", "zero_shot")  # which all runs were that don't say it
    check_choice(f"{run.path / 'report.json'}, kind", kind, _CONTENT)
    content = {**_content(run, report), **_CONTENT[kind](report)}
    return write_page(run.path / "report.html", kind, content)


def write_page(path: Path, kind: str, content: Mapping[str, Any]) -> Path:
    """Write the page of a kind, whose template is of the same name."""
    page = _environment().get_template(f"{kind}.html.j2").render(content)
    with atomic_file(path) as file:
        file.write_bytes(page.encode("utf-8", "backslashreplace"))  # a file name may be no text
    return path


def _environment() -> Environment:
    loader = PackageLoader("zsltf", "reports")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": _percent,
        "range": _range,
        "duration": _duration,
        "number": number,
        "phrase": phrase,
        "rate": short_rate,
    }
    return environment


def _content(run: Run, report: Mapping[str, Any]) -> dict[str, Any]:
    """What every page shows."""
    config = run.read_json("config.json")
    exported = run.read_json("export.json") if (run.path / "export.json").is_file() else {}
    proofs = [Proof(**row) for row in exported.get("proofs", ())]
    return {
        "open_set": None,
        **report,
        "samples": [{**sample, "picture": _picture(run.path / sample["file"])} for sample in report["samples"]],
        "exports": [list(rows) for _, rows in groupby(proofs, key=lambda proof: proof.file)],
        "quantisation": exported.get("quantisation"),
        "benchmark": run.read_json("benchmark.json") if (run.path / "benchmark.json").is_file() else None,
        "settings": dict(_flat(config["settings"])),
        "versions": config["versions"],
    }


def _picture(path: Path) -> str:
    """A JPEG file as a data: URI."""
    if not path.is_file():
        fail(str(path), "a picture that report.json names", "none", "Run the recipe again.")
    return jpeg_uri(path.read_bytes())


def jpeg_uri(jpeg: bytes) -> str:
    """A picture as a page holds it."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted names, the way the command line writes them."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _percent(share: float | None) -> str:
    return NOTHING if share is None or math.isnan(share) else f"{100 * share:.1f}%"


def _range(interval: Sequence[float] | None) -> str:
    return NOTHING if interval is None else " to ".join(map(_percent, interval))


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
