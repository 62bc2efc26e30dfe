"""Time the zero-shot methods at the benchmark's size, next to the formulas as they are usually coded.

python tests/benchmarks/zero_shot_speed.py
"""

import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tyro
from rich.console import Console
from scipy.linalg import solve_sylvester

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.metrics.zero_shot import seen_unseen_curve
from zsltf.solvers.statistics import Statistics
from zsltf.zeroshot.ale import ALE
from zsltf.zeroshot.class_normalized_mlp import ClassNormalizedMLP
from zsltf.zeroshot.devise import DeViSE
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.sae import SAE
from zsltf.zeroshot.sje import SJE


@dataclass(frozen=True, kw_only=True)
class Config:
    """Sizes; the default ones are those of the figures that the README gives."""

    width: int = 2048
    images: int = 6081
    classes: int = 50
    attributes: int = 85
    streamed: int = 1_000_000
    """Rows of the pass in constant memory."""


def main(config: Config) -> None:
    """A line a figure: seconds, what was wanted, and what the usual code takes."""
    console = Console(soft_wrap=True, highlight=False)
    train, classes = problem(config)
    x, y = train.x.astype(np.float64), train.y
    onehot, s = np.eye(config.classes)[y], classes.semantics.astype(np.float64)
    eszsl = seconds(lambda: [scores.argmax(axis=1) for _, scores in ESZSL().fit_grid(train, classes, train.x)])
    usual = seconds(lambda: two_inverses(x, onehot, s))
    told(
        console, "ESZSL, 100 settings with scores of all images", eszsl, 60, f"one setting by two inverses {usual:.1f}"
    )
    sae = seconds(lambda: [scores.argmax(axis=1) for _, scores in SAE().fit_grid(train, classes, train.x)])
    t = s[y]
    usual = seconds(lambda: solve_sylvester(t.T @ t, 0.5 * (x.T @ x), 1.5 * (t.T @ x)))
    told(console, "SAE, 14 settings with scores of all images", sae, 30, f"one setting by scipy's solver {usual:.1f}")
    for method in (ALE(), DeViSE(), SJE()):
        epochs = [seconds(lambda m=method, n=n: m_fit(m, n, train, classes)) for n in (1, 6)]
        told(console, f"{type(method).__name__}, an epoch (of five)", (epochs[1] - epochs[0]) / 5, 1)
    told(console, "class-normalised MLP, 50 epochs", seconds(lambda: ClassNormalizedMLP().fit(train, classes)), 90)
    scores = np.random.default_rng(0).normal(size=(14_000, 717)).astype(np.float32)
    labels = np.arange(14_000) % 717
    curve = seconds(lambda: seen_unseen_curve(scores, labels, np.arange(717) < 645).area)
    told(console, "AUSUC of 14,000 x 717 scores", curve, 1)
    before = peak()
    stream = seconds(lambda: Statistics.of_batches(batches(config), config.classes))
    what = f"statistics of {config.streamed:,} x {config.width} features, {peak() - before:.2f} GB more at the peak"
    told(console, what, stream, None, f"{config.streamed * config.width * 4 / 1e9:.1f} GB in all")


def m_fit(method: Any, epochs: int, train: Features, classes: ClassTable) -> None:
    """Train for so many epochs."""
    replace(method, descent=replace(method.descent, epochs=epochs)).fit(train, classes)


def told(console: Console, what: str, taken: float, wanted: float | None, beside: str = "") -> None:
    """One line."""
    verdict = "" if wanted is None else f", wanted {wanted} s: {'met' if taken <= wanted else 'MISSED'}"
    console.print(
        f"{what}: {taken:.2f} s{verdict}{f' ({beside} s)' if beside and wanted else f' ({beside})' if beside else ''}"
    )


def problem(config: Config) -> tuple[Features, ClassTable]:
    """Features that follow from attributes, with noise, rectified as pooled features are."""
    rng = np.random.default_rng(0)
    semantics = rng.random((config.classes, config.attributes)).astype(np.float32)
    y = np.arange(config.images) % config.classes
    means = semantics @ rng.normal(size=(config.attributes, config.width)) / config.attributes**0.5
    x = np.maximum(means[y] + 0.5 * rng.normal(size=(config.images, config.width)), 0).astype(np.float32)
    names = tuple(f"class {i}" for i in range(config.classes))
    return Features(x=x, y=y), ClassTable(names=names, semantics=semantics, seen=np.ones(config.classes, bool))


def two_inverses(x: np.ndarray, onehot: np.ndarray, s: np.ndarray) -> np.ndarray:
    """ESZSL as it is usually coded."""
    left = np.linalg.pinv(x.T @ x + np.eye(x.shape[1]))
    return left @ x.T @ (2 * onehot - 1) @ s @ np.linalg.pinv(s.T @ s + np.eye(s.shape[1]))


def batches(config: Config, rows: int = 4096) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Features as they would come from a disk."""
    x = np.random.default_rng(0).random((rows, config.width), dtype=np.float32)
    for start in range(0, config.streamed, rows):
        count = min(rows, config.streamed - start)
        yield x[:count], (start + np.arange(count)) % config.classes


def seconds(job: Callable[[], Any]) -> float:
    """Of one run."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def peak() -> float:
    """Most memory so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(tyro.cli(Config))
