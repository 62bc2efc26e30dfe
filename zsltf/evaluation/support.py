"""From a few photos a class to a Classifier, and how well it does on photos that it has not learnt from."""

import time
from dataclasses import dataclass
from typing import cast

import keras
import numpy as np
from jaxtyping import Float, Int

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection
from zsltf.data.features import Features
from zsltf.data.images import Images
from zsltf.data.labels import class_counts
from zsltf.data.support_photos import SupportPhotos
from zsltf.evaluation.classification import evaluate_classification
from zsltf.evaluation.classification_report import ClassificationReport
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import extract_features
from zsltf.protocols import BaseFreeMethod, FewShotLearner, FewShotMethod

__all__ = ["MOST_SHOTS", "Adapted", "adapt", "left_out_scores"]

MOST_SHOTS = 20
"""Photos a class up to which few-shot methods are made for; as many folds at most."""
_ENOUGH = 10
"""Base classes from which a fifth can be held out to choose the best step of a training."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Adapted:
    """What a few photos came to."""

    classifier: Classifier
    """From images to the classes of the support."""
    method: FewShotMethod
    backbone: Backbone
    photos: SupportPhotos
    tested: Images | None
    """The photos that were scored; None where there is none to score."""
    report: ClassificationReport | None
    """Of these photos, row for row."""
    how: str
    """What the report's figures are those of, or why there are none."""
    skipped: dict[str, str]
    """Base photos that could not be decoded: name -> reason."""
    seconds: float

    @property
    def shots(self) -> dict[str, int]:
        """Class -> photos in the support."""
        counts = class_counts(self.photos.support.y, len(self.photos.classes))
        return dict(zip(self.photos.classes.names, counts.tolist(), strict=True))


def adapt(method: FewShotMethod, backbone: Backbone, photos: SupportPhotos, *, seed: int = 0) -> Adapted:
    """Learn how to learn from the base classes, if there are any, then learn the classes of the support.

    Args:
        method: any few-shot method.
        backbone: makes features; it is not trained.
        photos: support, test and base.
        seed: of what the method draws besides its own seed, and of the base classes that are kept for validation.

    Raises:
        ValueError: if the method learns from base classes and there are none, or refuses what it gets.
    """
    start = time.perf_counter()
    if photos.base is None and not isinstance(method, BaseFreeMethod):
        name = type(method).__name__
        fail("--base", f"photos of other classes, from which {name} learns", "none", "Give a folder of them.")
    keras.utils.set_random_seed(seed)
    support = extract_features(backbone, photos.support, on_corrupt="error").features
    learner, skipped = _learnt(method, backbone, photos.base, seed)
    fitted = learner.fit(support, photos.classes)
    scored = _on_test(backbone, fitted, photos.test) if photos.test else _on_the_rest(learner, support, photos)
    return Adapted(
        classifier=fitted.after(backbone.features(), preprocess=backbone.preprocess),
        method=method,
        backbone=backbone,
        photos=photos,
        tested=scored.images,
        report=scored.report(photos.classes, support),
        how=scored.how,
        skipped=skipped,
        seconds=time.perf_counter() - start,
    )


def left_out_scores(
    learner: FewShotLearner, support: Features, classes: ClassTable
) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, "M C"]]:
    """Scores of photos by Classifiers that learnt from the others, but one of each class.

    A class with a single photo keeps it, and is no row.

    Source: Stone, "Cross-validatory choice and assessment of statistical predictions", JRSS B 1974.

    Args:
        learner: learns a Classifier for each photo that the largest class has, and for 20 at most.
        support: of every class an example.
        classes: their table.

    Returns:
        The rows that are scored, and their scores.
    """
    fold = _folds(support.y, len(classes))
    rows = np.flatnonzero(fold >= 0)
    scores = np.empty((len(support), len(classes)), np.float32)
    for number in np.unique(fold[rows]):
        fitted = learner.fit(support.select(fold != number), classes)
        scores[fold == number] = fitted.score(np.asarray(support.x[fold == number]))
    return rows, scores[rows]


def _folds(y: Int[np.ndarray, " N"], num_classes: int) -> Int[np.ndarray, " N"]:
    """The fold of each example; -1 where its class has no other."""
    counts = class_counts(y, num_classes)
    place = np.array([np.count_nonzero(y[:row] == label) for row, label in enumerate(y)])
    return np.where(counts[y] > 1, place % min(counts.max(), MOST_SHOTS), -1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scored:
    images: Images | None
    scores: Float[np.ndarray, "N C"]
    how: str

    def report(self, classes: ClassTable, support: Features) -> ClassificationReport | None:
        if self.images is None:
            return None
        counts = class_counts(support.y, len(classes))
        return evaluate_classification(self.scores, self.images.y, classes.names, train_images=counts)


def _on_test(backbone: Backbone, fitted: Classifier, test: Images) -> _Scored:
    features = extract_features(backbone, test, on_corrupt="error").features
    how = f"{len(test)} photos of --test, from which nothing was learnt"
    return _Scored(images=test, scores=fitted.score(np.asarray(features.x)), how=how)


def _on_the_rest(learner: FewShotLearner, support: Features, photos: SupportPhotos) -> _Scored:
    rows, scores = left_out_scores(learner, support, photos.classes)
    if not len(rows):
        how = "not tested: with one photo a class none is left to test on"
        return _Scored(images=None, scores=scores, how=how)
    counts = class_counts(support.y, len(photos.classes))
    alone = [name for name, count in zip(photos.classes.names, counts, strict=True) if count == 1]
    how = f"{len(rows)} photos of the support, each scored by a classifier that learnt from the others, but one a class"
    if alone:
        how += f"; not tested, for they have one photo: {', '.join(alone)}"
    return _Scored(images=photos.support.select(rows), scores=scores, how=how)


def _learnt(
    method: FewShotMethod, backbone: Backbone, base: Collection | None, seed: int
) -> tuple[FewShotLearner, dict[str, str]]:
    """The learner, and the base photos that can't be decoded."""
    if base is None:
        return cast("BaseFreeMethod", method).without_base(), {}
    extraction = extract_features(backbone, base.images)
    features, validation = extraction.features, None
    if hasattr(method, "training") and len(base.classes) >= _ENOUGH:
        held_out = np.random.default_rng(seed).permutation(len(base.classes)) < len(base.classes) // 5
        features, validation = features.select(~held_out[features.y]), features.select(held_out[features.y])
    return method.learn(features, validation=validation), extraction.skipped
