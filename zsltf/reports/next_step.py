"""What a command says last: where its report is, and the commands that come next."""

import shlex
from collections.abc import Collection
from pathlib import Path

__all__ = ["next_step", "predict_command"]


def next_step(folder: Path) -> str:
    """The line for a run folder, whose name may need quotes in a shell."""
    return f"{folder}/report.html holds the report. Next: {shlex.join(['zsltf', 'export', str(folder)])}"


def predict_command(file: Path, opens_by: Collection[str]) -> str:
    """What classifies a photo by an exported file, and how that file takes new classes, if it does."""
    command = shlex.join(["zsltf", "predict", str(file), "PHOTO"])
    if "semantics" in opens_by:
        return f"{command}   # --classes rows.csv adds classes"
    if "photos" in opens_by:
        add = shlex.join(["zsltf", "classes", str(file), "add", "--name", "NAME", "--photos", "PHOTO"])
        return f"{command}   # {add} adds a class"
    return f"{command}   # new classes need another training"
