"""Photos in, few-shot figures out: features once, every method on the same episodes, and a Classifier that ships."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.few_shot_images import FewShotImages
from zsltf.data.few_shot_sets import FewShotSets
from zsltf.data.images import Images, OnCorrupt
from zsltf.evaluation.few_shot import FewShotOutcome, FewShotProtocol, check_base, run_few_shot
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import extract_features
from zsltf.protocols import FewShotMethod

__all__ = ["FewShotPhotos", "run_few_shot_on_photos"]

REFERENCE = NearestClassMean(cosine=True)
"""What every method is held against: it learns nothing and sets nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FewShotPhotos:
    """What a method reached on a backbone's features of photos."""

    images: FewShotImages
    backbone: Backbone
    sets: FewShotSets
    skipped: Mapping[str, str]
    """Photo that could not be decoded -> reason."""
    protocol: FewShotProtocol
    outcome: FewShotOutcome
    """The method's first, then the reference's, unless they are the same."""
    classifier: Classifier
    """Of all novel classes from all their photos, from images."""
    seconds: float

    def novel(self) -> Images:
        """The photos of novel classes that could be decoded."""
        images = self.images.collection.images
        kept = np.array([name not in self.skipped for name in images.names])
        rows = self.images.rows("novel")
        return images.select(rows[kept[rows]])


def run_few_shot_on_photos(
    method: FewShotMethod,
    backbone: Backbone,
    images: FewShotImages,
    protocol: FewShotProtocol,
    *,
    on_corrupt: OnCorrupt = "skip",
) -> FewShotPhotos:
    """Extract features, learn from base classes, and meet episodes of novel ones.

    Args:
        method: any few-shot method.
        backbone: makes the features, and is not trained.
        images: with the parts of their classes.
        protocol: which episodes.
        on_corrupt: see `extract_features`.

    Raises:
        ValueError: before features are extracted, if a novel class has too few photos, or the method needs base
            classes.
    """
    start, collection = time.perf_counter(), images.collection
    methods = {type(method).__name__: method}
    if method != REFERENCE:
        methods["Nearest class mean, cosine"] = REFERENCE
    _check_photos(images, methods, protocol)
    extraction = extract_features(backbone, collection.images, on_corrupt=on_corrupt)
    sets = FewShotSets.of(extraction.features, collection.classes, images.parts)
    outcome = run_few_shot(methods, sets, protocol)
    learner = next(iter(outcome.methods.values())).learner
    fitted = learner.fit(*_support(sets))
    return FewShotPhotos(
        images=images,
        backbone=backbone,
        sets=sets,
        skipped=extraction.skipped,
        protocol=protocol,
        outcome=outcome,
        classifier=fitted.after(backbone.features(), preprocess=backbone.preprocess),
        seconds=time.perf_counter() - start,
    )


def _check_photos(images: FewShotImages, methods: Mapping[str, FewShotMethod], protocol: FewShotProtocol) -> None:
    """What `run_few_shot` refuses, as far as the list of files tells."""
    y = images.collection.images.y
    if y.ndim != 1:
        fail("images", "one class an image", "several", "Give single labels.")
    rows = np.arange(len(y))[:, None].astype(np.float32)
    sets = FewShotSets.of(Features(x=rows, y=y), images.collection.classes, images.parts)
    check_base(methods, sets)
    sets.check_enough(protocol.sampler)


def _support(sets: FewShotSets) -> tuple[Features, ClassTable]:
    """All novel photos, labelled by a table of novel classes."""
    labels = np.unique(sets.novel.y)
    table = sets.classes.select(labels)
    return sets.novel.with_y(np.searchsorted(labels, sets.novel.y)), table.with_seen(np.ones(len(labels), bool))
