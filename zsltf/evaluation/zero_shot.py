"""The zero-shot protocol: choose on seen classes, fit, calibrate, and test on classes that nothing has looked at."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Int
from threadpoolctl import threadpool_limits

from zsltf.checks import check_not_negative, check_positive, check_seed, check_share, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.split_digest import split_digest
from zsltf.evaluation.zero_shot_report import ZeroShotReport, evaluate_zero_shot
from zsltf.metrics.rejection import OpenSet
from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.protocols import Method
from zsltf.training.calibration import calibrated
from zsltf.training.folds import Fold, class_disjoint_folds, hold_out
from zsltf.training.preparation import Preparation
from zsltf.training.seeds import with_seed
from zsltf.training.selection import Choice, fit_prepared, preparations, select

__all__ = [
    "Outcome",
    "ZeroShotProtocol",
    "check_enough",
    "run_on_split",
    "run_zero_shot",
]


@dataclass(frozen=True, kw_only=True)
class ZeroShotProtocol:
    """How settings are chosen and results are controlled."""

    search: bool = True
    """Choose the method's settings and the preparation on class-disjoint folds of the seen classes."""
    preparation: Preparation = field(
        default_factory=lambda: Preparation(centre=True, unit_norm=True, semantics="centred")
    )
    """What is done to features and semantics with --no-search."""
    repeats: int = 3
    """How often the seen classes are dealt into folds, or the benchmark's training images into two parts."""
    shuffles: int = 5
    """Refits with shuffled attributes: their accuracy should be near chance."""
    false_rejections: float = 0.05
    """Share of held-out photos of the classes that may be taken for none of them: sets the rejection threshold."""
    seed: int = 0
    """Of the hold-out, the folds, the shuffles, and what a method draws by chance that has no seed of its own."""

    def preparations(self, method: Method) -> Sequence[Preparation]:
        """What selection tries."""
        return preparations(method) if self.search else (self.preparation,)

    def check(self, method: Method) -> None:
        """Refuse settings that the search would overrule."""
        overruled = {
            "method": (method, any(getattr(method, name) != getattr(type(method)(), name) for name in method.SEARCH)),
            "preparation": (self.preparation, self.preparation != type(self)().preparation),
        }
        for name, (given, changed) in overruled.items():
            if self.search and changed:
                fail(name, "its defaults, since the search chooses its settings", str(given), "Add --no-search.")
        check_positive("protocol", repeats=self.repeats)
        check_share("protocol", false_rejections=self.false_rejections)
        check_not_negative("protocol", shuffles=self.shuffles)
        check_seed("protocol", self.seed)


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """One partition, run to the end."""

    classifier: Classifier
    choice: Choice
    """The settings that the folds preferred."""
    runners_up: list[Choice]
    train: Features
    test: Features
    report: ZeroShotReport
    open_set: OpenSet
    """How `none of these` does: known are test images of seen classes, strangers those of unseen ones, while the table
    has the seen classes alone; but `rejected` is of all test images and the whole table."""
    shuffled: list[float]
    """Unseen accuracy with attributes dealt to classes at random, one a shuffle: should be near chance."""
    seconds: float
    """That all this took."""
    split: str | None = None
    """Hash of the rows of train and test; None where they are not known, as in `run_on_split`."""


def run_zero_shot(
    method: Method, features: Features, classes: ClassTable, protocol: ZeroShotProtocol | None = None
) -> Outcome:
    """Hold out a fifth of the seen classes' images, choose and calibrate on folds of the rest, fit, test, control.

    Args:
        method: what to fit.
        features: images of seen and unseen classes.
        classes: their table; rows of unseen classes are used in the test only.
        protocol: its options.

    Raises:
        ValueError: if fewer than 4 classes are seen, fewer than 2 are unseen, or a seen one has too few images.
    """
    protocol = protocol or ZeroShotProtocol()
    protocol.check(method)
    check_enough(features.y, classes)
    of_seen = np.flatnonzero(classes.seen[features.y])
    held_out = hold_out(features.y[of_seen], 0.2, protocol.seed)
    unseen = np.flatnonzero(~classes.seen[features.y])
    parts = {"train": of_seen[~held_out], "test_seen": of_seen[held_out], "test_unseen": unseen}
    train = features.select(parts["train"])
    test = features.select(np.sort(np.concatenate([parts["test_seen"], unseen])))
    folds = list(class_disjoint_folds(train, classes, num_repeats=protocol.repeats, seed=protocol.seed))
    return replace(run_on_split(method, train, test, classes, folds, protocol), split=split_digest(parts))


@threadpool_limits.wrap(limits=1, user_api="blas")  # many small products: one thread is 2 to 6 times faster than two
def run_on_split(
    method: Method,
    train: Features,
    test: Features,
    classes: ClassTable,
    folds: Sequence[Fold],
    protocol: ZeroShotProtocol | None = None,
) -> Outcome:
    """Choose and calibrate on the folds, fit on the training images, test, control.

    Args:
        method: what to fit.
        train: images of seen classes.
        test: images of seen and unseen classes.
        classes: their table.
        folds: of the training images, each with classes that it pretends not to have seen.
        protocol: its options.
    """
    start, protocol = time.perf_counter(), protocol or ZeroShotProtocol()
    protocol.check(method)
    best, *others = select(method, folds, protocol.preparations(method), search=protocol.search)
    choice = replace(best, method=_seeded(best.method, protocol.seed))
    fitted = fit_prepared(choice.method, choice.preparation, train, classes)
    classifier = calibrated(fitted, choice, folds, false_rejections=protocol.false_rejections)
    report = evaluate_zero_shot(classifier, test)
    seeds = range(protocol.seed, protocol.seed + protocol.shuffles)
    return Outcome(
        classifier=classifier,
        choice=choice,
        runners_up=others[:9],
        train=train,
        test=test,
        report=report,
        open_set=_open_set(classifier, report, test.y, protocol.false_rejections),
        shuffled=[_shuffled_accuracy(choice, train, test, classes, seed) for seed in seeds],
        seconds=time.perf_counter() - start,
    )


def _seeded(method: Any, seed: int) -> Any:
    """With the protocol's seed, unless the method was given one of its own."""
    return with_seed(method, seed) if method == with_seed(method, 0) else method


def _open_set(classifier: Classifier, report: ZeroShotReport, y: np.ndarray, allowed: float) -> OpenSet:
    seen, threshold = report.classes.seen, float(classifier.reject_below or 0.0)
    best = report.scores[:, seen].max(axis=1)
    found = OpenSet.of(
        best[seen[y]],
        best[~seen[y]],
        threshold=threshold,
        allowed=allowed,
        strangers="unseen classes, left out of the table",
    )
    return replace(found, rejected=float((report.scores.max(axis=1) < threshold).mean()))


def _shuffled_accuracy(choice: Choice, train: Features, test: Features, classes: ClassTable, seed: int) -> float:
    """Unseen accuracy after the rows of semantics are dealt out anew: what remains is no knowledge of attributes."""
    order = np.random.default_rng(seed).permutation(len(classes))
    shuffled = classes.with_semantics(classes.semantics[order])
    rows = test.select(~classes.seen[test.y])
    scores = fit_prepared(choice.method, choice.preparation, train, shuffled).score(np.asarray(rows.x))
    return unseen_accuracy(scores, rows.y, classes.seen)


def check_enough(y: Int[np.ndarray, " N"], classes: ClassTable, partition: str = "classes") -> None:
    """Refuse a problem with too few classes, no attributes or too few images of a class, given each image's label."""
    seen, unseen = int(classes.seen.sum()), int((~classes.seen).sum())
    if seen < 4 or unseen < 2:
        fix = "Mark more classes in the column split, or give --partitions FILE or --random-partitions N."
        fail(partition, "at least 4 seen and 2 unseen classes", f"{seen} seen and {unseen} unseen", fix)
    if not np.ptp(classes.semantics, axis=0).any():
        fail("classes", "attributes that tell classes apart", "none", "Add a column an attribute to the class table.")
    counts = np.bincount(y, minlength=len(classes))
    few = [f"{classes.names[i]} ({counts[i]})" for i in np.flatnonzero(counts < np.where(classes.seen, 4, 1))]
    if few:
        fail("images", "at least 4 of a seen class and 1 of an unseen one", ", ".join(few[:5]), "Add photos.")
