"""Images that can't be decoded, where none may be left out."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

from zsltf.checks import fail
from zsltf.data.images import Images

__all__ = ["check_decodable", "fail_corrupt"]


_FIX = "Replace them, or pass --on-corrupt skip."


def check_decodable(images: Images, what: str = "images", fix: str = _FIX) -> None:
    """Refuse images that can't be decoded; each is read once, small."""
    with ThreadPoolExecutor() as pool:  # Pillow releases the lock
        reasons = [reason for reason in pool.map(lambda row: _trouble(images, row), range(len(images))) if reason]
    if reasons:
        fail_corrupt(reasons, what, fix)


def _trouble(images: Images, row: int) -> str | None:
    try:
        images.load(row, 32)
    except ValueError as error:
        return str(error)
    return None


def fail_corrupt(reasons: Sequence[str], what: str = "images", fix: str = _FIX) -> NoReturn:
    """Refuse images that can't be decoded, each for a reason that names it."""
    received = f"{len(reasons)} that can't: {'; '.join(reasons[:3])}"
    fail(what, "files that can be decoded", received, fix)
