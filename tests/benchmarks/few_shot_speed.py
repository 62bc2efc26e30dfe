"""Time episodes on cached features, beside a plain NumPy loop over them in the same run.

python tests/benchmarks/few_shot_speed.py
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tyro
from rich.console import Console

from zsltf.data.episodes import Episode, Episodes
from zsltf.data.features import Features
from zsltf.evaluation.episode_scores import episode_accuracies, episode_answers
from zsltf.fewshot.baseline import Baseline
from zsltf.fewshot.baseline_plus_plus import BaselinePlusPlus
from zsltf.fewshot.discriminant import Discriminant
from zsltf.fewshot.prototypical_network import PrototypicalNetwork
from zsltf.fewshot.r2d2 import R2D2
from zsltf.fewshot.simple_shot import SimpleShot
from zsltf.fewshot.tip_adapter import TipAdapter
from zsltf.solvers.support_caches import KeySteps


@dataclass(frozen=True, kw_only=True)
class Config:
    """Sizes; the default ones are those of the figures that the README gives."""

    width: int = 1280
    classes: int = 20
    images: int = 40
    """A class."""
    episodes: int = 1000
    shots: int = 5
    queries: int = 15


WANTED = 6.0
"""Seconds, for SimpleShot and ProtoNet."""


def main(config: Config) -> None:
    """A line a method: seconds from cached features to accuracies, graph included, and the loop's over them."""
    console = Console(soft_wrap=True, highlight=False)
    base, novel = problem(config, 0), problem(config, 1)
    start = time.perf_counter()
    episodes = Episodes(shots=config.shots, queries=config.queries).draw(novel.y, config.episodes)
    console.print(
        f"{config.episodes} episodes, 5-way {config.shots}-shot: drawn in {time.perf_counter() - start:.2f} s"
    )
    loops = {
        "SimpleShot": lambda: loop(novel, episodes, base.x.mean(axis=0)),
        "ProtoNet": lambda: loop(novel, episodes, None),
    }
    learners = {
        "SimpleShot": SimpleShot().learn(base),
        "ProtoNet": PrototypicalNetwork().learn(base),
        "Discriminant": Discriminant(shrinkage=0.9).learn(base),
        "R2-D2": R2D2().without_base(),
        "Baseline": Baseline(),
        "Baseline++": BaselinePlusPlus(),
        "Tip-Adapter": TipAdapter(),
        "Tip-Adapter-F": TipAdapter(steps=KeySteps(count=20)),
    }
    for name, learner in learners.items():
        taken, accuracies = timed(
            lambda one=learner: episode_accuracies(episode_answers(one, novel.x, episodes), episodes)
        )
        told = f"{name}: {taken:.2f} s"
        if name in loops:
            usual, expected = timed(loops[name])
            same = "the same accuracies" if np.allclose(accuracies, expected, atol=0.02) else "OTHER ACCURACIES"
            verdict = "met" if taken <= WANTED else "MISSED"
            told += (
                f", wanted {WANTED:g} s: {verdict} (the loop in NumPy {usual:.2f} s, {usual / taken:.1f} times; {same})"
            )
        console.print(told)


def problem(config: Config, seed: int) -> Features:
    """Features of classes that overlap a little, rectified as pooled features are."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(config.classes), config.images)
    x = rng.normal(size=(config.classes, config.width))[y] + 3 * rng.normal(size=(len(y), config.width))
    return Features(x=np.maximum(x, 0).astype(np.float32), y=y)


def loop(novel: Features, episodes: Sequence[Episode], centre: np.ndarray | None) -> np.ndarray:
    """One episode after the other, as it is usually coded."""
    reached = []
    for episode in episodes:
        support, query = novel.x[episode.support], novel.x[episode.query]
        if centre is not None:
            support, query = support - centre, query - centre
            support = support / np.linalg.norm(support, axis=1, keepdims=True)
            query = query / np.linalg.norm(query, axis=1, keepdims=True)
        means = np.stack([support[episode.support_y == way].mean(axis=0) for way in range(episode.ways)])
        nearest = np.linalg.norm(query[:, None] - means[None], axis=2).argmin(axis=1)
        reached.append(np.mean(nearest == episode.query_y))
    return np.array(reached)


def timed(job: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one run, and its result."""
    start = time.perf_counter()
    result = job()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main(tyro.cli(Config))
