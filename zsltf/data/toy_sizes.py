"""Two domains for trying instance weights out: mostly small shapes with a few large ones, and large ones alone."""

import itertools
from pathlib import Path

import numpy as np
from PIL import Image

from zsltf.data.domain_folders import DomainImages
from zsltf.data.toy import draw_picture
from zsltf.data.toy_domains import kept_domains, toy_domain_classes
from zsltf.files import atomic_directory

__all__ = ["MOSTLY_SMALL", "ONLY_LARGE", "draw_sizes", "drawn_sizes"]

MOSTLY_SMALL, ONLY_LARGE = "mostly_small", "large"


def draw_sizes(path: Path, *, seed: int = 0, images: int = 40, size: int = 64) -> Path:
    """Write DOMAIN/CLASS/nnn.png in the new folder `path` and return it: what a class looks like is the same in both.

    Of the pictures of mostly_small one in eight shows a large shape, as all of the other domain do.

    Args:
        path: of the folder.
        seed: of the pictures.
        images: of each class in each domain.
        size: height and width in pixels.

    Raises:
        ValueError: if something is at `path` already.
    """
    domains, classes = (MOSTLY_SMALL, ONLY_LARGE), toy_domain_classes().names
    with atomic_directory(path) as folder:
        for (domain, where), (number, name) in itertools.product(enumerate(domains), enumerate(classes)):
            (folder / where / name).mkdir(parents=True)
            colour, shape = name.split("_")
            for i in range(images):
                extent = "small" if where == MOSTLY_SMALL and i % 8 else "large"
                rng = np.random.default_rng([seed, domain, number, i])
                picture = draw_picture(f"{extent}_{colour}_plain_{shape}", rng, size)
                Image.fromarray(picture).save(folder / where / name / f"{i:03d}.png")
    return path


def drawn_sizes(seed: int = 0) -> DomainImages:
    """Those of a seed, kept in the cache directory."""
    return kept_domains(f"sizes-v1-seed-{seed}", lambda folder: draw_sizes(folder, seed=seed))
