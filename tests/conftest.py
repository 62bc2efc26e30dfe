"""Fixtures: the test data, a private cache and a small drawn set."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.toy import draw_folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests have no limit."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real photos and tables: ZSLTF_TEST_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get("ZSLTF_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set ZSLTF_TEST_DATA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features and drawn sets of the tests don't mix with the user's."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["ZSLTF_CACHE"] = str(folder)
    return folder


@pytest.fixture(autouse=True)
def determinism_ends_with_the_test() -> Iterator[None]:
    """TensorFlow means it to last as long as the process, and then XLA is off in every later test."""
    yield
    if config := sys.modules.get("tensorflow.python.framework.config"):
        config.disable_op_determinism()


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn set of 24 classes with 5 pictures each, 48 px: `images/` and `attributes.csv`."""
    return draw_folder(tmp_path_factory.mktemp("drawn") / "set", num_classes=24, images_per_class=5, size=48)


@pytest.fixture(scope="session")
def finished(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on drawn pictures whose classes can be added by attributes and photos, with its export; don't change it."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    photos = ("--images", str(drawn / "images"), "--classes", str(drawn / "attributes.csv"))
    network = ("--backbone", "conv4", "--weights", "random", "--shuffles", "0")
    assert main(["run", "zero_shot", *network, *photos, "--out", str(folder), "method:any-shot"]) == 0
    assert main(["export", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def toy_features() -> tuple[Features, ClassTable]:
    """16 classes, 10 examples each: a noisy linear image of two factors with four values; the 4 unseen come last."""
    rng = np.random.default_rng(0)
    first, second = np.divmod(np.arange(16), 4)
    order = np.argsort(first == second, kind="stable")  # a value of each factor is seen with three of the other
    semantics = np.concatenate([np.eye(4)[first], np.eye(4)[second]], axis=1)[order]
    y = np.repeat(np.arange(16), 10)
    x = (semantics @ rng.normal(size=(8, 32)))[y] + 0.3 * rng.normal(size=(160, 32))
    classes = ClassTable(
        names=tuple(f"class {i}" for i in range(16)), semantics=semantics.astype(np.float32), seen=np.arange(16) < 12
    )
    return Features(x=x.astype(np.float32), y=y), classes
