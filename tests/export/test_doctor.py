"""zsltf doctor: what is there with its version, what is missing with the way to get it, and no TensorFlow for it."""

import importlib.metadata
import re
import subprocess
import sys

import pytest

from zsltf.cli import main

WITHOUT_TENSORFLOW = """
import sys
from zsltf.cli import main
status = main(["doctor"])
heavy = {"tensorflow", "keras", "mediapipe", "cv2", "openvino"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else status)
"""


@pytest.fixture
def installed(monkeypatch):
    """Packages that the machine has: name -> version; the others are missing, and so are all commands."""
    packages = {}

    def version(name):
        if name not in packages:
            raise importlib.metadata.PackageNotFoundError(name)
        return packages[name]

    monkeypatch.setattr("importlib.metadata.version", version)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    return packages


def told(capsys):
    """Client -> the rest of its row."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    return {words[0]: " ".join(words[1:]) for words in map(str.split, out.splitlines()) if words}, out


def test_on_this_machine_without_importing_what_it_looks_for():
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TENSORFLOW]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = (line for line in done.stdout.splitlines() if line.split()[:1] == ["tensorflow"])
    assert importlib.metadata.version("tensorflow") in row
    assert "pip install" not in row


def test_what_is_missing_and_how_to_get_it(installed, capsys):
    rows, _ = told(capsys)
    assert rows["openvino"] == "missing ONNX, TFLite and SavedModel on Intel's hardware pip install openvino"
    assert rows["curl"] == "missing REST to zsltf serve and TensorFlow Serving apt-get install curl"
    assert rows["tensorflow-serving-api"].endswith("pip install 'zsltf[serving]'")
    assert rows["chromium"].endswith("apt-get install chromium")
    if sys.platform == "linux":
        assert rows["libGLESv2"] == "missing MediaPipe, OpenCV apt-get install libgles2"


def test_what_is_there_needs_no_advice(installed, capsys):
    installed["openvino"] = "2026.4.1"
    rows, out = told(capsys)
    assert rows["openvino"] == "2026.4.1 ONNX, TFLite and SavedModel on Intel's hardware"
    assert "cv2" not in out


def test_two_owners_of_one_module_are_named(installed, capsys):
    installed |= {"opencv-python-headless": "5.0", "opencv-contrib-python": "5.1"}
    _, out = told(capsys)
    assert "opencv-contrib-python and opencv-python-headless own the same module cv2" in out
    assert "pip uninstall opencv-python-headless, then reinstall the other" in out


@pytest.mark.skipif(sys.platform == "win32", reason="the command is a shell script")
@pytest.mark.parametrize(
    ("script", "version"), [("echo tool v1.2.3 built today", "1.2.3"), ("echo no number", None), ("exit 3", None)]
)
def test_a_command_tells_its_version_or_where_it_is(script, version, monkeypatch, tmp_path, capsys):
    path = tmp_path / "curl"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(path) if name == "curl" else None)
    rows, out = told(capsys)
    assert rows["curl"].startswith(version or "/")
    assert "apt-get install curl" not in out
    assert rows["node"].startswith("missing")


def test_chromium_goes_by_other_names(monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: sys.executable if name == "google-chrome" else None)
    rows, _ = told(capsys)
    assert re.match(r"3\.\d+", rows["chromium"])  # Python's own, which stands in
