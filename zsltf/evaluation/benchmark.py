"""The zero-shot benchmark's protocol on one set: its own split, settings chosen on its validation classes."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive, fail
from zsltf.data.attributes import Missing
from zsltf.data.benchmark_set import BenchmarkSet
from zsltf.data.xlsa17 import SPLIT_FILES, Semantics, read_xlsa17
from zsltf.evaluation.best_epoch import best_epoch
from zsltf.evaluation.published import published
from zsltf.evaluation.zero_shot import Outcome, ZeroShotProtocol, run_on_split
from zsltf.protocols import Method
from zsltf.training.folds import Fold, hold_out
from zsltf.training.seeds import draws, with_seed

__all__ = ["benchmark_folds", "benchmark_row", "find_sets", "read_sets", "row_identity", "run_benchmark", "seeded"]

_FIGURES = ("seen", "unseen", "harmonic_mean")


def run_benchmark(method: Method, data: BenchmarkSet, protocol: ZeroShotProtocol | None = None) -> Outcome:
    """Choose on train and val without test_seen, fit on trainval, test on test_seen and test_unseen.

    Source: Xian, Lampert, Schiele & Akata, "Zero-shot learning: a comprehensive evaluation of the good, the bad and the
    ugly", TPAMI 2019; gamma as Chao et al., ECCV 2016.

    Args:
        method: what to fit.
        data: a set with its split.
        protocol: options.
    """
    protocol = protocol or ZeroShotProtocol()
    test = data.features.select(np.concatenate([data.test_seen, data.test_unseen]))
    method = method if protocol.search else with_seed(method, protocol.seed)  # a search sets the seed of what it chose
    folds = list(benchmark_folds(data, num_repeats=protocol.repeats, seed=protocol.seed))
    return run_on_split(method, data.features.select(data.trainval), test, data.classes, folds, protocol)


def benchmark_folds(data: BenchmarkSet, *, num_repeats: int = 3, share: float = 0.2, seed: int = 0) -> Iterator[Fold]:
    """Test on the benchmark's validation classes, and on a `share` of the other classes' images, drawn each time.

    Images of test_seen, which the benchmark's train and val have too, are left out: nothing is chosen on them.
    """
    train = data.untested("train")
    rows = np.concatenate([train, data.untested("val")])
    known = np.unique(data.features.y[rows])
    chosen = data.features.select(rows)
    chosen = chosen.with_y(np.searchsorted(known, chosen.y))
    seen = np.isin(known, data.features.y[train])
    classes = data.classes.select(known).with_seen(seen)
    for number in range(num_repeats):
        tested = np.ones(len(rows), bool)
        tested[: len(train)] = hold_out(chosen.y[: len(train)], share, seed + number)
        yield Fold(data=chosen, tested=tested, classes=classes)


def find_sets(root: Path) -> dict[str, Path]:
    """Path below root -> folder, of those that hold a set of the benchmark's layout, sorted; root itself by its name.

    Raises:
        ValueError: if there is none.
    """
    found = sorted(path.parent for path in root.rglob("res101.mat"))
    complete = [folder for folder in found if any((folder / name).is_file() for name in SPLIT_FILES.values())]
    if not complete:
        without = sorted({p.parent.name for name in set(SPLIT_FILES.values()) for p in root.rglob(name)})
        received = f"splits without features: {', '.join(without[:5])}" if without else "none"
        fail(str(root), "folders with res101.mat and att_splits.mat", received, "Put the features beside the splits.")
    return {root.resolve().name if f == root else f.relative_to(root).as_posix(): f for f in complete}


def read_sets(root: Path, *, semantics: Semantics = "att", missing: Missing = "refuse") -> list[BenchmarkSet]:
    """Every set at or below root, named by its path below it; see `read_xlsa17`."""
    found = find_sets(root).items()
    return [read_xlsa17(folder, name=name, semantics=semantics, missing=missing) for name, folder in found]


def _best_epoch(data: BenchmarkSet, outcome: Outcome) -> dict[str, float] | None:
    """Maxima over test evaluations, of a method that has epochs: how much the usual way flatters."""
    if not hasattr(outcome.choice.method, "fit_epochs"):
        return None
    return asdict(best_epoch(outcome.choice, data.features.select(data.trainval), outcome.test, data.classes))


def _new_to_backbone(data: BenchmarkSet, per_class: Float[np.ndarray, " C"]) -> float | None:
    """Unseen accuracy over the classes that the backbone was not trained on, where that is known and any are left."""
    new = ~data.classes.seen & ~np.isin(data.classes.names, data.known_to_backbone or ()) & ~np.isnan(per_class)
    return float(per_class[new].mean()) if data.known_to_backbone is not None and new.any() else None


def seeded(protocol: ZeroShotProtocol, method: Method, runs: int | None = None) -> list[ZeroShotProtocol]:
    """The protocol under `runs` seeds, from its own on; by default 5 for a method that draws, and 1 for another."""
    check_positive("gbu", runs=1 if runs is None else runs)
    first, count = protocol.seed, runs or (5 if draws(method) else 1)
    return [replace(protocol, seed=seed) for seed in range(first, first + count)]


def row_identity(name: str, data: BenchmarkSet, *, matrix: Semantics, **asked: Any) -> dict[str, Any]:
    """What a row is of, with the options asked for: while none of it changes, the row stands."""
    hashes = {"split": data.digest, "data": data.data_digest}
    return {"set": data.name, "matrix": matrix, **hashes, "method": name, "asked": asked}


def benchmark_row(name: str, data: BenchmarkSet, outcome: Outcome, seed: int) -> dict[str, Any]:
    """One method on one set: accuracies as fractions, and the chosen settings."""
    report, choice, known = outcome.report, outcome.choice, data.known_to_backbone
    return {
        "seed": seed,
        "validation": choice.accuracy,
        "unseen_accuracy": report.unseen_accuracy,
        "interval": list(report.interval),
        "per_class": report.unseen_per_class[~data.classes.seen].tolist(),
        "known_to_backbone": None if known is None else list(known),
        "new_to_backbone": _new_to_backbone(data, report.unseen_per_class),
        "best_epoch": _best_epoch(data, outcome),
        "uncalibrated": dict(zip(_FIGURES, report.uncalibrated, strict=True)),
        "calibrated": dict(zip(_FIGURES, (report.seen, report.unseen, report.harmonic_mean), strict=True)),
        "oracle": dict(zip(_FIGURES, report.oracle, strict=True)),
        "area": report.curve.area,
        "shuffled": float(np.mean(outcome.shuffled)) if outcome.shuffled else None,
        "gamma": report.gamma,
        "seconds": outcome.seconds,
        "settings": choice.settings,
        "preparation": asdict(choice.preparation),
        "published": asdict(published(name, Path(data.name).name)),
    }
