"""Small coloured pictures in folders."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLOURS = {"blue": (0, 0, 1), "green": (0, 1, 0), "red": (1, 0, 0)}


@pytest.fixture(scope="session")
def coloured(tmp_path_factory) -> Path:
    """train/ and test/, each with three classes: 8 and 4 noisy PNG pictures of 32 px a class, all different."""
    root, rng = tmp_path_factory.mktemp("coloured"), np.random.default_rng(0)
    for part, count in {"train": 8, "test": 4}.items():
        for name, colour in COLOURS.items():
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 120, (32, 32, 3)) + 100 * np.array(colour)
                Image.fromarray(pixels.astype(np.uint8)).save(root / part / name / f"{number}.png")
    return root
