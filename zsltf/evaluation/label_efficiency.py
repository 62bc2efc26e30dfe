"""Two stages measured: an encoder from unlabelled examples, then few, some or all labels."""

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression

from zsltf.evaluation.label_protocol import LabelProtocol, LabelTask, labelled_rows
from zsltf.protocols import SelfTaughtMethod
from zsltf.solvers.softmax_regression import softmax_regression
from zsltf.training.alignment import train_on_source
from zsltf.training.embedding import embedded
from zsltf.training.encoders import frame
from zsltf.training.headed_network import HeadedNetwork
from zsltf.training.seeds import with_seed

__all__ = [
    "PROBE",
    "RAW",
    "SCRATCH",
    "TUNING",
    "measure_references",
    "measure_self_taught",
    "probe_weights",
    "run_label_efficiency",
]

RAW, SCRATCH = "raw features", "from scratch"
"""What methods are held against: no encoder, and no pretraining of the same network."""
PROBE, TUNING = "linear probe", "fine-tuning"

Network = Callable[[int], keras.Model]
"""Of a seed: from an example to its embedding, before any training."""


def run_label_efficiency(
    methods: Mapping[str, SelfTaughtMethod],
    task: LabelTask,
    protocol: LabelProtocol,
    network: Network,
    *,
    announce: Callable[[dict[str, Any]], None] = lambda _: None,
) -> tuple[list[dict[str, Any]], dict[str, keras.Model]]:
    """Every method under every seed, beside raw features and training from scratch on the same labels.

    Args:
        methods: by name.
        task: examples.
        protocol: shares of the labels, and seeds.
        network: what is trained from scratch; of images, what methods train, too.
        announce: is told each row.

    Returns:
        A row a method, use, share and seed; and each method's encoder of the first seed.
    """
    rows: list[dict[str, Any]] = []
    encoders: dict[str, keras.Model] = {}
    for seed in protocol.seeds:
        found = measure_references(task, protocol, network, seed)
        for name, method in methods.items():
            own, encoder = measure_self_taught(name, method, task, protocol, network, seed)
            found += own
            encoders.setdefault(name, encoder)
        for row in found:
            announce(row)
        rows += found
    return rows, encoders


def measure_references(task: LabelTask, protocol: LabelProtocol, network: Network, seed: int) -> list[dict[str, Any]]:
    """Rows of a probe on raw features, and of training from scratch, under one seed."""
    unlabelled, train, test = (x.reshape(len(x), -1) for x in _three(task))
    rows = _probed(RAW, (unlabelled, train, test), task, protocol, seed)
    return rows + _tuned(SCRATCH, network(seed), task, protocol, seed)


def measure_self_taught(
    name: str, method: SelfTaughtMethod, task: LabelTask, protocol: LabelProtocol, network: Network, seed: int
) -> tuple[list[dict[str, Any]], keras.Model]:
    """Rows of one method under one seed, and its encoder; `network` is trained where examples are images."""
    start = time.process_time()
    trained = task.unlabelled.x.ndim == 4 and method.TRAINS_NETWORK
    encoder = with_seed(method, seed).pretrain(task.unlabelled, network=network(seed) if trained else None)
    seconds = time.process_time() - start
    unlabelled, train, test = (embedded(encoder, x) for x in _three(task))
    rows = _probed(name, (unlabelled, train, test), task, protocol, seed)
    if protocol.fine_tune:
        rows += _tuned(name, encoder, task, protocol, seed)
    return [{**row, "pretraining_seconds": seconds} for row in rows], encoder


def probe_weights(
    a: Float[np.ndarray, "N K"],
    y: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"],
    framing: tuple[Float[np.ndarray, " K"], float],
    inverse_penalty: float,
) -> tuple[Float[np.ndarray, "C K"], Float[np.ndarray, " C"]]:
    """Kernel and bias of a softmax regression on (a - mean) scale, for embeddings as they are.

    Args:
        a: embeddings.
        y: classes, each of which has an example.
        weights: of the examples.
        framing: mean and scale, of unlabelled embeddings.
        inverse_penalty: C.
    """
    mean, scale = framing
    model = LogisticRegression(C=inverse_penalty, max_iter=10_000)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # one label a class is meant
        kernel, bias = softmax_regression(model, (a - mean) * scale, y, weights)
    return kernel * scale, bias - scale * (kernel @ mean)


def _three(task: LabelTask) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return task.unlabelled.x, task.train.x, task.test.x


def _probed(
    name: str, vectors: tuple[np.ndarray, np.ndarray, np.ndarray], task: LabelTask, protocol: LabelProtocol, seed: int
) -> list[dict[str, Any]]:
    """On vectors of unlabelled, training and test examples."""
    unlabelled, train, test = vectors
    framing, found = frame(unlabelled), []
    for share in protocol.shares:
        rows = labelled_rows(task.train.y, share, seed)
        some = task.train.select(rows)
        kernel, bias = probe_weights(train[rows], some.y, some.weights, framing, protocol.inverse_penalty)
        accuracy = _accuracy(test @ kernel.T + bias, task)
        found.append(_row(name, PROBE, share, seed, len(rows), accuracy))
    return found


def _tuned(
    name: str, network: keras.Model, task: LabelTask, protocol: LabelProtocol, seed: int
) -> list[dict[str, Any]]:
    found = []
    for share in protocol.shares:
        some = task.train.select(labelled_rows(task.train.y, share, seed))
        model = HeadedNetwork.build(name, some, task.classes, network, seed)
        train_on_source(model, protocol.descent(len(some), seed), some)
        accuracy = _accuracy(np.asarray(model.head(model.embed(task.test.x))), task)
        found.append(_row(name, TUNING, share, seed, len(some), accuracy))
    return found


def _accuracy(scores: Float[np.ndarray, "N C"], task: LabelTask) -> float:
    return float((scores.argmax(axis=1) == task.test.y).mean())


def _row(name: str, use: str, share: float, seed: int, labels: int, accuracy: float) -> dict[str, Any]:
    return {"method": name, "use": use, "share": share, "seed": seed, "labels": labels, "accuracy": accuracy}
