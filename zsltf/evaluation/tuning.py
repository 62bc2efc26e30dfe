"""Tune a fine-tuning's settings by cross-validation, and test the winner once on images that no fold held."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zsltf.checks import fail
from zsltf.data.folded import FoldedImages
from zsltf.data.labelled import LabelledImages
from zsltf.evaluation.classification_report import ClassificationReport, mean_over_classes
from zsltf.evaluation.grid import grid
from zsltf.evaluation.transfer import Transferred, check_transfer, examples_of, transfer
from zsltf.pretrained.backbone import Backbone
from zsltf.training.network import Network
from zsltf.training.phases import HEAD, check_phases, schedule_rows
from zsltf.training.seeds import seed_everything
from zsltf.training.setup import Data, checked
from zsltf.training.timeline import check_rates
from zsltf.transfer.fine_tune import FineTune

__all__ = ["Trial", "Tuning", "describe_values", "headline", "tune"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """One setting and what it reached."""

    values: Mapping[str, Any]
    """Dotted path -> value of what varies."""
    method: FineTune
    scores: tuple[float, ...]
    """`headline` of each fold, by a training on the others."""

    @property
    def mean(self) -> float:
        """Over folds."""
        return float(np.mean(self.scores))

    @property
    def deviation(self) -> float:
        """Standard deviation over folds (n - 1)."""
        return float(np.std(self.scores, ddof=1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuning:
    """Every setting, and the best one trained on all folds."""

    trials: tuple[Trial, ...]
    """In the grid's order."""
    refit: Transferred
    """Tested on the test part."""

    @property
    def best(self) -> Trial:
        """The highest mean; of equal ones the first."""
        return _best(self.trials)


def tune(
    method: FineTune,
    axes: Mapping[str, Sequence[Any]],
    build: Callable[[], Backbone],
    folded: FoldedImages,
    *,
    announce: Callable[[str], None],
    show: Callable[[Sequence[Mapping[str, Any]]], None],
) -> Tuning:
    """Train every setting of the grid without each fold in turn, from the same weights and seed; refit the best.

    The best mean is optimistic, for it was picked; what the refitted network reaches on the test part is not.

    Args:
        method: what does not vary.
        axes: dotted path of a field -> values to try.
        build: makes the backbone, whose random weights follow from the seed.
        folded: images in folds, and a test part.
        announce: is told the setting and the fold before each training.
        show: is told a setting's schedule, before its first training.

    Raises:
        ValueError: before any training, for a setting that can't be trained, for seeds to choose from, or images
            without a test part.
    """
    settings = grid(method, axes)
    stages = _check(settings, build(), folded)
    trials = []
    for number, (values, setting) in enumerate(settings, start=1):
        label = f"setting {number} of {len(settings)} ({describe_values(values)})"
        scores = []
        show(schedule_rows(setting.phases(stages), stages))
        for fold in range(len(folded)):
            announce(f"{label}, fold {fold}")
            scores.append(headline(_trained(setting, build, folded.fold(fold)).report))
        trials.append(Trial(values=values, method=setting, scores=tuple(scores)))
    best = _best(trials)
    announce(f"all folds ({describe_values(best.values)})")
    return Tuning(trials=tuple(trials), refit=_trained(best.method, build, folded.labelled))


def headline(report: ClassificationReport) -> float:
    """What settings are compared by: accuracy as a mean over classes; with several labels an image, mAP."""
    return mean_over_classes(report.average_precision) if report.multi_label else report.mean_class_accuracy


def describe_values(values: Mapping[str, Any]) -> str:
    """What varies, in one line."""
    return ", ".join(f"{path.rpartition('.')[2]}={value}" for path, value in values.items()) or "as given"


def _best(trials: Sequence[Trial]) -> Trial:
    return max(trials, key=lambda trial: round(trial.mean, 9))  # the same scores in another order have the same mean


def _trained(method: FineTune, build: Callable[[], Backbone], labelled: LabelledImages) -> Transferred:
    seed_everything(method.training.seed, deterministic=method.training.deterministic)
    return transfer(method, build(), labelled)


def _check(settings: Sequence[tuple[Any, FineTune]], backbone: Backbone, folded: FoldedImages) -> list[str]:
    """Refuse what every training would, before the first one; the names of the stages."""
    if any("training.seed" in values for values, _ in settings):
        fail("--vary", "settings", "the seed", "Leave it out: the best of several seeds is luck, not a setting.")
    if not len(folded.labelled.split.test):
        fail("cross_validate", "images for the test, in no fold", "none", "Give --test a share.")
    smallest = min((folded.fold(number) for number in range(len(folded))), key=lambda fold: len(fold.split.train))
    train, stages = examples_of(smallest, smallest.split.train), [*backbone.stages, HEAD]
    for _, method in settings:
        check_transfer(method, smallest, {"class": method.head})
        network = Network.build(backbone, {"class": method.head}, smallest.classes)
        check_phases(method.phases(stages), stages)
        check_rates(network, method.phases(stages))
        data = Data(train=train, augmentation=method.augmentation, views=method.views)
        checked(network, data, method.training)
    return stages
