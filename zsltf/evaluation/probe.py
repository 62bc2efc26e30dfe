"""Probe a backbone: cross-validate a method on its features of labelled images."""

import time
from dataclasses import dataclass, replace

import numpy as np

from zsltf.checks import check_share, fail
from zsltf.classifier import Classifier
from zsltf.data.features import Features
from zsltf.data.folded import FoldedImages
from zsltf.data.images import Images, OnCorrupt
from zsltf.data.labels import class_counts, class_rows
from zsltf.evaluation.classification import evaluate_classification
from zsltf.evaluation.classification_report import ClassificationReport
from zsltf.evaluation.cross_validation import CrossValidation, cross_validate
from zsltf.metrics.rejection import EACH_LEFT_OUT, OpenSet, best_without_own, rejection_threshold
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import Extraction, extract_features
from zsltf.protocols import Method

__all__ = ["ProbeProtocol", "Probed", "probe"]


@dataclass(frozen=True, kw_only=True)
class ProbeProtocol:
    """How settings and the rejection threshold are chosen."""

    search: bool = True
    """Choose the penalty and the normalisation on inner folds."""
    false_rejections: float = 0.05
    """Share of the photos, each scored without its fold, that may be taken for none of the classes."""

    def __post_init__(self) -> None:
        check_share("ProbeProtocol", false_rejections=self.false_rejections)


@dataclass(frozen=True, kw_only=True, eq=False)
class Probed:
    """What a method reaches on a backbone's features."""

    backbone: Backbone
    folded: FoldedImages
    images: Images
    """Those that could be decoded."""
    folds: tuple[np.ndarray, ...]
    """Rows of these images, one array a fold."""
    skipped: dict[str, str]
    """Images that could not: name -> reason."""
    validation: CrossValidation
    report: ClassificationReport
    """Of these images, row for row, each scored by the fold that left it out."""
    open_set: OpenSet
    """How the threshold does on the scores that chose it: those of these images."""
    seconds: float

    def classifier(self) -> Classifier:
        """The one that was fitted on all images, from images to classes."""
        fitted = self.validation.classifier.rejecting(self.open_set.threshold)
        return fitted.after(self.backbone.features(), preprocess=self.backbone.preprocess)


def probe(
    method: Method,
    backbone: Backbone,
    folded: FoldedImages,
    protocol: ProbeProtocol | None = None,
    *,
    on_corrupt: OnCorrupt = "skip",
) -> Probed:
    """Extract features, cross-validate the method on them, and fit it on all.

    Args:
        method: what to fit; it takes features.
        backbone: makes them.
        folded: every image in a fold.
        protocol: its options.
        on_corrupt: see `extract_features`.

    Raises:
        ValueError: if an image is in no fold, or has several labels.
    """
    start, protocol = time.perf_counter(), protocol or ProbeProtocol()
    labelled = folded.labelled
    _check_all_dealt(folded)
    names = labelled.classes.names
    images = labelled.images.with_y(class_rows(labelled.images.y, len(names)))
    extraction = extract_features(backbone, images, on_corrupt=on_corrupt)
    kept = np.array([name not in extraction.skipped for name in images.names])
    features, folds = _weighted(extraction, labelled.sample_weight, kept), _renumbered(folded, kept)
    group = None if labelled.group is None else labelled.group[kept]
    validation = cross_validate(method, features, labelled.classes, folds, search=protocol.search, group=group)
    counts = class_counts(features.y, len(names))
    report = evaluate_classification(validation.scores, features.y, names, train_images=counts)
    return Probed(
        backbone=backbone,
        folded=folded,
        images=images.select(kept),
        folds=folds,
        skipped=extraction.skipped,
        validation=validation,
        report=report,
        open_set=_open_set(validation.scores, report.truth, protocol.false_rejections),
        seconds=time.perf_counter() - start,
    )


def _check_all_dealt(folded: FoldedImages) -> None:
    """A part that is never tested, or never trained on, has no place here."""
    if len(folded.labelled.split.test):
        fix = "Set --test 0; a source with a test part of its own is for `zsltf run finetune --schedule head_only`."
        fail("probe", "every image in a fold", "a test part", fix)
    if any(len(split.validation) for split in folded.splits):
        fail("probe", "folds without a validation part", "some", "Set --validation 0: inner folds stand for it.")


def _open_set(scores: np.ndarray, truth: np.ndarray, allowed: float) -> OpenSet:
    best, strangers = scores.max(axis=1), best_without_own(scores, truth)
    threshold = rejection_threshold(best, allowed)
    return OpenSet.of(best, strangers, threshold=threshold, allowed=allowed, strangers=EACH_LEFT_OUT)


def _weighted(extraction: Extraction, weight: np.ndarray | None, kept: np.ndarray) -> Features:
    return replace(extraction.features, sample_weight=None if weight is None else weight[kept])


def _renumbered(folded: FoldedImages, kept: np.ndarray) -> tuple[np.ndarray, ...]:
    """The folds as rows of the images that are kept."""
    number = np.cumsum(kept) - 1
    return tuple(number[split.test[kept[split.test]]] for split in folded.splits)
