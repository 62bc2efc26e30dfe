"""Fine-tune on labelled images and test on those that nothing has looked at."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_share, fail
from zsltf.classifier import Classifier
from zsltf.data.images import Images
from zsltf.data.labelled import LabelledImages
from zsltf.data.labels import class_counts
from zsltf.evaluation.classification import evaluate_classification
from zsltf.evaluation.classification_report import ClassificationReport
from zsltf.evaluation.zero_shot_report import ZeroShotReport, read_zero_shot
from zsltf.metrics.rejection import EACH_LEFT_OUT, OpenSet, best_without_own, rejection_threshold
from zsltf.pretrained.backbone import Backbone
from zsltf.protocols import Head
from zsltf.training.engine import Training
from zsltf.training.examples import Examples
from zsltf.training.phases import HEAD, schedule_rows
from zsltf.training.progress import Progress
from zsltf.training.scoring import score_images
from zsltf.transfer.fine_tune import FineTune

__all__ = ["Transferred", "check_transfer", "examples_of", "transfer", "transfer_heads"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Transferred:
    """A fine-tuned backbone with one head, and what it reaches on the test images."""

    method: FineTune
    backbone: Backbone
    labelled: LabelledImages
    classifier: Classifier
    """With the unseen classes, if it opens by semantics and there are any."""
    training: Training
    report: ClassificationReport
    """Of the classes that were trained."""
    test: Images
    """The test images that could be decoded, row for row those of the report."""
    skipped: dict[str, str]
    """Images that could not: name -> reason."""
    seconds: float
    """Of training and testing; with several heads, of all together."""
    zero_shot: ZeroShotReport | None = None
    """Of test images and images of unseen classes, at gamma 0, if the Classifier opens by semantics."""
    open_set: OpenSet | None = None
    """How the threshold that validation images chose does; None without any, and with several labels an image."""


def transfer(
    method: FineTune,
    backbone: Backbone,
    labelled: LabelledImages,
    *,
    folder: Path | None = None,
    resume: bool = False,
    tensorboard: Path | None = None,
    false_rejections: float = 0.05,
) -> Transferred:
    """Train on the training part, choose on the validation part, test on the test part.

    Args:
        method: head, schedule and options.
        backbone: is changed.
        labelled: images, split.
        folder: for checkpoints.
        resume: go on from the folder's checkpoint.
        tensorboard: folder for event files.
        false_rejections: share of validation images that may be taken for none of the classes.

    Raises:
        ValueError: if no image is for the test, or the options weigh several heads.
    """
    heads = {"class": method.head}
    outcomes = transfer_heads(
        method,
        backbone,
        labelled,
        heads,
        folder=folder,
        resume=resume,
        tensorboard=tensorboard,
        false_rejections=false_rejections,
    )
    return outcomes["class"]


def transfer_heads(
    method: FineTune,
    backbone: Backbone,
    labelled: LabelledImages,
    heads: Mapping[str, Head],
    *,
    folder: Path | None = None,
    resume: bool = False,
    tensorboard: Path | None = None,
    false_rejections: float = 0.05,
) -> dict[str, Transferred]:
    """As `transfer`, with several heads by name on one backbone instead of the method's; an outcome a head."""
    start = time.perf_counter()
    check_share("transfer", false_rejections=false_rejections)
    check_transfer(method, labelled, heads)
    stages = (*backbone.stages, HEAD)
    validation = labelled.split.validation
    with Progress(batch_size=method.training.batch_size, schedule=schedule_rows(method.phases(stages), stages)) as bar:
        training = method.train(
            backbone,
            examples_of(labelled, labelled.split.train),
            labelled.classes,
            validation=examples_of(labelled, validation) if len(validation) else None,
            heads=heads,
            folder=folder,
            resume=resume,
            callbacks=[bar],
            tensorboard=tensorboard,
        )
    if resume and training.validation is not None:
        deque(training.validation.in_order(), maxlen=0)  # a training that was over has not read them: `skipped`
    classifiers = training.classifiers()
    return {
        head: _tested(classifier, method, backbone, labelled, training, start, false_rejections)
        for head, classifier in classifiers.items()
    }


def examples_of(labelled: LabelledImages, rows: Int[np.ndarray, " M"]) -> Examples:
    """The images of these rows, with their weights."""
    weights = labelled.sample_weight
    return Examples(images=labelled.images.select(rows), sample_weight=None if weights is None else weights[rows])


def check_transfer(method: FineTune, labelled: LabelledImages, heads: Mapping[str, Head]) -> None:
    """Refuse, before slow work, what can't be tested and options that weigh several heads where there is one."""
    if not len(labelled.split.test):
        fail("split", "images for the test", "none", "Give --test a share, or the source a test part.")
    objectives = method.training.objectives
    if len(heads) == 1 and (objectives.task_weights or objectives.uncertainty or objectives.pcgrad):
        fix = "Leave them out, or train several heads: zsltf run multitask."
        fail("task_weights, uncertainty and pcgrad", "several heads whose losses they weigh", "one head", fix)


def _rejecting(classifier: Classifier, labelled: LabelledImages, allowed: float) -> Classifier:
    """With a threshold that validation images choose, if there are any and each is of one class."""
    validation = labelled.validation
    if classifier.activation == "sigmoid" or not len(validation):
        return classifier
    scores, _, _ = _scored(classifier, validation)
    return classifier.rejecting(rejection_threshold(scores.max(axis=1), allowed))


def _tested(
    classifier: Classifier,
    method: FineTune,
    backbone: Backbone,
    labelled: LabelledImages,
    training: Training,
    start: float,
    allowed: float,
) -> Transferred:
    classifier = _rejecting(classifier, labelled, allowed)
    known, unseen = len(labelled.classes), labelled.unseen if "semantics" in classifier.opens_by else None
    if unseen is not None:
        classifier = classifier.with_classes(unseen.classes)
    scores, test, skipped = _scored(classifier, labelled.test)
    report = evaluate_classification(
        scores[:, :known],
        test.y,
        labelled.classes.names,
        activation=classifier.activation,
        train_images=class_counts(labelled.train.y, known),
    )
    zero_shot, open_set = None, None
    if classifier.reject_below is not None:
        trained = scores[:, :known]
        open_set = OpenSet.of(
            trained.max(axis=1),
            best_without_own(trained, report.truth),
            threshold=classifier.reject_below,
            allowed=allowed,
            strangers=EACH_LEFT_OUT,
        )
    if unseen is not None:
        more, images, broken = _scored(classifier, unseen.images)
        y = np.concatenate([test.y, images.y + known])
        zero_shot, skipped = read_zero_shot(np.concatenate([scores, more]), y, classifier.classes), skipped | broken
    return Transferred(
        method=method,
        backbone=backbone,
        labelled=labelled,
        classifier=classifier,
        training=training,
        report=report,
        test=test,
        skipped=_unread(training) | skipped,
        seconds=time.perf_counter() - start,
        zero_shot=zero_shot,
        open_set=open_set,
    )


def _unread(training: Training) -> dict[str, str]:
    """Training and validation images that can't be decoded."""
    streams = [stream for stream in (training.stream, training.validation) if stream is not None]
    return {s.examples.images.names[row]: reason for s in streams for row, reason in s.skipped.items()}


def _scored(classifier: Classifier, images: Images) -> tuple[np.ndarray, Images, dict[str, str]]:
    """Scores of what can be decoded, those images, and the others."""
    scores, good = score_images(classifier, images)
    broken = {images.names[row]: "can't be decoded" for row in np.flatnonzero(~good)}
    return scores[good], images.select(good), broken
