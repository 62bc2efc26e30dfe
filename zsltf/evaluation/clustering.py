"""Clusterings measured against classes that they were not told, beside k-means on the same features, over seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zsltf.checks import check_seed, fail
from zsltf.data.collection import Collection
from zsltf.data.features import Features
from zsltf.data.images import Images, OnCorrupt
from zsltf.data.unlabelled import Unlabelled
from zsltf.discovery import plugin_type
from zsltf.metrics.clustering import clustering_scores
from zsltf.metrics.intervals import class_interval, paired_interval
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import extract_features
from zsltf.protocols import ClusteringMethod
from zsltf.training.seeds import with_seed

__all__ = ["METRICS", "ClusteringProtocol", "clustering_means", "clustering_task", "run_clustering"]

METRICS = ("accuracy", "mutual_information", "rand_index")
REFERENCE = "k-means, raw features"


@dataclass(frozen=True, kw_only=True)
class ClusteringProtocol:
    """What is clustered, and under how many seeds; labels of the target are for the test alone."""

    target_classes: int | None = 8
    """Classes whose images are clustered, where there are no others without labels: the rest are auxiliary. None is
    all, with --unlabelled."""
    clusters: int | None = None
    """How many; by default as many as the target has classes."""
    class_seed: int = 0
    """Of which classes are the target's."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Of what methods draw."""

    def __post_init__(self) -> None:
        check_seed("ClusteringProtocol", self.class_seed, "class_seed")
        if not self.seeds or min(self.seeds) < 0:
            fail("ClusteringProtocol.seeds", "one or more, each >= 0", str(self.seeds), "Start from the default.")


def clustering_task(
    collection: Collection,
    others: Images | None,
    backbone: Backbone,
    protocol: ClusteringProtocol,
    *,
    on_corrupt: OnCorrupt = "skip",
) -> tuple[Features, Unlabelled, tuple[str, ...]]:
    """Features of target images with their classes for the test, of auxiliary ones without, and the classes' names.

    Raises:
        ValueError: before images are read, if images have several labels or there are too few classes.
    """
    names, y = collection.classes.names, collection.images.y
    if y.ndim != 1:
        fail("images", "one class an image", "several", "Give single labels.")
    chosen = _target_classes(len(names), others is not None, protocol)
    found = extract_features(backbone, collection.images, on_corrupt=on_corrupt).features
    mine = np.isin(found.y, chosen)
    target = found.select(mine)
    if others is None:
        auxiliary = found.select(~mine).unlabelled()
    else:
        auxiliary = extract_features(backbone, others, on_corrupt=on_corrupt).features.unlabelled()
    return target.with_y(np.searchsorted(chosen, target.y)), auxiliary, tuple(names[label] for label in chosen)


def run_clustering(
    methods: Mapping[str, ClusteringMethod],
    target: Features,
    auxiliary: Unlabelled,
    protocol: ClusteringProtocol,
    *,
    announce: Callable[[dict[str, Any]], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Cluster by every method, and by k-means on the features, under every seed.

    Args:
        methods: by name.
        target: vectors, whose labels are for the test alone.
        auxiliary: vectors.
        protocol: seeds, and how many clusters.
        announce: is told each row.

    Returns:
        A row a method and seed: ACC, NMI and ARI, the objective from start to end, and the clusters.
    """
    count = protocol.clusters or len(np.unique(target.y))
    every = {**methods, REFERENCE: plugin_type("clustering", "plain_k_means")()}
    rows = []
    for seed in protocol.seeds:
        for name, method in every.items():
            found = with_seed(method, seed).cluster(target.unlabelled(), auxiliary=auxiliary, clusters=count)
            scores = clustering_scores(target.y, found.assignment)
            rows.append(
                {
                    "method": name,
                    "seed": seed,
                    **scores,
                    "objective": list(found.objective),
                    "assignment": found.assignment.tolist(),
                }
            )
            announce(rows[-1])
    return rows


def clustering_means(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a method, over seeds: each metric's mean and interval, and its paired difference to k-means."""
    table = {(row["method"], row["seed"]): row for row in rows}
    found = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        told: dict[str, Any] = {"method": method}
        for metric in METRICS:
            values = np.array([row[metric] for row in own])
            others = np.array([table[REFERENCE, row["seed"]][metric] for row in own])
            told[metric] = {"mean": float(values.mean()), "interval": list(_interval(values))}
            if method != REFERENCE:
                told[metric]["difference"] = float((values - others).mean())
                told[metric]["difference_interval"] = list(paired_interval(values, others))
        found.append(told)
    return found


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Student's; of the Rand index, which may be below 0, not cut there."""
    if values.min() < 0:
        return paired_interval(values, np.zeros(len(values)))
    return class_interval(values)


def _target_classes(count: int, apart: bool, protocol: ClusteringProtocol) -> np.ndarray:
    """Rows of the class table, sorted."""
    wanted = protocol.target_classes
    if apart:
        wanted = min(count, wanted or count)
    elif wanted is None or not 2 <= wanted < count:
        fix = "Give others by --unlabelled, or leave some classes to it."
        fail("--target-classes", f"2 to {count - 1} of the {count} classes", str(wanted), fix)
    return np.sort(np.random.default_rng(protocol.class_seed).permutation(count)[:wanted])
