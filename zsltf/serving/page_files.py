"""The files of the web page, which export/web holds."""

from pathlib import Path

from zsltf.checks import fail

__all__ = ["CONTENT_TYPES", "page_files"]

CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Of what the page consists of."""


def page_files(folder: Path) -> dict[str, bytes]:
    """Name -> content.

    Raises:
        ValueError: if there is no page in the folder.
    """
    if not (folder / "index.html").is_file():
        fail(str(folder), "the web page, index.html and what it needs", "none", "Install zsltf again.")
    paths = sorted(path for path in folder.iterdir() if path.suffix in CONTENT_TYPES and path.is_file())
    return {path.name: path.read_bytes() for path in paths}
