"""Tell which clients of exported files this machine has, what each is for, and how to get the others.

zsltf doctor
"""

import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from dataclasses import dataclass

import tyro
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = tuple[str, str, str, str]
"""Name, version or nothing, what it is for, how to get it."""

PACKAGES = {
    "tensorflow": ("SavedModel; training and export", "pip install zsltf"),
    "onnxruntime": ("ONNX, another table at each call", "pip install zsltf"),
    "ai-edge-litert": ("TFLite: Interpreter and CompiledModel", "pip install zsltf"),
    "openvino": ("ONNX, TFLite and SavedModel on Intel's hardware", "pip install openvino"),
    "mediapipe": ("TFLite with --built-in-only, as Android and iOS apps load it", "pip install mediapipe"),
    "opencv-contrib-python": ("ONNX in OpenCV's DNN module", "pip install mediapipe  # it brings that"),
    "tensorflow-serving-api": ("gRPC to zsltf serve and TensorFlow Serving", "pip install 'zsltf[serving]'"),
    "aiohttp": ("zsltf serve", "pip install 'zsltf[serving]'"),
}
COMMANDS = {
    "curl": ("REST to zsltf serve and TensorFlow Serving", "apt-get install curl"),
    "node": ("the web page's runtimes in tests", "apt-get install nodejs"),
    "npm": ("onnxruntime-web and LiteRT.js", "apt-get install npm"),
    "chromium": ("the web page in a browser, in tests", "apt-get install chromium"),
    "docker": ("TensorFlow Serving's own server", "apt-get install docker.io docker-compose"),
}
LIBRARIES = {"GL": "libgl1", "EGL": "libegl1", "GLESv2": "libgles2"}
"""That MediaPipe and OpenCV load on Linux, and Debian's packages of them."""
OTHER_NAMES = {"chromium": ("chromium-browser", "google-chrome", "chrome")}
OWNERS_OF_CV2 = (
    "opencv-contrib-python",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
_PATIENCE = 10  # seconds for a command to tell its version


@dataclass(frozen=True, kw_only=True)
class Config:
    """Look for packages, commands and libraries; none is imported, and nothing is installed."""


def main(config: Config) -> int:
    """The machine -> a table."""
    table = Table(title=f"zsltf on Python {platform.python_version()}, {platform.platform()}", box=box.SIMPLE_HEAD)
    for heading in ("client", "version", "for", "to get it"):
        table.add_column(heading, overflow="fold")
    for name, version, purpose, how in rows():
        table.add_row(name, version or "missing", purpose, "" if version else escape(how))
    Console(width=None if sys.stdout.isatty() else 130).print(table, highlight=False)
    owners = [name for name in OWNERS_OF_CV2 if _package(name)]
    if len(owners) > 1:
        remove = " ".join(owner for owner in owners if owner != OWNERS_OF_CV2[0])
        print(f"{' and '.join(owners)} own the same module cv2: pip uninstall {remove}, then reinstall the other")
    return 0


def rows() -> Iterator[Row]:
    """What there is, and what is missing."""
    kinds: tuple[tuple[dict[str, tuple[str, str]], Callable[[str], str]], ...] = (
        (PACKAGES, _package),
        (COMMANDS, _command),
    )
    for tools, version in kinds:
        for name, (purpose, how) in tools.items():
            yield name, version(name), purpose, how
    tool = importlib.metadata.entry_points(group="console_scripts", name="litert-benchmark")
    version_of_tool = _package("ai-edge-litert") if tool else ""
    how = "pip install --upgrade ai-edge-litert"
    yield "litert-benchmark", version_of_tool, "a column of zsltf benchmark", how
    if sys.platform == "linux":
        for library, package in LIBRARIES.items():
            found = find_library(library) or ""
            yield f"lib{library}", found, "MediaPipe, OpenCV", f"apt-get install {package}"


def _package(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _command(name: str) -> str:
    """Its version, or where it is if it doesn't say."""
    path = next(filter(None, map(shutil.which, (name, *OTHER_NAMES.get(name, ())))), None)
    if path is None:
        return ""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return path
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else path


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
