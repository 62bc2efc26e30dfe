"""The HTML report of a run: one file that asks nothing of any server and runs no script."""

import base64
import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from zsltf.checks import fail
from zsltf.delivery import Proof
from zsltf.files import atomic_file
from zsltf.reports.figures import confusion_figure, curve_figure
from zsltf.runs import Run

__all__ = ["write_report"]

_GAMMA, _NOTHING = "\N{GREEK SMALL LETTER GAMMA}", "\N{EN DASH}"


def write_report(run: Run) -> Path:
    """Write `report.html` from report.json, config.json, the samples and, after an export, export.json.

    Raises:
        ValueError: if the run folder lacks one of them; an earlier report stays.
    """
    page = _environment().get_template("report.html.j2").render(_content(run))
    path = run.path / "report.html"
    with atomic_file(path) as file:
        file.write_bytes(page.encode("utf-8", "backslashreplace"))  # a file name may be no text
    return path


def _environment() -> Environment:
    loader = PackageLoader("zsltf", "reports")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "duration": _duration, "number": _number, "phrase": _phrase}
    return environment


def _content(run: Run) -> dict[str, Any]:
    """What the template shows."""
    report, config = run.read_json("report.json"), run.read_json("config.json")
    proofs = [Proof(**row) for row in run.read_json("export.json")] if (run.path / "export.json").is_file() else []
    return {
        **report,
        **_figures(report["main"], report["partitions"][0]),
        "head": report["partitions"][0],
        "classes": _classes(report["main"]),
        "samples": [{**sample, "picture": _picture(run.path / sample["file"])} for sample in report["samples"]],
        "proofs": [list(rows) for _, rows in groupby(proofs, key=lambda proof: proof.file)],
        "settings": dict(_flat(config["settings"])),
        "versions": config["versions"],
    }


def _figures(main: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, str]:
    """The SVGs; the matrix has its seen classes first."""
    rows = main["classes"]
    order = sorted(range(len(rows)), key=lambda i: not rows[i]["seen"])
    confusion = np.array(main["confusion"])[np.ix_(order, order)]
    labels = f"{_GAMMA} = 0", f"{_GAMMA} = {_number(main['gamma'])}, chosen"
    points = {label: (at["seen"], at["unseen"]) for label, at in zip(labels, (head["uncalibrated"], head), strict=True)}
    return {
        "matrix": confusion_figure(confusion, [rows[i]["name"] for i in order], sum(row["seen"] for row in rows)),
        "curve": curve_figure(np.array(main["curve"]["seen"]), np.array(main["curve"]["unseen"]), points),
    }


def _classes(main: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The class table, best first, each class with the one that it is taken for most often."""
    rows = []
    for i, (row, counts) in enumerate(zip(main["classes"], main["confusion"], strict=True)):
        others = [0 if i == j else count for j, count in enumerate(counts)]
        most = int(np.argmax(others))
        rows.append({**row, "confused": others[most], "taken_for": main["classes"][most]})
    return sorted(rows, key=lambda row: -1 if row["accuracy"] is None else row["accuracy"], reverse=True)


def _picture(path: Path) -> str:
    """A JPEG file as a data: URI."""
    if not path.is_file():
        fail(str(path), "a picture that report.json names", "none", "Run the recipe again.")
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted names, the way the command line writes them."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _percent(share: float | None) -> str:
    return _NOTHING if share is None or math.isnan(share) else f"{100 * share:.1f}%"


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e7 else f"{value:.4g}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _phrase(settings: Mapping[str, Any], *, brief: bool = False) -> str:
    """Settings in one line; `brief` names what is switched on and leaves out the rest."""
    if not brief:
        return ", ".join(f"{key} {_number(value)}" for key, value in settings.items())
    on = {key.replace("_", " "): value for key, value in settings.items() if value not in (None, False)}
    return ", ".join(key if value is True else f"{_number(value)} {key}" for key, value in on.items()) or "none"
