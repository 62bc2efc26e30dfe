"""Build, split and export the backbones; print what came of it as a Markdown table. About an hour on two cores.

python tests/benchmarks/catalogue.py --out .github/BACKBONES.md
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tyro
from rich.console import Console

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.discovery import names, plugin_type, public
from zsltf.embeds import linear
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.catalogue import catalogue
from zsltf.pretrained.cut import cut
from zsltf.proof import Proof, prove
from zsltf.runs import Golden

FORMATS = names("exporters")
PAGE = """# Backbones

Every network of the catalogue, with random weights at its own input size, built, split at each of its stages and, if it
is the smallest of its family, exported to every format. `make backbones` writes this page.

- *largest split difference*: of the maps that the two parts of the network give, from those of the whole, relative to
  their largest number, over all boundaries between stages.
- *onnx*, *saved_model*, *tflite*: largest difference of scores from those of Keras, relative to their spread; FAILS
  is above the tolerance of `zsltf export`.

"""
HEADER = ("backbone", "parameters", "size", "features", "stages", "build, s", "largest split difference", *FORMATS)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which backbones, and where the table goes."""

    out: Path | None = None
    """A Markdown file; printed only by default."""
    only: tuple[str, ...] = ()
    """Names of backbones; all by default."""
    export: bool = True
    """Whether each family's smallest member is exported too."""


def main(config: Config) -> None:
    """One process a backbone, so that memory is free again after each."""
    families = catalogue().values()
    smallest = {min(family.members, key=lambda name: family.members[name].parameters) for family in families}
    chosen = config.only or tuple(name for family in families for name in family.members)
    lines = [HEADER, ("---",) * len(HEADER)]
    for name in chosen:
        lines.append(_in_a_process(name, config.export and name in smallest))
        Console(soft_wrap=True).print(_line(lines[-1]), markup=False, highlight=False)
    if config.out:
        config.out.write_text(PAGE + "".join(f"{_line(cells)}\n" for cells in lines), "utf-8")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _in_a_process(name: str, export: bool) -> tuple[str, ...]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(examine, name, export).result()
        except BrokenProcessPool:
            return (name, *("killed",) * (len(HEADER) - 1))


def examine(name: str, export: bool) -> tuple[str, ...]:
    """The cells of one backbone's row."""
    start = time.perf_counter()
    backbone = public("backbones", name)(None)
    seconds = time.perf_counter() - start
    stages = ", ".join(backbone.stages) or "none"
    split = max(split_differences(backbone), default=0.0)
    facts = (f"{backbone.model.count_params():,}", backbone.preprocess.size, backbone.feature_size, stages)
    formats = export_cells(backbone) if export else ("",) * len(FORMATS)
    return (name, *map(str, facts), f"{seconds:.1f}", f"{split:.0e}", *formats)


def split_differences(backbone: Backbone) -> Iterator[float]:
    """At each stage boundary, how far the two parts are from the whole, relative to the largest number of the maps."""
    images = backbone.preprocess(drawn_images()[:1])
    whole = backbone.model(images).numpy()
    stages = list(backbone.stages.values())
    for k in range(1, len(stages)):
        lower, upper = cut(backbone.model, [layer for stage in stages[k:] for layer in stage])
        yield float(np.abs(upper(lower(images)) - whole).max() / np.abs(whole).max())


def export_cells(backbone: Backbone) -> tuple[str, ...]:
    """Of each format, the largest difference from Keras, or what the converter says."""
    images = drawn_images()
    liven(backbone.model, np.asarray(backbone.preprocess(images)))
    cells = []
    for name in FORMATS:
        try:
            proofs = proofs_of(backbone, images, plugin_type("exporters", name)())
        except Exception as error:  # noqa: BLE001 (a table of what does not work, too)
            cells.append(f"FAILS: {str(error)[:60]}")
        else:
            worst = max(proof.difference for proof in proofs)
            cells.append(f"{worst:.0e}{'' if all(proof.holds for proof in proofs) else ' FAILS'}")
    return tuple(cells)


def drawn_images() -> np.ndarray:
    """Seven noisy images of seven colours, uint8 (7, 131, 97, 3)."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 1, 1, 3)) + rng.integers(-64, 64, (7, 131, 97, 3))
    return images.clip(0, 255).astype(np.uint8)


def liven(model: keras.Model, images: np.ndarray) -> None:
    """Random weights as alive as trained ones and as tame.

    As they are drawn, what a deep network gives does not depend on its images; normalised throughout, it is chaotic. So
    the normalisation is weakened until a small difference does not grow much.
    """
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if type(layer).__name__ == "LayerScale":
            layer.set_weights([rng.uniform(0.1, 0.5, layer.gamma.shape)])
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0  # the statistics become these images'
        if norm.beta is not None:
            norm.beta.assign(rng.normal(0, 0.2, norm.beta.shape))
    if norms:
        model(images, training=True)
    while norms and growth(model, images) > 4:
        for norm in norms:
            norm.moving_variance.assign(norm.moving_variance * 10 ** (3 / len(norms)))


def growth(model: keras.Model, images: np.ndarray) -> float:
    """Relative change of the maps by that of the images."""
    noise = 1e-6 * np.std(images) * np.random.default_rng(0).normal(size=images.shape)
    before, after = np.asarray(model(images)), np.asarray(model(images + noise))
    return float(np.linalg.norm(after - before) / np.linalg.norm(before) / 1e-6)


def proofs_of(backbone: Backbone, images: np.ndarray, exporter: Any) -> list[Proof]:
    """Export a random linear Classifier on the features and compare it with Keras."""
    rng = np.random.default_rng(0)
    features = np.asarray(backbone.features()(backbone.preprocess(images)))
    if not features.std(axis=0).mean() > 0.01 * np.abs(features).mean():
        raise ValueError("the features hardly depend on the images: an export could not be told from a wrong one")
    kernel = rng.normal(size=(backbone.feature_size, 6)) / features.std(axis=0).mean()
    table = ClassTable(names=tuple("abcdefgh"), semantics=rng.normal(size=(8, 6)), seen=np.arange(8) < 5)
    classifier = Classifier(linear(kernel), table).after(backbone.features(), preprocess=backbone.preprocess)
    golden = Golden(images=images, scores=classifier.score(images))
    with tempfile.TemporaryDirectory() as folder:
        return list(prove(exporter, classifier, golden, Path(folder)))


if __name__ == "__main__":
    main(tyro.cli(Config))
