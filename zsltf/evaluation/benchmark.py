"""The zero-shot benchmark's protocol on one set: its own split, settings chosen on its validation classes."""

from collections.abc import Iterator

import numpy as np

from zsltf.data.xlsa17 import BenchmarkSet
from zsltf.evaluation.zero_shot import Outcome, ZeroShotProtocol, run_on_split
from zsltf.protocols import Method
from zsltf.training.folds import Fold, hold_out

__all__ = ["benchmark_folds", "run_benchmark"]


def run_benchmark(method: Method, data: BenchmarkSet, protocol: ZeroShotProtocol | None = None) -> Outcome:
    """Choose on train and val, fit on trainval, test on test_seen and test_unseen.

    Source: Xian, Lampert, Schiele & Akata, "Zero-shot learning: a comprehensive evaluation of the good, the bad and the
    ugly", TPAMI 2019; gamma as Chao et al., ECCV 2016.

    Args:
        method: what to fit.
        data: a set with its split.
        protocol: options.
    """
    protocol = protocol or ZeroShotProtocol()
    test = data.features.select(np.concatenate([data.test_seen, data.test_unseen]))
    folds = list(benchmark_folds(data, seed=protocol.seed))
    return run_on_split(method, data.features.select(data.trainval), test, data.classes, folds, protocol)


def benchmark_folds(data: BenchmarkSet, *, num_repeats: int = 3, share: float = 0.2, seed: int = 0) -> Iterator[Fold]:
    """Test on the benchmark's validation classes, and on a `share` of the other classes' images, drawn each time."""
    rows = np.concatenate([data.train, data.val])
    known = np.unique(data.features.y[rows])
    chosen = data.features.select(rows)
    chosen = chosen.with_y(np.searchsorted(known, chosen.y))
    seen = np.isin(known, data.labels("train"))
    classes = data.classes.select(known).with_seen(seen)
    for number in range(num_repeats):
        tested = np.ones(len(rows), bool)
        tested[: len(data.train)] = hold_out(chosen.y[: len(data.train)], share, seed + number)
        yield Fold(data=chosen, tested=tested, classes=classes)
