"""The last line of a recipe: where its report is, and the command that exports its model."""

import shlex
from pathlib import Path

__all__ = ["next_step"]


def next_step(folder: Path) -> str:
    """The line for a run folder, whose name may need quotes in a shell."""
    return f"{folder}/report.html holds the report. Next: {shlex.join(['zsltf', 'export', str(folder)])}"
