"""Let clients that we did not write classify 20 photos from every kind of file; print what they say as Markdown.

python tests/benchmarks/clients.py --data $ZSLTF_TEST_DATA/animals --out .github/CLIENTS.md      (about ten minutes)
"""

import importlib
import importlib.metadata
import itertools
import os
import platform
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

import tyro
from clients.comparison import READS, answer, combinations, milliseconds
from clients.materials import ADDED, Materials, build

from zsltf.files import atomic_file
from zsltf.serving.browser_runtime import RUNTIMES

PAGE = """# Clients

Runtimes that others wrote, on files that `zsltf` exported: EfficientNet-Lite0 with a zero-shot head of {classes}
classes, and {photos} real photos, each of its own size where the file takes any. `make clients` writes this page; the
tests in `tests/clients` hold its numbers.

- *difference*: largest, of scores from those of Keras, relative to their spread over classes; of probabilities where
  the client gives only those.
- *same top*: photos whose top class is the one that Keras gives.
- *class at the call*: one more class, `{added}`, given as class vectors and bias with the photo.
- *class in the file*: the same, after `zsltf classes FILE add`.
- *ms*: median of 20 calls with one photo; {machine}. A call to a server or a browser holds the photo's
  way there.

Give RGB in uint8: OpenVINO rounds normalised floats to bytes without a word, OpenCV takes floats and a fourth channel,
MediaPipe a fourth channel; the others refuse them.

"""
HEADER = ("client", "version", "file", "difference", "same top", "class at the call", "class in the file", "ms")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which clients, and where the table goes."""

    data: Path
    """A folder with images/, one folder a class, and attributes.csv."""
    out: Path | None = None
    """A Markdown file; printed only by default."""
    only: tuple[str, ...] = tuple(READS)
    """Clients; all by default."""


def main(config: Config) -> None:
    """Fit, export, then client by client and file by file."""
    lines = [HEADER, ("---",) * len(HEADER)]
    with tempfile.TemporaryDirectory() as folder:
        materials = build(config.data, Path(folder))
        for name in config.only:
            for row in rows(name, materials):
                lines.append(row)
                print(_line(row), flush=True)  # noqa: T201
    photos, classes = len(materials.photos), len(materials.tables[False][1])
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    page = (
        PAGE.format(classes=classes, photos=photos, added=ADDED, machine=machine) + "\n".join(map(_line, lines)) + "\n"
    )
    if config.out is not None:
        with atomic_file(config.out) as path:
            path.write_text(page, "utf-8")


def rows(name: str, materials: Materials) -> Iterator[tuple[str, ...]]:
    """One for each file that the client is tried with."""
    client = importlib.import_module(f"clients.{name}")
    mine = [(file, way) for whose, file, way in combinations() if whose == name]
    for file, group in itertools.groupby(mine, key=lambda pair: pair[0]):
        exported, *others = (_told(client, materials, file, way) for _, way in group)
        cells, time = [exported, ""], ""
        if not isinstance(exported, str):
            cells = [f"{exported.parity.difference:.1e}", f"{exported.same_top} of {len(materials.photos)}"]
            time = f"{milliseconds(client, materials, file):.0f}"
        added = [told if isinstance(told, str) else f"yes, {told.parity.difference:.1e}" for told in others]
        table = added if len(added) == 2 else [*added, "no table in it"]
        yield (client.NAME, _version(client), f"`{file}`", *cells, *table, time)


def _told(client: Any, materials: Materials, file: str, way: str) -> Any:
    """The answer, or why there is none."""
    try:
        return answer(client, materials, file, way)
    except Exception as error:  # noqa: BLE001 (each client raises of its own kinds)
        return f"no: {_short(str(error))}"


def _short(message: str) -> str:
    """The last sentence, without what would break a table."""
    lines = [line.strip() for line in message.replace("|", "/").splitlines()]
    told = [re.split("[Ee]rror: ", line)[-1] for line in lines if line and not line.startswith("└")]
    return told[-1][-160:] if told else "no reason given"


def _version(client: Any) -> str:
    if client.PACKAGE == "curl":
        return subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]  # noqa: S607
    packages = {package.name: package.version for runtime in RUNTIMES.values() for package in runtime.packages}
    return packages.get(client.PACKAGE) or importlib.metadata.version(client.PACKAGE)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    with warnings.catch_warnings():
        main(tyro.cli(Config))
