"""TFLite files in LiteRT's interpreter."""

from pathlib import Path
from typing import Any

from zsltf.checks import fail

__all__ = ["opened"]


def opened(path: Path) -> Any:
    """A file in LiteRT's interpreter.

    Raises:
        ValueError: if there is none, or LiteRT can't open it.
    """
    from ai_edge_litert.interpreter import Interpreter

    if not path.is_file():
        fail(str(path), "a TFLite file", "none", "Keep the files of an export together.")
    try:
        return Interpreter(model_path=str(path))
    except (ValueError, RuntimeError) as error:
        fail(str(path), "a file that LiteRT opens", str(error).strip()[:300], "Export it again.")
