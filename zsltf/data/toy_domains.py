"""Domains for trying things out: nine kinds of drawn shapes, in four styles."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from zsltf.data.classes import ClassTable
from zsltf.data.domain_folders import DomainImages, read_domains
from zsltf.data.toy import draw_picture
from zsltf.files import atomic_directory, cache_directory

__all__ = ["draw_domains", "drawn_domains", "kept_domains", "toy_domain_classes"]

_SHAPES, _COLOURS = ("cross", "ring", "triangle"), ("blue", "green", "red")
_STYLES = ("coarse", "noisy", "pale", "plain")


def toy_domain_classes() -> ClassTable:
    """Every colour of every shape, told by both; all seen."""
    pairs = list(itertools.product(_COLOURS, _SHAPES))
    rows = np.array([[value in pair for value in (*_COLOURS, *_SHAPES)] for pair in pairs], np.float32)
    names = tuple("_".join(pair) for pair in pairs)
    return ClassTable(names=names, semantics=rows, seen=np.ones(len(pairs), bool), columns=(*_COLOURS, *_SHAPES))


def draw_domains(path: Path, *, seed: int = 0, images: int = 30, size: int = 64) -> Path:
    """Write STYLE/CLASS/nnn.png in the new folder `path` and return it; no two domains have the same picture.

    Args:
        path: of the folder.
        seed: of the pictures.
        images: of each class in each domain.
        size: height and width in pixels.

    Raises:
        ValueError: if something is at `path` already.
    """
    with atomic_directory(path) as folder:
        for style, (number, name) in itertools.product(range(len(_STYLES)), enumerate(toy_domain_classes().names)):
            (folder / _STYLES[style] / name).mkdir(parents=True)
            colour, shape = name.split("_")
            for i in range(images):
                rng = np.random.default_rng([seed, style, number, i])
                picture = draw_picture(f"large_{colour}_plain_{shape}", rng, size)
                pixels = _STYLED[_STYLES[style]](picture.astype(np.float32), rng)
                file = folder / _STYLES[style] / name / f"{i:03d}.png"
                Image.fromarray(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)).save(file)
    return path


def drawn_domains(seed: int = 0) -> DomainImages:
    """Those of a seed, kept in the cache directory."""
    return kept_domains(f"domains-v1-seed-{seed}", lambda folder: draw_domains(folder, seed=seed))


def kept_domains(name: str, draw: Callable[[Path], Path]) -> DomainImages:
    """What was drawn into the cache directory under this name, by this call if not by one before."""
    folder = cache_directory() / "drawn" / name
    if not folder.is_dir():
        try:
            draw(folder)
        except (OSError, ValueError):
            if not folder.is_dir():  # else another process was first
                raise
    return read_domains(folder)


def _coarse(picture: Float[np.ndarray, "H W 3"], _: np.random.Generator) -> Float[np.ndarray, "H W 3"]:
    """Blocks of 4 x 4 pixels."""
    small = picture[: len(picture) // 4 * 4, : len(picture) // 4 * 4]
    small = small.reshape(len(small) // 4, 4, len(small) // 4, 4, 3).mean(axis=(1, 3))
    return small.repeat(4, axis=0).repeat(4, axis=1)


def _noisy(picture: Float[np.ndarray, "H W 3"], rng: np.random.Generator) -> Float[np.ndarray, "H W 3"]:
    return picture + 45 * rng.normal(size=picture.shape)


def _pale(picture: Float[np.ndarray, "H W 3"], _: np.random.Generator) -> Float[np.ndarray, "H W 3"]:
    return 150 + 0.4 * picture


def _plain(picture: Float[np.ndarray, "H W 3"], _: np.random.Generator) -> Float[np.ndarray, "H W 3"]:
    return picture


_STYLED = {"coarse": _coarse, "noisy": _noisy, "pale": _pale, "plain": _plain}
